#include "harness/claims/footprint.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/claims/metric.hpp"
#include "models/shapes.hpp"

namespace qassay {
namespace {

constexpr double kBitsPerByte = 8;
constexpr double kFp16Bytes = 2;

double layers_bytes(const ModelShape& shape, const Scheme& scheme) {
  double bytes = 0;
  std::int64_t width = 0;  // of the model: as long are most rows, and none of a block is shorter
  for (const LayerShape& layer : layer_shapes(shape.graph)) {
    if (shape.tied && layer.name == "lm_head") continue;  // counted as the table of tokens
    const double weights = static_cast<double>(layer.n) * static_cast<double>(layer.k);
    bytes += weights * bits_per_number(scheme.weights, layer.k) / kBitsPerByte;
    width = width == 0 ? layer.n : std::min(width, layer.n);
  }
  const auto outside = static_cast<double>(shape.outside_graph.layers);
  return bytes + outside * bits_per_number(scheme.weights, width) / kBitsPerByte;
}

double weight_bytes(double parameters, const Scheme& scheme, std::int64_t row) {
  return parameters * bits_per_number(scheme.weights, row) / kBitsPerByte;
}

}  // namespace

double KvCache::bytes() const {
  constexpr double kKeysAndValues = 2;
  return kKeysAndValues * static_cast<double>(layers) * static_cast<double>(heads) *
         static_cast<double>(head_size) * static_cast<double>(tokens) *
         static_cast<double>(sequences) * bits / kBitsPerByte;
}

double Footprint::parameter_count(const std::string& from_scheme) const {
  if (shape) return static_cast<double>(shape_info(*shape).parameters.total());
  if (parameters) return *parameters;
  const double cache = kv_cache ? kv_cache->bytes() : 0;
  return (*total_gb * kBytesPerGb - cache) / weight_bytes(1, parse_scheme(from_scheme), row);
}

double Footprint::total_bytes(const Scheme& scheme, const std::string& from_scheme) const {
  if (shape) {
    const ModelShape model = shape_info(*shape);
    const std::int64_t layers = model.parameters.layers + model.parameters.head;
    const auto others = static_cast<double>(model.parameters.total() - layers);
    const double each = scheme == parse_scheme("FP32") ? kFp32Bytes : kFp16Bytes;
    return layers_bytes(model, scheme) + others * each;
  }
  const double cache = kv_cache ? kv_cache->bytes() : 0;
  return weight_bytes(parameter_count(from_scheme), scheme, row) + cache;
}

std::string Footprint::explain(const Scheme& scheme, const std::string& from_scheme) const {
  std::string text = fmt::format("{:.4g} billion parameters", parameter_count(from_scheme) / 1e9);
  if (shape) {
    return text + fmt::format(", those of {}: its linear layers in {}{}, all else in {}", *shape,
                              to_string(scheme),
                              scheme.weights.kind == Kind::integer ? " with their scales" : "",
                              scheme == parse_scheme("FP32") ? "FP32" : "FP16");
  }
  text += fmt::format(" at {:.6g} bits", bits_per_number(scheme.weights, row));
  if (scheme.weights.kind == Kind::integer)
    text += fmt::format(", scales included (rows of {})", row);
  if (!from_scheme.empty())
    text += fmt::format(", if the {:.4g} GB were {}", *total_gb, from_scheme);
  if (kv_cache) {
    text += fmt::format("; {:.3g} GB of it KV cache, which stays as it is",
                        kv_cache->bytes() / kBytesPerGb);
  }
  return text;
}

}  // namespace qassay
