#pragma once

#include <cstdint>
#include <span>

#include "core/matrix_view.hpp"
#include "models/train/outcome.hpp"

namespace qassay {

/// The mean cross-entropy, in nats, of softmax(scores[m, classes]) against the labels, each
/// smoothed: 1 - smoothing on the label and smoothing / classes on every class (Szegedy et al.
/// 2016, arXiv:1512.00567, section 7). Writes its derivative by the scores. Does not depend on the
/// number of threads.
Outcome cross_entropy(ConstMatrix scores, std::span<const std::int32_t> labels, double smoothing,
                      Matrix slope);

}  // namespace qassay
