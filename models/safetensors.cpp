#include "models/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "core/error.hpp"
#include "core/half.hpp"
#include "core/json_object.hpp"

namespace qassay {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::string_view kMend = "copy or download the file again";
constexpr std::string_view kMetadata = "__metadata__";
constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

struct ValueType {
  std::string_view name;
  std::int64_t bytes;
};
constexpr ValueType kValueTypes[] = {
    {"F64", 8},     {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F8_E4M3", 1}, {"F8_E5M2", 1},
    {"F8_E8M0", 1}, {"I64", 8}, {"I32", 4}, {"I16", 2},  {"I8", 1},      {"U64", 8},
    {"U32", 4},     {"U16", 2}, {"U8", 1},  {"BOOL", 1}, {"C64", 8}};

/// Empty where the product overflows, whatever the order.
std::optional<std::int64_t> product(std::int64_t factor, std::span<const std::int64_t> dims) {
  if (std::ranges::count(dims, 0) > 0) return 0;
  for (const std::int64_t dim : dims) {
    if (__builtin_mul_overflow(factor, dim, &factor)) return std::nullopt;
  }
  return factor;
}

TensorEntry read_entry(std::string name, const JsonObject& json, std::span<const std::byte> data) {
  json.allow_only({"dtype", "shape", "data_offsets"});
  TensorEntry entry{std::move(name), json.text("dtype"), json.integers("shape", 0, kMost), {}};
  const auto* dtype = std::ranges::find(kValueTypes, entry.dtype, &ValueType::name);
  if (dtype == std::end(kValueTypes)) {
    json.refuse("dtype", fmt::format("is '{}', which is not known", excerpt(entry.dtype)),
                "convert the file to F32, F16 or BF16");
  }
  const std::vector<std::int64_t> offsets = json.integers("data_offsets", 0, kMost);
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    json.refuse("data_offsets", "is not a begin and an end after it", kMend);
  }
  if (static_cast<std::uint64_t>(offsets[1]) > data.size()) {
    json.refuse("data_offsets",
                fmt::format("ends at byte {} of {} bytes of data", offsets[1], data.size()), kMend);
  }
  entry.bytes = data.subspan(static_cast<std::size_t>(offsets[0]),
                             static_cast<std::size_t>(offsets[1] - offsets[0]));
  const auto wanted = product(dtype->bytes, entry.dims);
  if (!wanted) json.refuse("shape", "has more values than a computer can count", kMend);
  if (static_cast<std::uint64_t>(*wanted) != entry.bytes.size()) {
    json.refuse("",
                fmt::format("has {} bytes, but its shape takes {}", entry.bytes.size(), *wanted),
                kMend);
  }
  return entry;
}

/// Sorts the entries and proves that they cover the data.
void check_cover(std::vector<TensorEntry>& entries, std::span<const std::byte> data,
                 std::string_view place) {
  std::ranges::sort(entries, {}, [](const TensorEntry& entry) {
    return std::tuple(entry.bytes.data(), entry.bytes.size(), std::string_view(entry.name));
  });
  const std::byte* end = data.data();
  for (const TensorEntry& entry : entries) {
    if (entry.bytes.data() != end) {
      throw InputError(fmt::format("{}: {}", place, excerpt(entry.name)),
                       entry.bytes.data() < end ? "shares bytes with another tensor"
                                                : "leaves a gap after the tensor before it",
                       kMend);
    }
    end += entry.bytes.size();
  }
  if (end != data.data() + data.size()) {
    throw InputError(place,
                     fmt::format("has {} bytes that belong to no tensor at its end",
                                 data.data() + data.size() - end),
                     kMend);
  }
}

std::int64_t bytes_of(std::string_view dtype) {
  const auto* found = std::ranges::find(kValueTypes, dtype, &ValueType::name);
  if (found == std::end(kValueTypes))
    throw std::invalid_argument(fmt::format("there is no type of values '{}'", dtype));
  return found->bytes;
}

std::string make_header(std::span<const TensorEntry> entries,
                        const std::map<std::string, std::string>& metadata) {
  auto header = nlohmann::json::object();
  if (!metadata.empty()) header[std::string(kMetadata)] = metadata;
  std::size_t end = 0;
  for (const TensorEntry& entry : entries) {
    const std::size_t begin = end;
    end += entry.bytes.size();
    if (entry.name == kMetadata || header.contains(entry.name) ||
        product(bytes_of(entry.dtype), entry.dims) != entry.bytes.size()) {
      throw std::invalid_argument(fmt::format("tensor '{}' [{}] of {} bytes cannot be written",
                                              entry.name, fmt::join(entry.dims, ", "),
                                              entry.bytes.size()));
    }
    header[entry.name] = {
        {"dtype", entry.dtype}, {"shape", entry.dims}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  constexpr std::size_t kAlignment = 8;  // the length's own bytes keep it
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

std::vector<std::uint16_t> exact_halves(const Tensor& tensor, std::string_view name) {
  std::vector<std::uint16_t> halves;
  for (const float value : tensor.values) {
    halves.push_back(f32_to_f16(value));
    if (f16_to_f32(halves.back()) != value)
      throw std::invalid_argument(fmt::format("tensor '{}' is not exact in FP16", name));
  }
  return halves;
}

}  // namespace

Safetensors::Safetensors(const std::filesystem::path& path)
    : file_(MappedFile(path)), place_(path.string()) {
  read(file_->bytes());
}

Safetensors::Safetensors(std::span<const std::byte> bytes, std::string_view place) : place_(place) {
  read(bytes);
}

void Safetensors::read(std::span<const std::byte> bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < kLengthBytes) {
    throw InputError(place_, "is too short to be a safetensors file", kMend);
  }
  std::memcpy(&length, bytes.data(), kLengthBytes);
  const auto rest = bytes.subspan(kLengthBytes);
  if (length > std::min<std::uint64_t>(rest.size(), kLongestHeader)) {
    throw InputError(place_,
                     fmt::format("claims a header of {} bytes, where it has {} and {} are the most",
                                 length, rest.size(), kLongestHeader),
                     kMend);
  }
  const auto* text = reinterpret_cast<const char*>(rest.data());
  if (length == 0 || *text != '{') {
    throw InputError(place_, "has a header that does not begin with '{'", kMend);
  }
  constexpr int kDepth = 3;  // header, tensor, shape
  const nlohmann::json json = parse_json({text, static_cast<std::size_t>(length)}, place_, kDepth);
  const JsonObject header(json, place_);
  const auto data = rest.subspan(static_cast<std::size_t>(length));
  for (const std::string& name : header.keys()) {
    const JsonObject object = header.object(name);
    if (name == kMetadata) {
      for (const std::string& key : object.keys()) metadata_[key] = object.text(key);
    } else {
      entries_.push_back(read_entry(name, object, data));
    }
  }
  check_cover(entries_, data, place_);
}

Tensor Safetensors::tensor(const TensorEntry& entry) const {
  const std::string place = fmt::format("{}: {}", place_, excerpt(entry.name));
  Tensor tensor{entry.dims, {}};
  if (entry.dtype == "F32") {
    tensor.values.resize(entry.bytes.size() / sizeof(float));
    if (!entry.bytes.empty()) {
      std::memcpy(tensor.values.data(), entry.bytes.data(), entry.bytes.size());
    }
  } else if (entry.dtype == "F16" || entry.dtype == "BF16") {
    const bool f16 = entry.dtype == "F16";
    tensor.values.resize(entry.bytes.size() / sizeof(std::uint16_t));
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, entry.bytes.data() + i * sizeof bits, sizeof bits);
      tensor.values[i] = f16 ? f16_to_f32(bits) : bf16_to_f32(bits);
    }
  } else {
    throw InputError(place, fmt::format("has values of type {}", entry.dtype),
                     "convert them to F32, F16 or BF16");
  }
  const auto odd =
      std::ranges::find_if_not(tensor.values, [](float x) { return std::isfinite(x); });
  if (odd != tensor.values.end()) {
    throw InputError(place,
                     fmt::format("has the value {} at index {}", *odd, odd - tensor.values.begin()),
                     "give finite values");
  }
  return tensor;
}

