#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/suite/suite.hpp"

namespace qassay {

/// What a user puts in the place of a suite's own words; what is empty or 0 leaves them. The first
/// is one of the suite's models or a folder; the others speak of the language models that are
/// scored.
struct UserChoice {
  std::string model = {};
  std::string original = {};           // the float model that a quantized `model` was made of
  std::string text = {}, tokens = {};  // files, one of them
  std::string bos = {};                // as parse_bos() takes it
  std::int64_t context = 0;  // positions of a window: the rows of the regime that is scored
  std::int64_t stride = 0;
  std::int64_t samples = 0;                 // windows
  std::vector<std::string> kv_caches = {};  // as parse_kv_format() takes them

  bool speaks_of_text() const;
};

/// Keeps the sweep of the chosen model. A folder takes the place of the last model of its kind
/// (images or text) that the suite evaluates; one of quantized weights runs those alone, in its own
/// scheme and with 8-bit activations, beside FP32: its original, or else its weights as floats. The
/// suite's hash changes with the choice. Throws
/// InputError for a model that is none, and where nothing of the suite is as the choice supposes.
void apply(const UserChoice& choice, Suite& suite);

}  // namespace qassay
