#include "reports/report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "embedded/chart_js.hpp"
#include "embedded/report_script.hpp"
#include "embedded/report_style.hpp"
#include "embedded/report_template.hpp"
#include "reports/charts.hpp"
#include "reports/html.hpp"
#include "reports/results.hpp"
#include "reports/sections.hpp"

namespace qassay {
namespace {

/// A share of A/A intervals that contain 1: what this run's own noise is like.
std::string self_check(const std::vector<Record>& records) {
  std::size_t all = 0, contain = 0;
  for (const Record& record : records) {
    if (record.metric != "speedup" || record.baseline != "arm-a" || record.status != "passed")
      continue;
    ++all;
    if (record.low <= 1 && 1 <= record.high) ++contain;
  }
  if (all == 0) return {};
  return fmt::format(
      "<p>This run timed {} cases against themselves: {} of the {} intervals contain 1 (95 % "
      "should).</p>\n",
      all, contain, all);
}

std::string quick_banner(bool quick) {
  if (!quick) return {};
  return "<p class=\"banner\" role=\"note\"><strong>Quick run: no claim is confirmed or "
         "refuted.</strong> Every cell ran, with fewer repetitions and samples; the figures are "
         "a first look.</p>\n";
}

}  // namespace

void write_report(const ReportInput& input, std::ostream& out) {
  const Results results(input.records);
  Charts charts;
  // The order of the calls is the order of the page, in which charts are numbered.
  std::vector<Filling> fillings = {
      {"title", html(input.title)},
      {"generated", html(input.generated)},
      {"suite", html(input.suite)},
      {"machine_name", html(input.machine.cpu.empty() ? "unknown machine" : input.machine.cpu)},
      {"quick_banner", quick_banner(input.quick)},
      {"verdicts", verdict_section(input)},
      {"networks", network_section(results, charts)},
      {"speed", speed_section(results, charts)},
      {"roofline", roofline_section(results)},
      {"tradeoff", tradeoff_section(results, charts)},
      {"accuracy", accuracy_section(results, input.verdicts, charts)},
      {"methods", methods_section(results, charts)},
      {"flips", flips_section(results)},
      {"errors", error_section(results, charts)},
      {"memory", memory_section(results, charts)},
      {"trouble", trouble_section(results)},
      {"machine", machine_section(input)},
      {"self_check", self_check(input.records)},
      {"style", std::string(embedded::report_style())},
      {"chart_js", std::string(embedded::chart_js())},
      {"script", std::string(embedded::report_script())},
      {"no_charts", embedded::chart_js().empty()
                        ? "<p class=\"nothing\">This build draws no charts: it was made without "
                          "Chart.js. The tables have every figure.</p>\n"
                        : ""},
  };
  fillings.push_back({"charts", script_json(charts.data())});
  out << fill_places(embedded::report_template(), fillings);
}

}  // namespace qassay
