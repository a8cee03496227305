#include "datasets/idx.hpp"

#include <fmt/format.h>

#include <array>

#include "core/error.hpp"
#include "datasets/gzip.hpp"

namespace qassay {
namespace {

constexpr const char* kMend = "install or copy the file again";
constexpr std::uint8_t kUnsignedByte = 8;
/// DEFLATE cannot expand further than this (zlib's technical notes: 1032 to 1), which bounds what a
/// file of a given size can hold.
constexpr std::uint64_t kLargestExpansion = 1032;

std::uint64_t big_endian(std::span<const std::uint8_t, 4> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

void check_header(std::span<const std::uint8_t, 4> header, int rank, std::string_view place) {
  if (header[0] != 0 || header[1] != 0) {
    throw InputError(
        place,
        fmt::format("has the magic bytes {:02x} {:02x} where IDX has 00 00", header[0], header[1]),
        kMend);
  }
  if (header[2] != kUnsignedByte) {
    throw InputError(
        place, fmt::format("has elements of IDX type {}, not unsigned bytes", header[2]), kMend);
  }
  if (header[3] != rank) {
    throw InputError(place, fmt::format("has {} dimensions where {} are wanted", header[3], rank),
                     "check that images and labels are not mixed up");
  }
}

}  // namespace

IdxArray read_idx(std::span<const std::byte> gzip, int rank, std::string_view place) {
  GzipReader reader(gzip, place);
  std::array<std::uint8_t, 4> word{};
  reader.read(word);
  check_header(word, rank, place);

  IdxArray array;
  const std::uint64_t most = gzip.size() * kLargestExpansion;
  std::uint64_t size = 1;
  for (int i = 0; i < rank; ++i) {
    reader.read(word);
    const std::uint64_t dimension = big_endian(word);
    array.dimensions.push_back(static_cast<std::int64_t>(dimension));
    if (dimension != 0 && size > most / dimension) {
      throw InputError(place,
                       fmt::format("claims {} values, more than a file of {} bytes can hold",
                                   fmt::join(array.dimensions, " x "), gzip.size()),
                       kMend);
    }
    size *= dimension;
  }
  array.values.resize(size);
  reader.read(array.values);
  reader.expect_end();
  return array;
}

}  // namespace qassay
