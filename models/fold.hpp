#pragma once

#include "models/model.hpp"

namespace qassay {

/// The same function with every batch norm that follows a layer, and is all that follows it, made
/// part of the layer's weights and bias: what is quantized is what runs. (Jacob et al. 2018,
/// arXiv:1712.05877, section 3.2.)
Model fold_batch_norms(Model model);

}  // namespace qassay
