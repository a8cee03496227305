#include <cstdint>
#include <string_view>

#include "models/model_folder.hpp"
#include "tests/fuzz/expect.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qassay;
  expect_read_or_told([&] {
    const Model model =
        parse_model_config({reinterpret_cast<const char*>(data), size}, "config.json");
    for (const Extent& extent : infer_extents(model.graph)) expect(extent.features() > 0);
    for (const LayerShape& layer : layer_shapes(model.graph)) expect(layer.n > 0 && layer.k > 0);
    for (const ParameterShape& shape : parameter_shapes(model.graph)) {
      for (const std::int64_t dim : shape.dims) expect(dim > 0);
    }
  });
  return 0;
}
