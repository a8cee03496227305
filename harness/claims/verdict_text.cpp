#include "harness/claims/verdict_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/claims/printable.hpp"

namespace qassay {
namespace {

constexpr std::size_t kNarrowest = 60;
constexpr std::size_t kIndent = 2;
constexpr std::size_t kNoteIndent = 6;
constexpr std::string_view kGap = "  ";

bool is_testable(const VerdictRow& row) { return row.verdict != "not_testable"; }

std::string in_words(std::string_view code) {
  std::string words(code);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string number(double value) { return fmt::format("{:.4g}", value); }

std::string range_text(double low, double high) {
  return low == high ? number(low) : fmt::format("{} to {}", number(low), number(high));
}

std::string estimate_text(const VerdictRow& row) {
  if (!is_testable(row)) return "-";
  if (row.low == row.high) return fmt::format("{} {}", number(row.estimate), row.unit);
  return fmt::format("{} {} [{}, {}]", number(row.estimate), row.unit, number(row.low),
                     number(row.high));
}

std::string coverage_text(const VerdictRow& row) {
  return row.cells == 0 ? "-" : fmt::format("{} of {}", row.covered, row.cells);
}

std::size_t bytes_of_width(std::string_view text, std::size_t width) {
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size() && seen < width; ++seen) {
    ++end;
    while (end < text.size() && display_width(text.substr(end, 1)) == 0) ++end;
  }
  return end;
}

std::string shortened(const std::string& text, std::size_t width) {
  if (display_width(text) <= width) return text;
  return text.substr(0, bytes_of_width(text, width - 1)) + "…";
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, display_width(text)), ' ');
}

/// Words over lines no wider than `width`, each after `indent` spaces; a longer word is cut.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  const std::size_t room = width - indent;
  std::string lines, line;
  const auto end_line = [&] {
    lines += std::string(indent, ' ') + line + '\n';
    line.clear();
  };
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!line.empty() && display_width(line) + 1 + display_width(word) > room) end_line();
    while (display_width(word) > room) {
      const std::size_t cut = bytes_of_width(word, room);
      line = word.substr(0, cut);
      word.remove_prefix(cut);
      end_line();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty()) end_line();
  return lines;
}

std::string claimed_text(const VerdictRow& row) {
  std::string text =
      fmt::format("claimed: {} {} ({} is better)", range_text(row.claimed_low, row.claimed_high),
                  row.unit, row.better);
  if (!row.baseline.empty()) text += fmt::format(", against {}", row.baseline);
  return fmt::format("{}; {}", text, row.kind);
}

std::string why_text(const VerdictRow& row) {
  if (row.reason.empty() || row.note.empty()) return row.reason + row.note;
  return fmt::format("{}: {}", row.reason, row.note);
}

constexpr std::size_t kColumns = 6;
using Cells = std::array<std::string, kColumns>;

Cells cells_of(const VerdictRow& row) {
  // The longest of each, with the gaps, make a line of 100.
  constexpr std::size_t kScheme = 16, kBackend = 10, kEstimate = 27, kCoverage = 10;
  const auto or_dash = [](const std::string& text) { return text.empty() ? "-" : text; };
  return {in_words(row.verdict),
          shortened(or_dash(row.scheme), kScheme),
          or_dash(row.regime),
          shortened(or_dash(row.backend), kBackend),
          shortened(estimate_text(row), kEstimate),
          shortened(coverage_text(row), kCoverage)};
}

class TableWriter {
 public:
  TableWriter(const std::vector<VerdictRow>& rows, std::size_t width) : width_(width) {
    for (const VerdictRow& row : rows) {
      if (!is_testable(row)) continue;
      const Cells cells = cells_of(row);
      for (std::size_t i = 0; i < kColumns; ++i) {
        widths_[i] = std::max(widths_[i], display_width(cells[i]));
      }
    }
    widths_[0] = std::max(widths_[0], display_width("not testable"));
  }

  void claim(const VerdictRow& row) {
    text_ += wrapped(fmt::format("{}: {}", row.id, row.statement), 0, width_);
  }

  void claimed(const VerdictRow& row) { text_ += wrapped(claimed_text(row), kIndent, width_); }

  void verdict(const VerdictRow& row) {
    const Cells cells = cells_of(row);
    std::string line(kIndent, ' ');
    for (std::size_t i = 0; i + 1 < kColumns; ++i)
      line += padded(cells[i], widths_[i]).append(kGap);
    text_ += line + cells[kColumns - 1] + '\n';
    text_ += wrapped(why_text(row), kNoteIndent, width_);
  }

  /// Rows that say nothing for one and the same reason, together.
  void silent(const std::vector<const VerdictRow*>& rows) {
    std::vector<std::string> places;
    for (const VerdictRow* row : rows) {
      std::string place = row->scheme;
      for (const std::string& part : {row->regime, row->backend}) {
        if (!part.empty()) place += " " + part;
      }
      places.push_back(std::move(place));
    }
    const std::size_t indent = kIndent + widths_[0] + kGap.size();
    std::string lines = wrapped(fmt::format("{}", fmt::join(places, "; ")), indent, width_);
    const std::string label = in_words(rows.front()->verdict);
    lines.replace(kIndent, label.size(), label);
    text_ += lines + wrapped(why_text(*rows.front()), kNoteIndent, width_);
  }

  void end_claim() { text_ += '\n'; }
  void line(std::string_view text) { text_ += wrapped(text, 0, width_); }
  std::string take() { return std::move(text_); }

 private:
  std::size_t width_;
  std::array<std::size_t, kColumns> widths_{};
  std::string text_;
};

