#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix_view.hpp"
#include "core/statistics.hpp"

namespace qassay {

/// A sample without a prediction: its outputs hold a NaN. Never right, and agrees with nothing.
inline constexpr std::uint8_t kNoPrediction = 255;

/// The class of each row of outputs[m, classes]: the index of the largest value, the lowest one of
/// equals, kNoPrediction where the row holds a NaN. Precondition: 1 <= classes <= 255.
std::vector<std::uint8_t> predict(ConstMatrix outputs);

/// How two models fare on the same samples.
struct PredictionPairs {
  PairedCounts outcomes;      // right or wrong
  std::int64_t agreeing = 0;  // the same prediction, right or wrong
};

/// Fraction of the samples whose prediction is the label. Throws std::invalid_argument for no
/// samples, or where the two differ in size.
double top1(std::span<const std::uint8_t> predictions, std::span<const std::uint8_t> labels);

/// Throws std::invalid_argument when the three differ in size or are empty.
PredictionPairs compare_predictions(std::span<const std::uint8_t> baseline,
                                    std::span<const std::uint8_t> candidate,
                                    std::span<const std::uint8_t> labels);

}  // namespace qassay
