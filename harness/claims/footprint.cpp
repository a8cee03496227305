#include "harness/claims/footprint.hpp"

namespace qassay {
namespace {

constexpr double kBitsPerByte = 8;
constexpr double kZeroPointBits = 8;

double weight_bytes(double parameters, const Scheme& scheme, std::int64_t row) {
  return parameters * bits_per_weight(scheme, row) / kBitsPerByte;
}

}  // namespace

double KvCache::bytes() const {
  constexpr double kKeysAndValues = 2;
  return kKeysAndValues * static_cast<double>(layers) * static_cast<double>(heads) *
         static_cast<double>(head_size) * static_cast<double>(tokens) *
         static_cast<double>(sequences) * bits / kBitsPerByte;
}

double bits_per_weight(const Scheme& scheme, std::int64_t row) {
  const NumberFormat& weights = scheme.weights;
  if (weights.kind != Kind::integer || weights.per == Granularity::tensor) return weights.bits;
  const double scale_bits = weights.scales == DType::f16 ? 16 : 32;
  const double zero_bits = weights.zero_points ? kZeroPointBits : 0;
  return weights.bits + static_cast<double>(blocks_per_row(weights, row)) *
                            (scale_bits + zero_bits) / static_cast<double>(row);
}

double Footprint::parameter_count(const std::string& from_scheme) const {
  if (parameters) return *parameters;
  const double cache = kv_cache ? kv_cache->bytes() : 0;
  return (*total_gb * kBytesPerGb - cache) / weight_bytes(1, parse_scheme(from_scheme), row);
}

double Footprint::total_bytes(const Scheme& scheme, const std::string& from_scheme) const {
  const double cache = kv_cache ? kv_cache->bytes() : 0;
  return weight_bytes(parameter_count(from_scheme), scheme, row) + cache;
}

}  // namespace qassay
