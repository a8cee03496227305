#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/import/hugging_face_folder.hpp"
#include "models/import/quantized_folder.hpp"
#include "tests/fuzz/expect.hpp"

namespace qassay {
namespace {

/// As kernels take it: all arrays of their sizes, codes of so many bits, values that are numbers.
void check_layer(const QuantMatrix& layer, const Tensor& values) {
  const NumberFormat& weights = layer.scheme.weights;
  const auto size = static_cast<std::size_t>(layer.n * layer.k);
  const auto groups = static_cast<std::size_t>(layer.n * blocks_per_row(weights, layer.k));
  expect(layer.codes.size() == size && layer.scales.size() == groups);
  expect(layer.zero_points.size() == (weights.zero_points ? groups : 0));
  for (const std::uint8_t code : layer.codes) expect(code >> weights.bits == 0);
  for (const std::uint8_t zero : layer.zero_points) expect(zero >> weights.bits == 0);
  expect(values.dims == std::vector{layer.n, layer.k} && values.values.size() == size);
  for (const float value : values.values) expect(std::isfinite(value));
}

/// The header up to the last brace, with its length put before it: changed headers would hardly
/// ever have the right one.
std::vector<std::byte> with_length(std::string_view header_and_data) {
  const std::uint64_t length = header_and_data.rfind('}') + 1;  // 0 where there is none
  std::vector<std::byte> file(sizeof length + header_and_data.size());
  std::memcpy(file.data(), &length, sizeof length);
  if (!header_and_data.empty())
    std::memcpy(file.data() + sizeof length, header_and_data.data(), header_and_data.size());
  return file;
}

void check(std::string_view config_json, std::span<const std::byte> tensors) {
  constexpr std::int64_t kContext = 4;
  expect_read_or_told([&] {
    const HuggingFaceFolder folder("folder", std::string(config_json),
                                   TensorFiles(Safetensors(tensors, "file"), "file"), kContext);
    QuantizedFolder read = read_quantized_folder(folder);
    check_model(read.model, "model");
    expect(!read.layers.empty());
    for (const auto& [name, layer] : read.layers)
      check_layer(layer, read.model.parameters.at(name + ".weight"));
    order_inputs(read.model, read.orders);
    check_model(read.model, "model with ordered inputs");
  });
}

}  // namespace
}  // namespace qassay

/// config.json, a zero byte, and model.safetensors without the length of its header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\0');
  if (end == std::string_view::npos) return 0;
  qassay::check(text.substr(0, end), qassay::with_length(text.substr(end + 1)));
  return 0;
}
