#pragma once

#include <cstdint>
#include <string_view>

#include "datasets/classification_set.hpp"

namespace qassay {

/// Training samples that ranges and quantizers are fitted on; never test samples.
struct CalibrationSet : ClassificationSet {};

/// `count` different samples (at most all), drawn by a seed from its name. The hash names the
/// training set, the count and the seed.
CalibrationSet draw_calibration_set(const TrainingSet& training, std::int64_t count,
                                    std::string_view seed_name);

}  // namespace qassay
