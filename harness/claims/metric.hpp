#pragma once

#include <span>
#include <string_view>

namespace qassay {

inline constexpr double kFp32Bytes = 4;  // of a weight

enum class Better { higher, lower };
std::string_view to_string(Better better);

/// What a claim's figure is made of, and so how its cells are found and combined:
///   timing       the layers of a regime; geometric mean
///   bytes        the packed layers; total bytes over total weights
///   accuracy     evaluations of whole models; mean
///   layer_error  outputs of layers against FP32; geometric mean, as far as layers agree on it
///   cost         what quantizing a whole model took; geometric mean, as far as models agree on it
///   arithmetic   nothing measured: harness/claims/footprint.hpp
enum class Evidence { timing, bytes, accuracy, layer_error, cost, arithmetic };

/// How the groups of an order are set against each other (harness/claims/order.hpp); none for a
/// metric that speaks of one group.
enum class Comparison { none, difference, ratio, tuning };

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
  Comparison comparison = Comparison::none;
  /// Of a comparison: that a group has more than the one before is all that is claimed, so that
  /// the claim gives no range.
  bool growth = false;
};

std::span<const ClaimMetric> claim_metrics();
/// Null where there is none of that name.
const ClaimMetric* find_claim_metric(std::string_view name);

}  // namespace qassay
