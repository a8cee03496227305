#include "reports/claim_evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reports/figure.hpp"
#include "reports/html.hpp"
#include "reports/interval_bar.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

std::string claimed_words(const VerdictRow& row) {
  return range_text(row.claimed_low, row.claimed_high, row.unit);
}

/// The row's fields for programs, each as it came.
std::string data_attributes(const VerdictRow& row) {
  return fmt::format(
      "data-id=\"{}\" data-verdict=\"{}\" data-reason=\"{}\" data-kind=\"{}\" data-scheme=\"{}\" "
      "data-regime=\"{}\" data-backend=\"{}\" data-baseline=\"{}\" data-estimate=\"{}\" "
      "data-low=\"{}\" data-high=\"{}\" data-claimed-low=\"{}\" data-claimed-high=\"{}\" "
      "data-covered=\"{}\" data-cells=\"{}\"",
      html(row.id), html(row.verdict), html(row.reason), html(row.kind), html(row.scheme),
      html(row.regime), html(row.backend), html(row.baseline), row.estimate, row.low, row.high,
      row.claimed_low, row.claimed_high, row.covered, row.cells);
}

std::string where(const VerdictRow& row, bool name_baseline) {
  std::string head = row.scheme;
  if (!head.empty() && !row.backend.empty()) head += " · ";
  head += row.backend;
  std::string words = fmt::format("<strong>{}</strong>", html(head.empty() ? "as a whole" : head));
  if (!row.regime.empty()) {
    words += fmt::format("<span class=\"aside\">{}</span>", html(row.regime));
  }
  if (name_baseline && !row.baseline.empty()) {
    words +=
        fmt::format("<span class=\"aside\">against {}</span>", html(baseline_words(row.baseline)));
  }
  return words;
}

std::string why(const VerdictRow& row, bool quick) {
  std::string words = fmt::format("<span>{}</span>", html(verdict_words(row, quick)));
  if (!row.note.empty()) words += fmt::format(" <span class=\"note\">{}</span>", html(row.note));
  return words;
}

/// `title` stands before the cell where the row is shown as a card.
std::string cell(std::string_view title, std::string_view content, std::string_view style = {}) {
  return fmt::format("<td role=\"cell\" data-title=\"{}\"{}>{}</td>", title,
                     style.empty() ? "" : fmt::format(" class=\"{}\"", style), content);
}

std::string verdict_row(const VerdictRow& row, const BarAxis& axis, bool quick,
                        bool name_baseline) {
  const std::string_view look = row.kind == "measured" ? "measured" : "computed";
  const std::string figure =
      fmt::format("<span class=\"estimate\">{}</span><span class=\"aside\">claimed {}</span>",
                  html(estimate_words(row)), html(claimed_words(row)));
  const std::string inside = row.cells > 0 ? fmt::format("{} of {}", row.covered, row.cells) : "–";
  const std::string evidence = has_figure(row) ? fmt::format("<span class=\"kind {}\">{}</span>",
                                                             look, html(evidence_words(row.kind)))
                                               : "–";
  return fmt::format("<tr role=\"row\" class=\"verdict {}\" {}>", look, data_attributes(row)) +
         cell("Verdict", verdict_badge(row.verdict)) + cell("Where", where(row, name_baseline)) +
         cell("Figure", figure) + cell("", interval_bar(row, axis), "picture") +
         cell("Inside", inside) + cell("Evidence", evidence) + cell("Why", why(row, quick)) +
         "</tr>\n";
}

/// A row that has nothing to show: where, and why not.
std::string silent_row(const VerdictRow& row, bool quick, bool name_baseline) {
  return fmt::format("<tr role=\"row\" class=\"verdict silent\" {}>", data_attributes(row)) +
         cell("Where", where(row, name_baseline)) + cell("Why", why(row, quick)) + "</tr>\n";
}

