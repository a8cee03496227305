#include "quantizers/channel_scaling.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/error.hpp"
#include "core/extremes.hpp"
#include "core/half.hpp"
#include "quantizers/input_metric.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "quantizers/row_loop.hpp"
#include "quantizers/weight_grid.hpp"

namespace qassay {
namespace {

constexpr double kLeastSmoothing = 1e-5;
constexpr double kLeastAwqScale = 1e-4;
constexpr double kLargestScaledWeight = kF16Max / 4;
constexpr int kRatios = 20;  // the last is 19/20: r = 1 is never tried

std::vector<float> largest_weights(std::span<const ConstMatrix> layers) {
  std::vector<float> largest(static_cast<std::size_t>(layers.front().cols));
  for (const ConstMatrix& layer : layers) {
    for (std::int64_t row = 0; row < layer.rows; ++row) {
      check_finite(layer.row(row), layer.cols, row);
      for (std::size_t j = 0; j < largest.size(); ++j) {
        largest[j] = std::max(largest[j], std::fabs(layer.row(row)[j]));
      }
    }
  }
  return largest;
}

/// Keeps scaled weights inside FP16, with room for what comes.
float limited(double scale, float largest_weight) {
  const double limit = std::max(kLargestScaledWeight / largest_weight, 1.0);
  return static_cast<float>(std::min(scale, limit));
}

/// For each input the mean over all rows of |w| relative to the largest of its group.
std::vector<double> relative_magnitudes(std::span<const ConstMatrix> layers,
                                        const NumberFormat& format) {
  const std::int64_t k = layers.front().cols;
  const std::int64_t block = block_size(format, k);
  std::vector<double> means(static_cast<std::size_t>(k));
  std::int64_t rows = 0;
  for (const ConstMatrix& layer : layers) {
    rows += layer.rows;
    for (std::int64_t row = 0; row < layer.rows; ++row) {
      for (std::int64_t begin = 0; begin < k; begin += block) {
        const std::int64_t end = std::min(begin + block, k);
        const float largest = largest_magnitude(layer.row(row) + begin, end - begin);
        for (std::int64_t j = begin; j < end && largest > 0; ++j) {
          means[static_cast<std::size_t>(j)] += double{std::fabs(layer.row(row)[j])} / largest;
        }
      }
    }
  }
  for (double& mean : means) mean /= static_cast<double>(rows);
  return means;
}

/// What the search of AWQ looks at, found once.
class AwqSearch {
 public:
  AwqSearch(const InputStatistics& inputs, std::span<const ConstMatrix> layers,
            const Scheme& scheme, bool duo_scaling)
      : inputs_(inputs.mean_magnitudes()),
        largest_(largest_weights(layers)),
        sample_rows_(static_cast<double>(inputs.sample().rows)),
        metric_(inputs.sample()),
        layers_(layers),
        scheme_(scheme) {
    if (duo_scaling) weights_ = relative_magnitudes(layers, scheme.weights);
  }

  std::vector<float> scales(double ratio) const {
    std::vector<double> exact(inputs_.size());
    double least = INFINITY, most = 0;
    for (std::size_t j = 0; j < exact.size(); ++j) {
      if (is_silent(j)) continue;
      exact[j] =
          std::max(std::pow(double{inputs_[j]}, ratio) / weight_share(j, ratio), kLeastAwqScale);
      least = std::min(least, exact[j]);
      most = std::max(most, exact[j]);
    }
    const double middle = std::sqrt(least * most);
    std::vector<float> scales(exact.size(), 1.0F);
    for (std::size_t j = 0; j < exact.size(); ++j) {
      if (!is_silent(j)) scales[j] = limited(exact[j] / middle, largest_[j]);
    }
    return scales;
  }

  /// The mean squared error of the outputs with weights rounded to nearest in these scales.
  double loss(std::span<const float> scales) const {
    double sum = 0, count = 0;
    for (const ConstMatrix& layer : layers_) {
      sum += squared_error(layer, scales);
      count += static_cast<double>(layer.rows) * sample_rows_;
    }
    return sum / count;
  }

