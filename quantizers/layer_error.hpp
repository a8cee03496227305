#pragma once

#include "core/distortion.hpp"
#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"
#include "quantizers/input_metric.hpp"

namespace qassay {

/// How far the quantized weights of a layer are from W[n,k]. The square of relative_error is the
/// t^2 to which the growth of a language model's loss is about linear (HIGGS, arXiv:2411.17525).
Distortion weight_distortion(ConstMatrix weights, const QuantMatrix& quantized);

/// The relative squared error of the layer's output, bias apart, on the rows X that the metric was
/// taken from:
///
///   tr(D H D^T) / tr(W H W^T),   D = quantized - W,   H = X^T X
///
/// -10 log10 of it is the output's SQNR in dB. Products are in float. 0 where both are zero;
/// kMaxRelativeError where only the output itself is, or its error is not finite. Precondition:
/// this build has linear algebra.
double output_error(ConstMatrix weights, const QuantMatrix& quantized, const InputMetric& metric);

}  // namespace qassay