std::string verdict_table(std::string_view style, std::string_view caption,
                          std::initializer_list<std::string_view> titles, std::string_view rows) {
  std::string head;
  for (const std::string_view title : titles) {
    head += fmt::format("<th role=\"columnheader\" scope=\"col\">{}</th>", title);
  }
  return fmt::format(
      "<table class=\"verdicts {}\" role=\"table\"><caption class=\"hidden\">{}</caption>"
      "<thead role=\"rowgroup\"><tr role=\"row\">{}</tr></thead>\n"
      "<tbody role=\"rowgroup\">{}</tbody></table>\n",
      style, html(caption), head, rows);
}

/// What holds for all rows of a claim.
std::string claim_meta(const VerdictRow& first, bool one_baseline) {
  std::string meta =
      fmt::format("<code>{}</code> · claimed: {}", html(first.id), html(claimed_words(first)));
  if (one_baseline && !first.baseline.empty()) {
    meta += fmt::format(" · against {}", html(baseline_words(first.baseline)));
  }
  if (!first.better.empty()) meta += fmt::format(" · {} is better", html(first.better));
  if (!first.source.empty()) meta += fmt::format(" · source: {}", html(first.source));
  return meta;
}

}  // namespace

std::string verdict_badge(std::string_view verdict) {
  const VerdictLook look = look_of(verdict);
  return fmt::format(
      "<span class=\"badge {}\"><span class=\"sign\" aria-hidden=\"true\">{}</span>{}</span>",
      html(look.name), look.sign, html(look.words));
}

std::string estimate_words(const VerdictRow& row) {
  if (!has_figure(row)) return "no figure";
  std::string figure = figure_text({row.estimate, row.low, row.high}, row.unit);
  if (row.kind == "measured") return figure;
  return fmt::format("{} {}", row.kind == "derived" ? "computed" : "predicted", figure);
}

std::string silence_words(const std::vector<const VerdictRow*>& rows) {
  std::vector<std::pair<std::string, int>> reasons;
  for (const VerdictRow* row : rows) {
    std::string words =
        row->reason.empty() ? "no evidence can be had here" : reason_words(row->reason);
    if (words.ends_with('.')) words.pop_back();
    const auto found = std::find_if(reasons.begin(), reasons.end(),
                                    [&](const auto& reason) { return reason.first == words; });
    if (found == reasons.end()) {
      reasons.emplace_back(words, 1);
    } else {
      ++found->second;
    }
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (reasons.size() == 1) return reasons[0].first + ".";
  std::string all;
  for (const auto& [words, count] : reasons) {
    if (!all.empty()) all += "; ";
    all += fmt::format("{} ({})", words, count);
  }
  return all + ".";
}

std::string claim_evidence(const ClaimRows& claim, std::size_t number, bool quick) {
  const VerdictRow& first = claim.first();
  const bool one_baseline =
      std::all_of(claim.rows.begin(), claim.rows.end(),
                  [&](const VerdictRow* row) { return row->baseline == first.baseline; });
  const BarAxis axis = bar_axis(claim.rows);
  std::string tested, untested;
  std::vector<const VerdictRow*> silent;
  for (const VerdictRow* row : claim.rows) {
    if (is_testable(*row)) {
      tested += verdict_row(*row, axis, quick, !one_baseline);
    } else {
      untested += silent_row(*row, quick, !one_baseline);
      silent.push_back(row);
    }
  }
  std::string result = fmt::format(
      "<article class=\"claim\" id=\"claim-{}\"><h3>{}</h3>\n<p class=\"meta\">{}</p>\n", number,
      html(first.statement), claim_meta(first, one_baseline));
  if (!tested.empty()) {
    result += verdict_table("tested", fmt::format("Verdicts on: {}", first.statement),
                            {"Verdict", "Where", "Figure", "Picture", "Inside", "Evidence", "Why"},
                            tested);
  }
  if (!silent.empty()) {
    result += fmt::format(
        "<details><summary>{} {} not testable: {}</summary>\n{}</details>\n", silent.size(),
        silent.size() == 1 ? "place is" : "places are", html(silence_words(silent)),
        verdict_table("untested", fmt::format("Not testable: {}", first.statement),
                      {"Where", "Why"}, untested));
  }
  return result + "</article>\n";
}

}  // namespace qassay
