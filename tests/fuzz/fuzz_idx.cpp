#include <zlib.h>

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/idx.hpp"
#include "tests/fuzz/expect.hpp"

namespace qassay {
namespace {

void check(std::span<const std::byte> file) {
  for (const int rank : {1, 3}) {  // labels, images
    expect_read_or_told([&] {
      const IdxArray array = read_idx(file, rank, "file.gz");
      expect(array.dimensions.size() == static_cast<std::size_t>(rank));
      // Sizes that overflow cannot get here, but with a zero among them they may stand.
      if (array.values.empty()) return;
      std::size_t product = 1;
      for (const std::int64_t size : array.dimensions) product *= static_cast<std::size_t>(size);
      expect(array.values.size() == product);
    });
  }
}

/// The bytes as the content of a gzip file: changed gzip files hardly ever have the right check
/// sum.
std::vector<std::byte> gzip(std::span<const std::byte> content) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  expect(deflateInit2(&stream, Z_NO_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::vector<std::byte> file(deflateBound(&stream, content.size()));
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(file.data());
  stream.avail_out = static_cast<uInt>(file.size());
  expect(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  file.resize(stream.total_out);
  deflateEnd(&stream);
  return file;
}

}  // namespace
}  // namespace qassay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  qassay::check(bytes);
  qassay::check(qassay::gzip(bytes));
  return 0;
}
