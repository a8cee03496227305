#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct pcre2_real_code_8;

namespace qassay {

/// How much matching one text may cause, in steps of PCRE2: linear in its bytes, so that no pattern
/// can hang.
class MatchBudget {
 public:
  explicit MatchBudget(std::size_t bytes) : steps_(kBase + kEachByte * bytes) {}

  /// False where fewer are left.
  bool take(std::uint64_t steps) {
    if (steps > steps_) return false;
    steps_ -= steps;
    return true;
  }

 private:
  static constexpr std::uint64_t kBase = 1 << 24;
  // Those of the models that we know need some 20 steps for a token, and a few for each byte of a
  // long run of spaces.
  static constexpr std::uint64_t kEachByte = 1 << 10;

  std::uint64_t steps_;
};

/// A regular expression that cuts a text: each match is a piece, and so is what lies between two.
class SplitPattern {
 public:
  /// What becomes of the text between two matches.
  enum class Gaps {
    kKeep,
    kRefuse,  // the tokenizer would drop it
  };

  /// `pattern` is Perl's, and so is what its classes mean, over all of Unicode. It is not trusted:
  /// throws InputError naming `place` where it is none, or could match an empty text.
  SplitPattern(std::string_view pattern, Gaps gaps, std::string_view place);

  /// In order, without empty ones. The expression sees the text as if nothing were around it.
  /// Throws InputError where the budget does not suffice or a gap is refused. Precondition: UTF-8.
  void split(std::string_view text, MatchBudget& budget,
             const std::function<void(std::string_view)>& emit) const;

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };

  std::unique_ptr<pcre2_real_code_8, Free> code_;
  Gaps gaps_;
  std::string place_;
};

/// GPT-2's: contractions, words, numbers and others, each with the space before it, and white
/// space.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace qassay
