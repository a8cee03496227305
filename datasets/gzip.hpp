#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace qassay {

/// One gzip member in memory, read front to back. The file is not trusted: every fault is an
/// InputError that names `place`. Both arguments have to outlive the reader.
class GzipReader {
 public:
  GzipReader(std::span<const std::byte> input, std::string_view place);
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;
  ~GzipReader();

  /// Fills `out`; a file that ends earlier is at fault.
  void read(std::span<std::uint8_t> out);

  /// Reads the member's trailer with its check sum; anything left, in or after the member, is at
  /// fault.
  void expect_end();

 private:
  /// Returns the bytes written, fewer than asked for only at the end of the member.
  std::size_t inflate_into(std::span<std::uint8_t> out);

  std::span<const std::byte> input_;
  std::string_view place_;
  std::size_t consumed_ = 0;
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace qassay
