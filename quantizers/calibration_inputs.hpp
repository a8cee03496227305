#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/matrix_view.hpp"
#include "models/model.hpp"

namespace qassay {

/// What a model is given while its quantization is fitted: samples of its own data that it is never
/// evaluated on.
struct CalibrationInputs {
  std::vector<float> values;  // [samples, features]; of a text, ids of tokens
  std::int64_t samples = 0, features = 0;
  std::string name{};  // "fashion-mnist/calibration", "gcide/calibration"
  std::string hash{};  // of the data and which of it was drawn

  ConstMatrix matrix() const { return {values.data(), samples, features}; }
};

/// `samples` of the training images of the model's dataset, or windows of `context` tokens of the
/// calibration split of its text, or of the file `text` where that is not empty; drawn by a fixed
/// seed, the first of more where fewer are asked for. `source`: as load_model() takes it, for its
/// tokenizer. Throws InputError where there is no such data, or not as much.
CalibrationInputs calibration_inputs(const Model& model, const std::string& source,
                                     std::int64_t samples, std::int64_t context,
                                     const std::string& text = "");

}  // namespace qassay
