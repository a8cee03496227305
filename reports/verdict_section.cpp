#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "reports/claim_evidence.hpp"
#include "reports/figure.hpp"
#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

std::vector<ClaimRows> by_claim(const std::vector<VerdictRow>& verdicts) {
  std::vector<ClaimRows> claims;
  std::map<std::string_view, std::size_t> known;
  for (const VerdictRow& row : verdicts) {
    const auto [place, added] = known.try_emplace(row.id, claims.size());
    if (added) claims.emplace_back();
    claims[place->second].rows.push_back(&row);
  }
  for (ClaimRows& claim : claims) {  // what was found stands before what could not be
    std::stable_partition(claim.rows.begin(), claim.rows.end(),
                          [](const VerdictRow* row) { return is_testable(*row); });
  }
  return claims;
}

/// "W8A8, batch, onednn"; a claim that is not about a place has none.
std::string place_words(const VerdictRow& row) {
  std::string words;
  for (const std::string* part : {&row.scheme, &row.regime, &row.backend}) {
    if (part->empty()) continue;
    if (!words.empty()) words += ", ";
    words += *part;
  }
  return words;
}

/// What was found where the verdict is the same: up to two places by name, else the span of their
/// figures; where there are none, why.
std::string found_words(const std::vector<const VerdictRow*>& rows) {
  std::vector<double> estimates;
  for (const VerdictRow* row : rows) {
    if (has_figure(*row)) estimates.push_back(row->estimate);
  }
  if (estimates.empty() && rows.size() > 1) {
    return fmt::format("in {} places: {}", rows.size(), silence_words(rows));
  }
  constexpr std::size_t kNamed = 2;
  if (rows.size() <= kNamed) {
    std::string words;
    for (const VerdictRow* row : rows) {
      if (!words.empty()) words += "; ";
      const std::string place = place_words(*row);
      if (!place.empty()) words += place + ": ";
      words += has_figure(*row) ? estimate_words(*row) : reason_words(row->reason);
    }
    return words;
  }
  const auto [least, most] = std::minmax_element(estimates.begin(), estimates.end());
  return fmt::format("in {} places: {}{}", rows.size(),
                     rows[0]->kind == "measured" ? "" : "not measured, ",
                     span_text(*least, *most, rows[0]->unit));
}

std::string tally(const std::vector<VerdictRow>& verdicts) {
  std::string items;
  for (const VerdictLook& look : kVerdictLooks) {
    const auto count = std::count_if(verdicts.begin(), verdicts.end(), [&](const VerdictRow& row) {
      return row.verdict == look.name;
    });
    items +=
        fmt::format("<li><span class=\"count\">{}</span>{}</li>", count, verdict_badge(look.name));
  }
  return fmt::format("<ul class=\"tally\">{}</ul>\n", items);
}

std::string glance(const std::vector<ClaimRows>& claims) {
  std::string list;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const ClaimRows& claim = claims[i];
    std::string outcomes;
    for (const VerdictLook& look : kVerdictLooks) {
      std::vector<const VerdictRow*> rows;
      std::copy_if(claim.rows.begin(), claim.rows.end(), std::back_inserter(rows),
                   [&](const VerdictRow* row) { return row->verdict == look.name; });
      if (rows.empty()) continue;
      outcomes += fmt::format("<li>{} <span>{}</span></li>", verdict_badge(look.name),
                              html(found_words(rows)));
    }
    list += fmt::format("<li class=\"judged\"><a href=\"#claim-{}\">{}</a><ul>{}</ul></li>\n", i,
                        html(claim.first().statement), outcomes);
  }
  return fmt::format("<ol class=\"glance\">\n{}</ol>\n", list);
}

}  // namespace

std::string verdict_section(const ReportInput& input) {
  if (input.verdicts.empty()) {
    return "<p class=\"nothing\">No claim was judged in this run.</p>\n";
  }
  const std::vector<ClaimRows> claims = by_claim(input.verdicts);
  std::string result = fmt::format(
      "<p class=\"lead\">{} claim{}, judged {} time{}: once for each scheme, regime and backend "
      "that can answer. <em>Decode</em> is one row at a time with weights that come from memory, "
      "as when one user waits for an answer; <em>batch</em> is many rows at once through one "
      "layer; "
      "<em>network</em> is a whole model, from at least 64 samples to their scores.</p>\n",
      claims.size(), claims.size() == 1 ? "" : "s", input.verdicts.size(),
      input.verdicts.size() == 1 ? "" : "s");
  result += tally(input.verdicts) + glance(claims);
  result +=
      "<h3 class=\"between\">The evidence, claim by claim</h3>\n"
      "<p class=\"legend\">In the pictures the band is the claimed range, the dot what was found, "
      "and the line its 95 % interval. A hollow dot on a dashed line was computed, not "
      "measured. <em>Inside</em> counts the layers or models whose own figure lies in the claimed "
      "range.</p>\n";
  for (std::size_t i = 0; i < claims.size(); ++i) {
    result += claim_evidence(claims[i], i, input.quick);
  }
  return result;
}

}  // namespace qassay
