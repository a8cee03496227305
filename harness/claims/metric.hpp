#pragma once

#include <span>
#include <string_view>

namespace qassay {

inline constexpr double kFp32Bytes = 4;  // of a weight

enum class Better { higher, lower };
std::string_view to_string(Better better);

/// What a claim's figure is made of, and so how its cells are found and combined:
///   timing      the layers of a regime; geometric mean
///   bytes       the packed layers; total bytes over total weights
///   accuracy    evaluations of whole models; mean
///   arithmetic  nothing measured: harness/claims/footprint.hpp
enum class Evidence { timing, bytes, accuracy, arithmetic };

/// A figure that a claim may speak of.
struct ClaimMetric {
  std::string_view name;
  std::string_view unit;
  Better better;
  Evidence evidence;
  std::string_view record;  // metric of the records it is made of; empty for arithmetic
  /// The figure from the raw number: the record's value, for `bytes` the packed bytes a weight.
  /// Monotone, so that it maps an interval end by end.
  double (*figure)(double raw);
  std::string_view against;  // baseline where the metric fixes it; else the claim or record says
};

std::span<const ClaimMetric> claim_metrics();
/// Null where there is none of that name.
const ClaimMetric* find_claim_metric(std::string_view name);

}  // namespace qassay
