#include "datasets/image_dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "datasets/idx.hpp"

namespace qassay {
namespace {

/// The values of one file after every check; `shape` without the leading count.
std::vector<std::uint8_t> read_values(const std::filesystem::path& path, const Manifest& manifest,
                                      const ManifestFile& file, std::vector<std::int64_t> shape) {
  const std::string place = path.string();
  const std::vector<std::byte> bytes = read_checked(path, file.sha256, manifest);
  shape.insert(shape.begin(), file.count);
  IdxArray array = read_idx(bytes, static_cast<int>(shape.size()), place);
  if (array.dimensions != shape) {
    throw InputError(place,
                     fmt::format("holds {} values where the manifest says {}",
                                 fmt::join(array.dimensions, " x "), fmt::join(shape, " x ")),
                     "mend the manifest or the file");
  }
  return std::move(array.values);
}

}  // namespace

ImageDataset::ImageDataset(Manifest manifest, std::filesystem::path folder)
    : manifest_(std::move(manifest)), folder_(std::move(folder)) {}

std::string ImageDataset::hash(Split split) const {
  return sha256(manifest_.file(split, Role::images).sha256 + "\n" +
                manifest_.file(split, Role::labels).sha256 + "\n");
}

TrainingSet ImageDataset::training() const { return {read(Split::train)}; }
TestSet ImageDataset::test() const { return {read(Split::test)}; }

ClassificationSet ImageDataset::read(Split split) const {
  const ManifestFile& images = manifest_.file(split, Role::images);
  const ManifestFile& labels = manifest_.file(split, Role::labels);
  ClassificationSet set;
  set.name = fmt::format("{}/{}", manifest_.name, split == Split::train ? "train" : "test");
  set.hash = hash(split);
  set.count = images.count;
  set.height = manifest_.height;
  set.width = manifest_.width;
  set.features = set.height * set.width;
  set.classes = manifest_.classes;
  set.pixels =
      read_values(folder_ / images.name, manifest_, images, {manifest_.height, manifest_.width});
  set.labels = read_values(folder_ / labels.name, manifest_, labels, {});
  const auto wrong = std::find_if(set.labels.begin(), set.labels.end(),
                                  [&](std::uint8_t label) { return label >= manifest_.classes; });
  if (wrong != set.labels.end()) {
    throw InputError((folder_ / labels.name).string(),
                     fmt::format("sample {} has the label {} where there are {} classes",
                                 wrong - set.labels.begin(), *wrong, manifest_.classes),
                     "mend the manifest or the file");
  }
  return set;
}

ImageDataset find_dataset(std::string_view name) {
  Manifest manifest = find_manifest(name);
  std::filesystem::path folder = folder_of(manifest);
  return {std::move(manifest), std::move(folder)};
}

}  // namespace qassay