 private:
  bool is_silent(std::size_t j) const { return inputs_[j] == 0 || largest_[j] == 0; }

  double weight_share(std::size_t j, double ratio) const {
    return weights_.empty() ? 1 : std::pow(weights_[j], 1 - ratio) + kLeastAwqScale;
  }

  double squared_error(ConstMatrix layer, std::span<const float> scales) const {
    const std::vector<float> scaled = scaled_columns(layer, scales);
    std::vector<float> difference =
        dequantize(round_to_nearest({scaled.data(), layer.rows, layer.cols}, scheme_));
    for_each_row(layer.rows, [&](std::int64_t row) {
      float* values = difference.data() + row * layer.cols;
      for (std::int64_t j = 0; j < layer.cols; ++j) {
        values[j] = values[j] / scales[static_cast<std::size_t>(j)] - layer.row(row)[j];
      }
    });
    double sum = 0;
    for (const double energy : metric_.row_energies({difference.data(), layer.rows, layer.cols})) {
      sum += energy;
    }
    return sum;
  }

  std::vector<float> inputs_;    // means of magnitudes
  std::vector<double> weights_;  // of duo scaling, else empty
  std::vector<float> largest_;
  double sample_rows_;
  InputMetric metric_;
  std::span<const ConstMatrix> layers_;
  const Scheme& scheme_;
};

}  // namespace

std::vector<float> smoothquant_scales(std::span<const float> largest_inputs,
                                      std::span<const ConstMatrix> layers, double alpha) {
  const std::vector<float> largest = largest_weights(layers);
  std::vector<float> scales(largest.size(), 1.0F);
  for (std::size_t j = 0; j < scales.size(); ++j) {
    if (largest_inputs[j] == 0 || largest[j] == 0) continue;
    const double exact = std::pow(double{largest_inputs[j]}, alpha) /
                         std::pow(std::max(double{largest[j]}, kLeastSmoothing), 1 - alpha);
    scales[j] = limited(std::max(exact, kLeastSmoothing), largest[j]);
  }
  return scales;
}

AwqScales awq_scales(const InputStatistics& inputs, std::span<const ConstMatrix> layers,
                     const Scheme& scheme, bool duo_scaling) {
  if (inputs.rows() == 0) {
    throw InputError("calibration", "no rows for AWQ", "give at least one calibration sample");
  }
  const AwqSearch search(inputs, layers, scheme, duo_scaling);
  AwqScales best;
  best.scales.assign(static_cast<std::size_t>(inputs.inputs()), 1.0F);
  best.loss = best.nearest_loss = search.loss(best.scales);
  // In the paper's form r = 0 is all ones, which was just tried.
  for (int step = duo_scaling ? 0 : 1; step < kRatios; ++step) {
    const double ratio = static_cast<double>(step) / kRatios;
    std::vector<float> scales = search.scales(ratio);
    const double loss = search.loss(scales);
    if (!(loss < best.loss)) continue;
    best.scales = std::move(scales);
    best.ratio = ratio;
    best.loss = loss;
  }
  return best;
}

std::vector<float> scaled_columns(ConstMatrix weights, std::span<const float> scales) {
  std::vector<float> out(static_cast<std::size_t>(weights.rows * weights.cols));
  for_each_row(weights.rows, [&](std::int64_t row) {
    float* values = out.data() + row * weights.cols;
    for (std::int64_t j = 0; j < weights.cols; ++j) {
      values[j] = weights.row(row)[j] * scales[static_cast<std::size_t>(j)];
    }
  });
  return out;
}

std::vector<float> unscaled_columns(ConstMatrix inputs, std::span<const float> scales) {
  std::vector<float> out(static_cast<std::size_t>(inputs.rows * inputs.cols));
  for_each_row(inputs.rows, [&](std::int64_t row) {
    float* values = out.data() + row * inputs.cols;
    for (std::int64_t j = 0; j < inputs.cols; ++j) {
      values[j] = inputs.row(row)[j] / scales[static_cast<std::size_t>(j)];
    }
  });
  return out;
}

}  // namespace qassay
