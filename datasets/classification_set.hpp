#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/matrix_view.hpp"

namespace qassay {

/// Labelled images as they are stored: a row of `features` bytes each (height * width, row-major).
/// Models see them as floats in [0, 1].
struct ClassificationSet {
  std::string name;  // "fashion-mnist/test"
  std::string hash;  // SHA-256 over the check sums of the files that it was read from
  std::int64_t count = 0;
  std::int64_t height = 0, width = 0;  // of an image
  std::int64_t features = 0;           // height * width
  std::int64_t classes = 0;
  std::vector<std::uint8_t> pixels;  // [count, features]
  std::vector<std::uint8_t> labels;  // [count], each below `classes`
};

/// What may be fitted or calibrated on, and what may only be evaluated on, are different types:
/// nothing that fits takes a TestSet.
struct TrainingSet : ClassificationSet {};
struct TestSet : ClassificationSet {};

/// Writes samples first .. first + out.rows - 1 as pixel / 255 into out[rows, features].
void fill_batch(const ClassificationSet& set, std::int64_t first, Matrix out);

}  // namespace qassay
