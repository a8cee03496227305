#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "datasets/text_protocol.hpp"

namespace qassay {

/// Which text a language model is evaluated on, and how: what a suite or a user may say. The
/// context is that of the calls.
struct TextChoice {
  std::string text;    // a dictionary known by name, or a file of UTF-8; empty: the model's own
  std::string tokens;  // a file of token ids, in place of a text
  std::int64_t stride = 0;  // new tokens from window to window; 0: the context, without overlap
  Bos bos = Bos::none;

  bool operator==(const TextChoice&) const = default;
};

/// A language model as far as its tokens go.
struct TextModel {
  std::string source;           // as load_model() takes it (models/catalogue.hpp)
  std::string dataset;          // its own; may be empty
  std::int64_t vocabulary = 0;  // of its embedding
};

/// A text in the tokens of a model, cut into windows.
struct EvaluationText {
  TextProtocol protocol;
  std::vector<std::int32_t> tokens;
  std::vector<TextWindow> windows;
  std::int32_t bos = 0;  // what stands before the windows that say so
  /// By window, of the text that its scored tokens stand for. Empty where only tokens are known.
  std::vector<std::int64_t> bytes;

  /// The ids that a window gives to the model.
  std::vector<std::int32_t> ids(const TextWindow& window) const;
};

/// Why there is no text, without reading it, or nothing.
std::optional<Refusal> evaluation_text_missing(const TextModel& model, const TextChoice& choice);

/// The first `most` windows of `context` positions (0: all). The tokenizer is the model's: bytes
/// for a vocabulary of 256 without tokenizer files, else that of its folder. Throws InputError for
/// files that cannot be read or are damaged, a text shorter than a window, a model without a
/// tokenizer, one without the begin-of-text token that is asked for, and ids beyond the model's
/// vocabulary.
EvaluationText evaluation_text(const TextModel& model, const TextChoice& choice,
                               std::int64_t context, std::int64_t most);

/// What a language model is calibrated on.
struct CalibrationWindows {
  std::vector<std::int32_t> tokens;  // window after window
  std::string name;                  // "gcide/calibration"
  std::string hash;                  // of the tokens
};

/// `count` windows of `context` tokens without overlap, drawn by a seed of that name from the file
/// `text`, or, where that is empty, from the calibration split of the model's own text; the first
/// of more where fewer are asked for. Throws InputError as evaluation_text() does, where the text
/// has no such split, and where it has not as many windows.
CalibrationWindows calibration_windows(const TextModel& model, const std::string& text,
                                       std::int64_t context, std::int64_t count,
                                       std::string_view seed_name);

}  // namespace qassay
