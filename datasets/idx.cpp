#include "datasets/idx.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>

#include "core/error.hpp"

namespace qassay {
namespace {

constexpr const char* kMend = "install or copy the file again";
constexpr std::uint8_t kUnsignedByte = 8;
/// DEFLATE cannot expand further than this (zlib's technical notes: 1032 to 1), which bounds what a
/// file of a given size can hold.
constexpr std::uint64_t kLargestExpansion = 1032;

/// One gzip member in memory, read front to back.
class GzipReader {
 public:
  GzipReader(std::span<const std::byte> input, std::string_view place)
      : input_(input), place_(place) {
    constexpr int kGzipOnly = 15 + 16;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;
  ~GzipReader() { inflateEnd(&stream_); }

  /// Fills `out`; a file that ends earlier is at fault.
  void read(std::span<std::uint8_t> out) {
    const std::size_t got = inflate_into(out);
    if (got < out.size()) {
      throw InputError(place_, fmt::format("is cut short by {} bytes", out.size() - got), kMend);
    }
  }

  /// Reads the member's trailer with its check sum; anything left, in or after the member, is at
  /// fault.
  void expect_end() {
    std::array<std::uint8_t, 1> extra{};
    if (inflate_into(extra) != 0 || stream_.avail_in != 0 || consumed_ != input_.size()) {
      throw InputError(place_, "has bytes after its last value", kMend);
    }
  }

 private:
  /// Returns the bytes written, fewer than asked for only at the end of the member.
  std::size_t inflate_into(std::span<std::uint8_t> out) {
    std::size_t written = 0;
    while (written < out.size() && !ended_) {
      if (stream_.avail_in == 0) {
        const std::size_t block = std::min(input_.size() - consumed_, kBlock);
        // zlib's interface lacks a const that its implementation honours.
        stream_.next_in =
            const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input_.data() + consumed_));
        stream_.avail_in = static_cast<uInt>(block);
        consumed_ += block;
      }
      const std::size_t room = std::min(out.size() - written, kBlock);
      stream_.next_out = out.data() + written;
      stream_.avail_out = static_cast<uInt>(room);
      const bool starved = stream_.avail_in == 0;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      written += room - stream_.avail_out;
      if (status == Z_STREAM_END) {
        ended_ = true;
      } else if (status == Z_BUF_ERROR && starved) {
        throw InputError(place_, "ends inside its compressed data", kMend);
      } else if (status == Z_MEM_ERROR) {
        throw std::bad_alloc();
      } else if (status != Z_OK) {
        throw InputError(place_,
                         fmt::format("is not a sound gzip file ({})",
                                     stream_.msg != nullptr ? stream_.msg : zError(status)),
                         kMend);
      }
    }
    return written;
  }

  static constexpr std::size_t kBlock = std::size_t{1} << 30;  // below the limit of zlib's uInt

  std::span<const std::byte> input_;
  std::string_view place_;
  std::size_t consumed_ = 0;
  z_stream stream_{};
  bool ended_ = false;
};

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
