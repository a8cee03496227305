#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/safetensors.hpp"
#include "tests/fuzz/expect.hpp"

namespace qassay {
namespace {

void check(std::span<const std::byte> bytes) {
  expect_read_or_told([&] {
    const Safetensors file(bytes, "file");
    std::size_t covered = 0;
    for (const TensorEntry& entry : file.entries()) {
      covered += entry.bytes.size();
      expect_read_or_told([&] {
        const Tensor tensor = file.tensor(entry);
        expect(entry.dtype.ends_with("F32") || entry.dtype.ends_with("F16"));
        expect(tensor.values.size() * (entry.dtype == "F32" ? 4 : 2) == entry.bytes.size());
      });
    }
    expect(covered < bytes.size());
  });
}

/// The bytes up to the last brace as the header, with its length put before them: changed headers
/// would hardly ever have the right one.
void check_with_length(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::uint64_t length = text.rfind('}') + 1;  // 0 where there is none
  std::vector<std::byte> file(sizeof length + bytes.size());
  std::memcpy(file.data(), &length, sizeof length);
  std::copy(bytes.begin(), bytes.end(), file.begin() + sizeof length);
  check(file);
}

}  // namespace
}  // namespace qassay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  qassay::check(bytes);
  qassay::check_with_length(bytes);
  return 0;
}
