#include "models/evaluation_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <utility>

#include "core/seed.hpp"
#include "datasets/dictionary.hpp"
#include "datasets/text_file.hpp"
#include "datasets/tokenizers/tokenizer.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kBytes = 256;

std::unique_ptr<Tokenizer> tokenizer_of(const TextModel& model) {
  const std::filesystem::path folder(model.source);
  const bool is_folder = std::filesystem::is_directory(folder);
  if (is_folder && (has_tokenizer(folder) || model.vocabulary != kBytes))
    return load_tokenizer(folder);
  if (model.vocabulary == kBytes) return byte_tokenizer();
  throw InputError(model.source, "has no tokenizer",
                   "give the text as a file of token ids, or a model folder with a tokenizer");
}

/// A text has a name, which is not its path: figures on the same tokens compare on any machine.
std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

void check_id(std::int32_t largest, const TextModel& model, const std::string& place) {
  if (largest < model.vocabulary) return;
  throw InputError(
      place,
      fmt::format("gives token {}, and the model's embedding has {}", largest, model.vocabulary),
      "use the tokenizer that the model was made with");
}

class Reading {
 public:
  Reading(const TextModel& model, const TextChoice& choice, std::int64_t context)
      : model_(model), choice_(choice) {
    const bool wants_bos = choice.bos != Bos::none;
    if (choice.tokens.empty() || wants_bos) tokenizer_ = tokenizer_of(model);
    read();
    TextProtocol& protocol = text_.protocol;
    protocol.context = context;
    protocol.stride = choice.stride > 0 ? choice.stride : context;
    protocol.bos = choice.bos;
    if (!wants_bos) return;
    if (!tokenizer_->bos()) {
      throw InputError(model.source, "has no begin-of-text token", "evaluate it with bos none");
    }
    text_.bos = *tokenizer_->bos();
  }

  EvaluationText cut(std::int64_t most) {
    text_.windows = windows(static_cast<std::int64_t>(text_.tokens.size()), text_.protocol);
    if (most > 0 && most < static_cast<std::int64_t>(text_.windows.size()))
      text_.windows.resize(static_cast<std::size_t>(most));
    const TextWindow& last = text_.windows.back();
    text_.tokens.resize(static_cast<std::size_t>(last.begin + last.length));
    check_ids();
    text_.protocol.tokens_hash = hash_tokens(text_.tokens);
    if (choice_.tokens.empty()) {
      for (const TextWindow& window : text_.windows) text_.bytes.push_back(scored_bytes(window));
    }
    return std::move(text_);
  }

 private:
  void read() {
    TextProtocol& protocol = text_.protocol;
    protocol.join = Join::none;
    if (!choice_.tokens.empty()) {
      protocol.text = file_name(choice_.tokens);
      text_.tokens = read_token_file(choice_.tokens);
      return;
    }
    const std::string& name = choice_.text.empty() ? model_.dataset : choice_.text;
    TextSet set;
    if (is_dictionary(name)) {
      set = find_dictionary(name).test;
      protocol.text = set.name;
      protocol.join = Join::newline;
    } else {
      set = read_text_file(name);
      protocol.text = file_name(name);
    }
    text_.tokens = tokenizer_->encode(set.text);
  }

  void check_ids() const {
    const auto largest = std::ranges::max_element(text_.tokens);
    check_id(std::max(*largest, text_.bos), model_,
             choice_.tokens.empty() ? model_.source : choice_.tokens);
  }

  /// With the token before them, which may share a blank or a character with them.
  std::int64_t scored_bytes(const TextWindow& window) const {
    const std::span<const std::int32_t> all(text_.tokens);
    const auto first = static_cast<std::size_t>(window.begin + window.scored_from);
    const auto end = static_cast<std::size_t>(window.begin + window.length);
    const std::size_t before = first == 0 ? 0 : first - 1;
    const auto length = [&](std::size_t from, std::size_t to) {
      return static_cast<std::int64_t>(
          from == to ? 0 : tokenizer_->decode(all.subspan(from, to - from)).size());
    };
    return length(before, end) - length(before, first);
  }

  const TextModel& model_;
  const TextChoice& choice_;
  std::unique_ptr<Tokenizer> tokenizer_;
  EvaluationText text_;
};

}  // namespace

std::vector<std::int32_t> EvaluationText::ids(const TextWindow& window) const {
  std::vector<std::int32_t> ids;
  if (window.bos) ids.push_back(bos);
  const auto begin = tokens.begin() + window.begin;
  ids.insert(ids.end(), begin, begin + window.length);
  return ids;
}

std::optional<Refusal> evaluation_text_missing(const TextModel& model, const TextChoice& choice) {
  if (!choice.tokens.empty()) return std::nullopt;
  const std::string& name = choice.text.empty() ? model.dataset : choice.text;
  if (name.empty()) return Refusal{"it names no text to be evaluated on"};
  return is_dictionary(name) ? dictionary_missing(name) : std::nullopt;
}

EvaluationText evaluation_text(const TextModel& model, const TextChoice& choice,
                               std::int64_t context, std::int64_t most) {
  return Reading(model, choice, context).cut(most);
}

CalibrationWindows calibration_windows(const TextModel& model, const std::string& file,
                                       std::int64_t context, std::int64_t count,
                                       std::string_view seed_name) {
  if (file.empty() && !is_dictionary(model.dataset)) {
    throw InputError(model.source, "names no text that has a part to calibrate with",
                     "choose a method that needs none, rtn, mse or hqq, or give a text");
  }
  const TextSet text =
      file.empty() ? TextSet(find_dictionary(model.dataset).calibration) : read_text_file(file);
  const std::vector<std::int32_t> all = tokenizer_of(model)->encode(text.text);
  const auto there = static_cast<std::int64_t>(all.size()) / context;
  if (there < count) {
    throw InputError(
        text.name,
        fmt::format("has {} windows of {} tokens, and {} are to calibrate", there, context, count),
        "calibrate with fewer");
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(there));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Random random(seed_from_name(seed_name));
  random.shuffle(order);
  CalibrationWindows windows;
  windows.name = text.name;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto begin = all.begin() + order[static_cast<std::size_t>(i)] * context;
    windows.tokens.insert(windows.tokens.end(), begin, begin + context);
  }
  check_id(*std::ranges::max_element(windows.tokens), model, model.source);
  windows.hash = hash_tokens(windows.tokens);
  return windows;
}

}  // namespace qassay