VerdictRow made_printable(VerdictRow row) {
  for (std::string* text :
       {&row.id, &row.verdict, &row.reason, &row.kind, &row.scheme, &row.regime, &row.backend,
        &row.baseline, &row.statement, &row.source, &row.unit, &row.better, &row.note}) {
    *text = printable(*text);
  }
  return row;
}

/// Whether two rows go under one line of what is claimed. A row without evidence may not know the
/// baseline that the evidence would have had.
bool same_range(const VerdictRow& a, const VerdictRow& b) {
  const bool comparable = is_testable(a) && is_testable(b);
  return a.claimed_low == b.claimed_low && a.claimed_high == b.claimed_high && a.kind == b.kind &&
         (a.baseline == b.baseline || !comparable);
}

std::string summary(const std::vector<VerdictRow>& rows) {
  std::map<std::string, int> counts;
  for (const VerdictRow& row : rows) ++counts[row.verdict];
  std::vector<std::string> texts;
  for (const std::string_view verdict :
       {"confirmed", "better_than_claimed", "refuted", "inconclusive", "not_testable"}) {
    if (const auto found = counts.find(std::string(verdict)); found != counts.end()) {
      texts.push_back(fmt::format("{} {}", found->second, in_words(verdict)));
    }
  }
  return fmt::format("{} verdicts: {}", rows.size(), fmt::join(texts, ", "));
}

using RowIterator = std::vector<VerdictRow>::const_iterator;

void write_silent(TableWriter& writer, RowIterator begin, RowIterator end) {
  std::vector<std::vector<const VerdictRow*>> by_why;
  for (auto row = begin; row != end; ++row) {
    if (is_testable(*row)) continue;
    const auto same_why = [&](const auto& group) {
      return group.front()->reason == row->reason && group.front()->note == row->note;
    };
    auto group = std::find_if(by_why.begin(), by_why.end(), same_why);
    if (group == by_why.end()) group = by_why.insert(by_why.end(), {{}});
    group->push_back(&*row);
  }
  for (const auto& group : by_why) writer.silent(group);
}

void write_claim(TableWriter& writer, RowIterator begin, RowIterator end) {
  writer.claim(*begin);
  while (begin != end) {
    const auto next =
        std::find_if(begin, end, [&](const VerdictRow& row) { return !same_range(*begin, row); });
    writer.claimed(*begin);
    for (auto row = begin; row != next; ++row) {
      if (is_testable(*row)) writer.verdict(*row);
    }
    write_silent(writer, begin, next);
    begin = next;
  }
  writer.end_claim();
}

}  // namespace

std::string verdict_table(std::span<const VerdictRow> rows, std::size_t width) {
  std::vector<VerdictRow> clean;
  for (const VerdictRow& row : rows) clean.push_back(made_printable(row));
  TableWriter writer(clean, std::max(width, kNarrowest));
  for (auto begin = clean.cbegin(); begin != clean.cend();) {
    const auto end = std::find_if(begin, clean.cend(),
                                  [&](const VerdictRow& row) { return row.id != begin->id; });
    write_claim(writer, begin, end);
    begin = end;
  }
  writer.line(summary(clean));
  return writer.take();
}

std::string explain(const VerdictRow& raw) {
  const VerdictRow row = made_printable(raw);
  const bool higher = row.better == "higher";
  const std::string_view beyond_bad = higher ? "below" : "above";
  const std::string_view beyond_good = higher ? "above" : "below";
  const std::string bad = number(higher ? row.claimed_low : row.claimed_high);
  const std::string good = number(higher ? row.claimed_high : row.claimed_low);
  const std::string claimed = range_text(row.claimed_low, row.claimed_high);
  if (!is_testable(row)) {
    return fmt::format("nothing here speaks to the claimed {} {} ({})", claimed, row.unit,
                       row.reason);
  }
  const std::string found =
      fmt::format("{} {} against the claimed {}", range_text(row.low, row.high), row.unit, claimed);
  if (row.verdict == "refuted") return fmt::format("{}: all of it {} {}", found, beyond_bad, bad);
  if (row.verdict == "better_than_claimed") {
    return fmt::format("{}: all of it {} {}", found, beyond_good, good);
  }
  if (row.verdict == "confirmed") {
    return fmt::format("{}: no part of it {} {}", found, beyond_bad, bad);
  }
  if (!row.reason.empty()) return fmt::format("{}: decides nothing ({})", found, row.reason);
  return fmt::format("{}: partly {} {}, partly not", found, beyond_bad, bad);
}

std::string verdict_json(std::span<const VerdictRow> rows) {
  auto list = nlohmann::ordered_json::array();
  for (const VerdictRow& row : rows) {
    const auto found = [&](double value) {
      return is_testable(row) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
    };
    list.push_back({{"id", row.id},
                    {"verdict", row.verdict},
                    {"reason", row.reason},
                    {"kind", row.kind},
                    {"scheme", row.scheme},
                    {"regime", row.regime},
                    {"backend", row.backend},
                    {"baseline", row.baseline},
                    {"estimate", found(row.estimate)},
                    {"low", found(row.low)},
                    {"high", found(row.high)},
                    {"claimed_low", row.claimed_low},
                    {"claimed_high", row.claimed_high},
                    {"covered", row.covered},
                    {"cells", row.cells},
                    {"better", row.better},
                    {"unit", row.unit},
                    {"statement", row.statement},
                    {"source", row.source},
                    {"note", row.note}});
  }
  // Bytes that are not UTF-8 become U+FFFD: the list has to stay readable.
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace qassay
