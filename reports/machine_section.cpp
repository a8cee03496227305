#include <fmt/format.h>

#include "core/isa.hpp"
#include "reports/figure.hpp"
#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"

namespace qassay {
namespace {

std::string bytes_or_unknown(std::int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  return bytes > 0 ? figure_text({value, value, value}, "bytes") : "unknown";
}

std::string known(const std::string& text) { return text.empty() ? "unknown" : text; }

std::vector<Fact> machine_facts(const Machine& machine) {
  std::string isas, cores;
  for (const Isa isa : machine.isas) {
    if (!isas.empty()) isas += ", ";
    isas += to_string(isa);
  }
  for (const int core : machine.cores)
    cores += fmt::format("{}{}", cores.empty() ? "" : ", ", core);
  std::vector<Fact> facts = {
      {"processor", known(machine.cpu)},
      {"instruction sets", known(isas)},
      {"logical CPUs in use", known(cores)},
      {"last-level cache", bytes_or_unknown(machine.last_level_cache_bytes)},
      {"memory", bytes_or_unknown(machine.memory_bytes)},
  };
  facts.insert(facts.end(), machine.facts.begin(), machine.facts.end());
  facts.push_back({"fingerprint", known(machine.fingerprint)});
  return facts;
}

std::string fact_table(std::string_view caption, const std::vector<Fact>& facts,
                       std::string_view otherwise) {
  Table table(caption, {{"What"}, {"Is"}});
  for (const Fact& fact : facts) {
    table.row();
    table.cell(fact.name);
    table.cell(fact.value);
  }
  return fmt::format("<h3>{}</h3>\n{}", html(caption), table.text(otherwise));
}

}  // namespace

std::string machine_section(const ReportInput& input) {
  std::string result = fact_table("The machine", machine_facts(input.machine), "");
  result += fact_table("The build", input.build, "Nothing is known of the build.");
  result +=
      input.command.empty()
          ? "<p class=\"nothing\">The command that made this run was not kept.</p>\n"
          : fmt::format("<h3>Run it again</h3>\n<pre><code>{}</code></pre>\n", html(input.command));
  return result;
}

}  // namespace qassay
