#pragma once

#include <span>
#include <vector>

#include "core/matrix_view.hpp"
#include "core/scheme.hpp"
#include "quantizers/input_statistics.hpp"

namespace qassay {

// Scales s[k] for the input channels of layers: the same function with inputs x / s and weights
// W s. Layers that share an input share its scales, for whatever makes the input takes 1 / s.
// All scales are positive and finite. A channel that is always zero, or that no weight looks at, is
// left as it is (scale 1). No scaled weight is beyond a quarter of FP16's range, so that neither a
// weight nor the scale of a block overflows it, unless it was before.

/// SmoothQuant (Xiao et al. 2022, arXiv:2211.10438, equation 4):
///   s_j = max|X_j|^alpha / max|W_j|^(1 - alpha), at least 1e-5
/// with the largest weight of all the layers. `largest_inputs`: max|X_j|, k of them.
std::vector<float> smoothquant_scales(std::span<const float> largest_inputs,
                                      std::span<const ConstMatrix> layers, double alpha);

struct AwqScales {
  std::vector<float> scales;
  double ratio = 0;         // r
  double loss = 0;          // mean squared error of the layers' outputs
  double nearest_loss = 0;  // the same with all scales 1
};

/// The search of AWQ (Lin et al. 2023, arXiv:2306.00978, section 3.2), for r = 0, 0.05, ... 0.95:
///   s_j = max(a_j^r, 1e-4) / sqrt(max s min s),  a_j: the mean of |X_j|
/// and the r whose scales, with weights rounded to nearest, give the outputs of all layers on the
/// sample of rows the least squared error, the smaller r of equals. r = 0 is rounding to nearest.
/// With `duo_scaling` (the form of its later implementations) s_j = a_j^r / (b_j^(1-r) + 1e-4) for
/// the mean b_j of the weights' magnitudes, each relative to the largest of its group; rounding to
/// nearest is tried first there too. Throws InputError as round_to_nearest() does, and when there
/// is no row. Precondition: this build has linear algebra.
AwqScales awq_scales(const InputStatistics& inputs, std::span<const ConstMatrix> layers,
                     const Scheme& scheme, bool duo_scaling = false);

/// The columns of a matrix times their scales, for weights, and divided by them, for inputs.
std::vector<float> scaled_columns(ConstMatrix weights, std::span<const float> scales);
std::vector<float> unscaled_columns(ConstMatrix inputs, std::span<const float> scales);

}  // namespace qassay
