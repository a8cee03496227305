#include "datasets/scoring.hpp"

#include <cmath>
#include <stdexcept>

namespace qassay {
namespace {

std::uint8_t largest(const float* outputs, std::int64_t classes) {
  std::int64_t best = 0;
  for (std::int64_t i = 0; i < classes; ++i) {
    if (std::isnan(outputs[i])) return kNoPrediction;
    if (outputs[i] > outputs[best]) best = i;
  }
  return static_cast<std::uint8_t>(best);
}

bool right(std::uint8_t prediction, std::uint8_t label) {
  return prediction != kNoPrediction && prediction == label;
}

}  // namespace

std::vector<std::uint8_t> predict(ConstMatrix outputs) {
  std::vector<std::uint8_t> predictions;
  predictions.reserve(static_cast<std::size_t>(outputs.rows));
  for (std::int64_t row = 0; row < outputs.rows; ++row) {
    predictions.push_back(largest(outputs.row(row), outputs.cols));
  }
  return predictions;
}

double top1(std::span<const std::uint8_t> predictions, std::span<const std::uint8_t> labels) {
  const PairedCounts counts = compare_predictions(predictions, predictions, labels).outcomes;
  return static_cast<double>(counts.both_right) / static_cast<double>(counts.total());
}

PredictionPairs compare_predictions(std::span<const std::uint8_t> baseline,
                                    std::span<const std::uint8_t> candidate,
                                    std::span<const std::uint8_t> labels) {
  if (labels.empty() || baseline.size() != labels.size() || candidate.size() != labels.size()) {
    throw std::invalid_argument("predictions and labels must be of one size, and not empty");
  }
  PredictionPairs pairs;
  PairedCounts& counts = pairs.outcomes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool was = right(baseline[i], labels[i]);
    const bool is = right(candidate[i], labels[i]);
    ++(was ? (is ? counts.both_right : counts.lost) : (is ? counts.won : counts.both_wrong));
    pairs.agreeing += baseline[i] == candidate[i] && baseline[i] != kNoPrediction ? 1 : 0;
  }
  return pairs;
}

}  // namespace qassay
