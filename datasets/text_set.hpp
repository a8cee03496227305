#pragma once

#include <string>

namespace qassay {

/// Running text, valid UTF-8.
struct TextSet {
  std::string name;  // "gcide/test"
  std::string hash;  // SHA-256 of the text
  std::string text;
};

/// What a model learns from, what calibrates it and what it is evaluated on are different types:
/// nothing that trains or calibrates takes a TestText.
struct TrainingText : TextSet {};
struct CalibrationText : TextSet {};
struct TestText : TextSet {};

struct TextSplits {
  TrainingText training;
  CalibrationText calibration;
  TestText test;
};

}  // namespace qassay
