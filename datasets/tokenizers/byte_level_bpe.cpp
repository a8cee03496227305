#include "datasets/tokenizers/byte_level_bpe.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "core/hash.hpp"
#include "datasets/tokenizers/nfc.hpp"

namespace qassay {
namespace {

/// One text on its way to ids.
class Encoding {
 public:
  Encoding(const ByteLevelBpeParts& parts, std::size_t bytes) : parts_(parts), budget_(bytes) {}

  std::vector<std::int32_t> encode(std::string_view text) {
    parts_.raw_words.split(
        text, [&](std::string_view segment) { add_raw(segment); },
        [&](std::int32_t id) { ids_.push_back(id); });
    return std::move(ids_);
  }

 private:
  void add_raw(std::string_view segment) {
    const std::string normal = parts_.nfc ? nfc(segment) : std::string();
    parts_.normal_words.split(
        parts_.nfc ? normal : segment, [&](std::string_view text) { add_normal(text); },
        [&](std::int32_t id) { ids_.push_back(id); });
  }

  void add_normal(std::string_view segment) {
    if (parts_.space_first && segment.front() != ' ') return cut(" " + std::string(segment), 0);
    cut(segment, 0);
  }

  void cut(std::string_view piece, std::size_t pattern) {
    if (pattern == parts_.patterns.size()) return add_piece(piece);
    parts_.patterns[pattern].split(piece, budget_,
                                   [&](std::string_view part) { cut(part, pattern + 1); });
  }

  /// Most pieces of a text have occurred before.
  void add_piece(std::string_view piece) {
    const auto known = known_.find(piece);
    if (known == known_.end()) {
      const std::size_t begin = ids_.size();
      parts_.bpe.encode(piece, ids_);
      known_.emplace(piece, Span{begin, ids_.size()});
      return;
    }
    for (std::size_t i = known->second.begin; i < known->second.end; ++i) {
      ids_.push_back(std::int32_t{ids_[i]});
    }
  }

  struct Span {  // of ids_
    std::size_t begin;
    std::size_t end;
  };

  const ByteLevelBpeParts& parts_;
  MatchBudget budget_;
  std::vector<std::int32_t> ids_;
  std::unordered_map<std::string, Span, TextHash, std::equal_to<>> known_;
};

class ByteLevelBpe final : public Tokenizer {
 public:
  ByteLevelBpe(Facts facts, ByteLevelBpeParts parts)
      : Tokenizer(std::move(facts)), parts_(std::move(parts)) {}

 private:
  std::vector<std::int32_t> ids_of(std::string_view utf8) const override {
    return Encoding(parts_, utf8.size()).encode(utf8);
  }

  std::string text_of(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      if (parts_.tokens[id].empty()) {
        throw std::invalid_argument(fmt::format("no token has the id {}", id));
      }
      text += parts_.tokens[id];
    }
    return text;
  }

  ByteLevelBpeParts parts_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_byte_level_bpe(std::string_view definition,
                                               const TokenizerConfig& config,
                                               const Vocabulary& vocabulary,
                                               ByteLevelBpeParts parts) {
  Tokenizer::Facts facts{.name = "byte-level-bpe",
                         .vocabulary = static_cast<std::int32_t>(parts.tokens.size()),
                         .bos = config.bos(vocabulary),
                         .eos = config.eos(vocabulary),
                         .hash = ""};
  facts.hash =
      sha256(fmt::format("{} {} space {} bos {} eos {}", facts.name, definition, parts.space_first,
                         facts.bos.value_or(-1), facts.eos.value_or(-1)));
  return std::make_unique<ByteLevelBpe>(std::move(facts), std::move(parts));
}

}  // namespace qassay
