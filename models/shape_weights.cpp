// Weights for models that are known by their shape.

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

#include "core/error.hpp"
#include "models/shapes.hpp"
#include "models/synthetic.hpp"

namespace qassay {
namespace {

void check_memory(const ModelShape& shape) {
  constexpr double kGib = 1 << 30;
  double bytes = 0;
  for (const ParameterShape& parameter : parameter_shapes(shape.graph)) {
    double size = sizeof(float);
    for (const std::int64_t dim : parameter.dims) size *= static_cast<double>(dim);
    bytes += size;
  }
  const double memory =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (bytes > memory) {
    throw InputError(shape.name,
                     fmt::format("takes {:.0f} GiB for its weights in FP32, and this machine has "
                                 "{:.0f} GiB of memory",
                                 bytes / kGib, memory / kGib),
                     "choose a smaller model, or layers of it by their shapes");
  }
}

/// Sines, then cosines, of wavelengths from 2 pi to 10,000 times that (Radford et al. 2022,
/// arXiv:2212.04356, after Vaswani et al. 2017).
void fill_sines(Tensor& table) {
  const std::int64_t half = table.dims[1] / 2;
  const double step = std::log(10000.0) / static_cast<double>(half - 1);
  for (std::int64_t position = 0; position < table.dims[0]; ++position) {
    float* const row = table.values.data() + position * table.dims[1];
    for (std::int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(position) * std::exp(-step * static_cast<double>(i));
      row[i] = static_cast<float>(std::sin(angle));
      row[half + i] = static_cast<float>(std::cos(angle));
    }
  }
}

}  // namespace

Model shape_model(std::string_view name, std::int64_t context, std::uint64_t seed) {
  ModelShape shape = shape_info(name, context);
  check_memory(shape);
  Model model{.name = shape.name, .dataset = "", .graph = std::move(shape.graph), .parameters = {}};
  const bool sound = !takes_text(model.graph);
  for (const ParameterShape& parameter : parameter_shapes(model.graph)) {
    Tensor& tensor = model.parameters[parameter.name];
    tensor.dims = parameter.dims;
    if (shape.tied && parameter.name == "lm_head.weight") {
      tensor = model.parameters.at("embed_tokens.weight");
    } else if (parameter.dims.size() == 2) {
      tensor.values.resize(static_cast<std::size_t>(parameter.dims[0] * parameter.dims[1]));
      if (sound && parameter.name == "embed_positions.weight") {
        fill_sines(tensor);
      } else {
        fill_synthetic(tensor.values, fmt::format("{}/{}/{}", name, seed, parameter.name),
                       static_cast<float>(1 / std::sqrt(static_cast<double>(parameter.dims[1]))));
      }
    } else {
      const float value = parameter.name.ends_with(".weight") ? 1.0F : 0.0F;
      tensor.values.assign(static_cast<std::size_t>(parameter.dims[0]), value);
    }
  }
  return model;
}

}  // namespace qassay
