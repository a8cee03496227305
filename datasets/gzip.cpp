#include "datasets/gzip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>

#include "core/error.hpp"

namespace qassay {
namespace {

constexpr const char* kGzipMend = "install or copy the file again";
constexpr std::size_t kBlock = std::size_t{1} << 30;  // below the limit of zlib's uInt

}  // namespace

GzipReader::GzipReader(std::span<const std::byte> input, std::string_view place)
    : input_(input), place_(place) {
  constexpr int kGzipOnly = 15 + 16;
  if (inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
}

GzipReader::~GzipReader() { inflateEnd(&stream_); }

void GzipReader::read(std::span<std::uint8_t> out) {
  const std::size_t got = inflate_into(out);
  if (got < out.size()) {
    throw InputError(place_, fmt::format("is cut short by {} bytes", out.size() - got), kGzipMend);
  }
}

void GzipReader::expect_end() {
  std::array<std::uint8_t, 1> extra{};
  if (inflate_into(extra) != 0 || stream_.avail_in != 0 || consumed_ != input_.size()) {
    throw InputError(place_, "has bytes after its last value", kGzipMend);
  }
}

std::size_t GzipReader::inflate_into(std::span<std::uint8_t> out) {
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
      throw InputError(place_, "ends inside its compressed data", kGzipMend);
    } else if (status == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (status != Z_OK) {
      throw InputError(place_,
                       fmt::format("is not a sound gzip file ({})",
                                   stream_.msg != nullptr ? stream_.msg : zError(status)),
                       kGzipMend);
    }
  }
  return written;
}

}  // namespace qassay
