#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "core/machine.hpp"
#include "core/record.hpp"

namespace qassay {

/// Everything that a report shows. Strings may hold anything: they are escaped where they are put
/// into the page, so a layer called "</script><b>" is shown as that text.
struct ReportInput {
  std::string title;
  std::string generated;  // date and time, as it is to be read
  bool quick = false;     // a quick run: says so, since it confirms and refutes nothing
  std::string suite;
  std::vector<Record> records;
  std::vector<VerdictRow> verdicts;  // in the order in which their claims are to be read
  Machine machine;
  std::vector<Fact> build;  // program version, git revision, compiler, libraries
  std::string command;      // makes the run again
};

/// Writes one HTML page that needs no other file and no network: the verdicts, the figures behind
/// them, and what has to be known to judge and repeat them. All content stands in tables, so that
/// it can be read with scripts off and on paper; a script draws charts beside them. Every verdict
/// row carries its fields in data- attributes (data-id, data-verdict, data-estimate, ...) for
/// programs.
///
/// The page stays under 3 MB: a table longer than kMaxTableRows ends with a line that says how many
/// rows it leaves out. Rounds, samples and everything else left out are in the store.
void write_report(const ReportInput& input, std::ostream& out);

inline constexpr std::size_t kMaxTableRows = 1500;

}  // namespace qassay