Parameters Safetensors::tensors() const {
  Parameters all;
  for (const TensorEntry& entry : entries_) all[entry.name] = tensor(entry);
  return all;
}

void write_safetensors(std::span<const TensorEntry> entries,
                       const std::map<std::string, std::string>& metadata,
                       const std::filesystem::path& path) {
  const std::string header = make_header(entries, metadata);
  const std::uint64_t length = header.size();
  std::vector<std::span<const std::byte>> parts{std::as_bytes(std::span(&length, 1)),
                                                std::as_bytes(std::span(header))};
  for (const TensorEntry& entry : entries) parts.push_back(entry.bytes);
  replace_file(path, parts);
}

void write_safetensors(const Parameters& tensors,
                       const std::map<std::string, std::string>& metadata,
                       const std::filesystem::path& path, Storage storage) {
  std::vector<TensorEntry> entries;
  std::vector<std::vector<std::uint16_t>> halves;
  halves.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) {
    if (storage == Storage::f16) {
      halves.push_back(exact_halves(tensor, name));
      entries.push_back({name, "F16", tensor.dims, std::as_bytes(std::span(halves.back()))});
    } else {
      entries.push_back({name, "F32", tensor.dims, std::as_bytes(std::span(tensor.values))});
    }
  }
  write_safetensors(entries, metadata, path);
}

}  // namespace qassay
