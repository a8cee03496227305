#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

/// Cases that share a fate: one row, since a refusal usually holds for every layer alike.
struct Trouble {
  const Record* about = nullptr;
  std::vector<const Record*> cases;
};

struct Fate {
  std::string_view status, meaning;
};
constexpr Fate kFates[] = {
    {"failed", "it was tried and did not end well"},
    {"mistrusted", "it has figures that cannot be true or were disturbed: shown, never judged"},
    {"skipped", "the plan left it out"},
    {"unsupported", "the backend says that it cannot do it"},
};

std::size_t severity(const std::string& status) {
  const auto found = std::find_if(std::begin(kFates), std::end(kFates),
                                  [&](const Fate& fate) { return fate.status == status; });
  return static_cast<std::size_t>(found - std::begin(kFates));
}

std::string legend() {
  std::string items;
  for (const Fate& fate : kFates) {
    items += fmt::format("<li><span class=\"mark\">{}</span> {}</li>", fate.status, fate.meaning);
  }
  return fmt::format("<ul class=\"fates\">{}</ul>\n", items);
}

/// The text as one word of a POSIX shell.
std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

}  // namespace

std::string trouble_section(const Results& results) {
  using Key =
      std::tuple<std::size_t, std::string, std::string, std::string, std::string, std::string>;
  std::map<Key, Trouble> troubles;
  for (const Cell& cell : results.cells) {
    if (cell.trusted()) continue;
    const Record& about = *cell.about;
    Trouble& trouble = troubles[{severity(about.status), about.status, about.backend, about.scheme,
                                 about.reason, about.model}];
    if (trouble.about == nullptr) trouble.about = &about;
    trouble.cases.push_back(&about);
  }
  Table table(
      "What has no trusted figure, and why",
      {{"Fate"}, {"Scheme"}, {"Backend"}, {"Model"}, {"Why"}, {"Cases", true}, {"Look at one"}});
  for (const auto& [key, trouble] : troubles) {
    const Record& about = *trouble.about;
    table.row();
    table.raw(fmt::format("<span class=\"mark\">{}</span>", html(about.status)));
    table.cell(about.scheme);
    table.cell(about.backend);
    table.cell(about.model);
    table.cell(about.reason.empty() ? "no reason was given" : about.reason);
    table.cell(fmt::format("{}", trouble.cases.size()));
    table.raw(fmt::format("<code>qassay show {}</code>", html(shell_word(about.case_key))));
  }
  if (table.rows() == 0) return table.text("Every case of this run has trusted figures.");
  return legend() + table.text("");
}

}  // namespace qassay
