#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "datasets/classification_set.hpp"
#include "datasets/manifest.hpp"

namespace qassay {

/// The dataset of a manifest on this machine. Files are read when a split is asked for, and refused
/// unless their check sums, counts and shapes are the manifest's.
class ImageDataset {
 public:
  /// `folder`: where the files lie.
  ImageDataset(Manifest manifest, std::filesystem::path folder);

  const Manifest& manifest() const { return manifest_; }
  const std::filesystem::path& folder() const { return folder_; }
  /// Identifies the content of a split without reading it: what training() and test() return has
  /// this hash, or they throw.
  std::string hash(Split split) const;

  /// Throw InputError for a missing, unreadable or changed file.
  TrainingSet training() const;
  TestSet test() const;

 private:
  ClassificationSet read(Split split) const;

  Manifest manifest_;
  std::filesystem::path folder_;
};

/// A dataset known by name, in the folder NAME of the folder that the environment variable
/// QASSAY_DATA_DIR names, else where the manifest says. Throws InputError for an unknown name.
ImageDataset find_dataset(std::string_view name);

}  // namespace qassay
