#include "datasets/tokenizers/split_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include "core/error.hpp"
#include "core/json_object.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace qassay {
namespace {

constexpr std::size_t kLongestPattern = 1 << 14;
constexpr std::uint32_t kMostMatchKibibytes = 512 << 10;

std::string pcre_message(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

/// PCRE2 takes U+180E for white space, which Unicode no longer does; U+200B is as long and of the
/// class that it has now (Cf).
std::string without_u180e(std::string_view text) {
  std::string copy(text);
  for (std::size_t at = 0; (at = copy.find("\u180E", at)) != std::string::npos;) {
    copy.replace(at, 3, "\u200B");
  }
  return copy;
}

std::size_t next_character(std::string_view text, std::size_t at) {
  do {
    ++at;
  } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

/// Finds the matches of one pattern in one text.
class Matcher {
 public:
  Matcher(const pcre2_code* code, std::string_view subject, MatchBudget& budget,
          const std::string& place)
      : code_(code),
        subject_(subject),
        budget_(budget),
        place_(place),
        data_(pcre2_match_data_create(1, nullptr), pcre2_match_data_free),
        context_(pcre2_match_context_create(nullptr), pcre2_match_context_free) {
    if (data_ == nullptr || context_ == nullptr) throw std::bad_alloc();
    pcre2_set_heap_limit(context_.get(), kMostMatchKibibytes);
  }

  /// Where the match that begins at `start` ends; `start` where there is none.
  std::size_t end_of_match(std::size_t start) const {
    constexpr std::uint32_t kFew = 64;
    constexpr std::uint32_t kFactor = 8;
    constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max() / kFactor;
    for (std::uint32_t limit = kFew;; limit = std::min(limit, kMost) * kFactor) {
      if (!budget_.take(limit)) refuse("takes too many steps for this text");
      pcre2_set_match_limit(context_.get(), limit);
      const int found =
          pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(subject_.data()), subject_.size(), start,
                      PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, data_.get(), context_.get());
      if (found == PCRE2_ERROR_MATCHLIMIT) continue;
      if (found == PCRE2_ERROR_NOMATCH) return start;
      if (found < 0) refuse(fmt::format("fails on this text ({})", pcre_message(found)));
      const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data_.get());
      if (bounds[0] != start || bounds[1] <= start) refuse("matches an empty text or part of one");
      return bounds[1];
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view fault) const {
    throw InputError(place_, fault, "use a simpler pattern");
  }

  const pcre2_code* code_;
  std::string_view subject_;
  MatchBudget& budget_;
  const std::string& place_;
  std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> data_;
  std::unique_ptr<pcre2_match_context, void (*)(pcre2_match_context*)> context_;
};

}  // namespace

void SplitPattern::Free::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

SplitPattern::SplitPattern(std::string_view pattern, Gaps gaps, std::string_view place)
    : gaps_(gaps), place_(place) {
  if (pattern.size() > kLongestPattern) {
    throw InputError(place,
                     fmt::format("has {} bytes, more than {}", pattern.size(), kLongestPattern),
                     "use a simpler pattern");
  }
  int error = 0;
  PCRE2_SIZE at = 0;
  code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr));
  if (code_ == nullptr) {
    throw InputError(place,
                     fmt::format("is no regular expression ({}, byte {})", pcre_message(error), at),
                     "write one in Perl's syntax");
  }
  std::uint32_t may_be_empty = 0;
  pcre2_pattern_info(code_.get(), PCRE2_INFO_MATCHEMPTY, &may_be_empty);
  if (may_be_empty != 0) {
    throw InputError(place, "can match an empty text", "write one that takes a character or more");
  }
}

void SplitPattern::split(std::string_view text, MatchBudget& budget,
                         const std::function<void(std::string_view)>& emit) const {
  std::string copy;
  std::string_view subject = text;
  if (text.find("\u180E") != std::string_view::npos) subject = copy = without_u180e(text);
  const Matcher matcher(code_.get(), subject, budget, place_);
  std::size_t gap = 0;  // where the last match ended
  const auto close_gap = [&](std::size_t end) {
    if (gap == end) return;
    if (gaps_ == Gaps::kRefuse) {
      throw InputError(
          place_, fmt::format("leaves out '{}' of the text", excerpt(text.substr(gap, end - gap))),
          "use a pattern that matches every text");
    }
    emit(text.substr(gap, end - gap));
  };
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = matcher.end_of_match(start);
    if (end == start) {
      start = next_character(subject, start);
      continue;
    }
    close_gap(start);
    emit(text.substr(start, end - start));
    start = gap = end;
  }
  close_gap(text.size());
}

}  // namespace qassay
