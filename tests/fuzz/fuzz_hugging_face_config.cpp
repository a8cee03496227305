#include <cstdint>
#include <string>
#include <string_view>

#include "models/import/hugging_face.hpp"
#include "models/import/tensor_sources.hpp"
#include "tests/fuzz/expect.hpp"

namespace {

using namespace qassay;

/// Every parameter lies inside a tensor.
void check_sources(const HuggingFaceConfig& config, bool with_prefix) {
  const TensorNaming naming(config.read, [&](const std::string&) { return with_prefix; });
  for (const TensorSource& source : naming.sources(config.graph)) {
    expect(!source.tensor.empty() && source.dims.size() == source.parameter.dims.size());
    const std::size_t rows = source.turned ? 1 : 0;
    expect(source.first_row >= 0 &&
           source.first_row + source.parameter.dims[0] <= source.dims[rows]);
    if (source.dims.size() == 2) expect(source.parameter.dims[1] == source.dims[1 - rows]);
    expect(!naming.is_computed(source.tensor));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::int64_t context : {0, 64}) {
    expect_read_or_told([&] {
      const HuggingFaceConfig config = parse_hugging_face_config(text, "config.json", context);
      for (const Extent& extent : infer_extents(config.graph)) expect(extent.features() > 0);
      if (context > 0) expect(config.graph.input.width <= context);
      check_sources(config, context == 0);
    });
  }
  return 0;
}
