#pragma once

#include <cstddef>
#include <vector>

#include "core/grid.hpp"
#include "datasets/calibration.hpp"
#include "models/executor.hpp"
#include "quantizers/range_choice.hpp"

namespace qassay {

/// The grid of every layer's input for static activations (u8, asymmetric, one a tensor), from what
/// the calibration samples put there: by default from the smallest to the largest number (min-max
/// calibration, Krishnamoorthi 2018, arXiv:1806.08342, section 3.1). `floating`: the model in FP32,
/// whose hook is used and removed. `layers`: how many it has. Throws InputError when an input is
/// not finite.
std::vector<Grid> static_input_grids(Executor& floating, std::size_t layers,
                                     const CalibrationSet& samples, const RangeChoice& choice = {});

}  // namespace qassay
