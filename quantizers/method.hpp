#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "quantizers/range_choice.hpp"

namespace qassay {

/// How the numbers of a layer are chosen; the scheme says what they are.
///   rtn          min-max grids, every weight to its nearest code (round_to_nearest.hpp)
///   mse          grids clipped by least squared error (clip.hpp)
///   hqq          half-quadratic grids (hqq.hpp)
///   gptq         errors compensated by the weights that follow (gptq.hpp)
///   awq          input channels scaled by what rounds best, then clipped (channel_scaling.hpp)
///   smoothquant  input channels scaled to share outliers with the weights (channel_scaling.hpp)
enum class Algorithm { rtn, mse, hqq, gptq, awq, smoothquant };

/// An algorithm with its options, of which each algorithm has its own. The text form is the name
/// used everywhere:
///
///   rtn | mse | hqq | gptq[-act][-damp<X>] | awq[-duo][-noclip] | smoothquant[-<alpha>]
///
/// each with [+<range>], how the ranges of static activations are chosen (range_choice.hpp), and
/// [@<N>], how many samples of calibration data are looked at. X: above 0, at most 1; alpha: from 0
/// to 1; N: from 8 to 100,000; the defaults are left out. parse and print round-trip.
struct Method {
  Algorithm algorithm = Algorithm::rtn;
  bool act_order = false;    // gptq: columns by falling diagonal of H, with static groups
  double damping = 0.01;     // gptq: share of the mean diagonal of H that is added to it
  bool duo_scaling = false;  // awq: scales from activations and weights, not activations alone
  bool clips = true;         // awq: search for clipped ranges after that for scales
  double migration = 0.5;    // smoothquant: alpha, the share of the outliers that weights take
  RangeChoice ranges{};      // of static activations
  /// Images, or windows of text; 0: 128 for weights, 1,024 for ranges.
  std::int64_t samples = 0;

  bool operator==(const Method&) const = default;
};

/// Throws InputError naming `place` when the text is no method.
Method parse_method(std::string_view text, std::string_view place = "method");
std::string to_string(const Method& method);

/// Whether its weights depend on what calibration data put into the layers.
bool needs_calibration(const Method& method);
/// Samples that its weights, and its ranges of static activations, are found with.
std::int64_t weight_samples(const Method& method);
std::int64_t range_samples(const Method& method);

}  // namespace qassay
