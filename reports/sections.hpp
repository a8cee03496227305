#pragma once

#include <string>

#include "reports/charts.hpp"
#include "reports/report.hpp"
#include "reports/results.hpp"

namespace qassay {

/// The sections of the page, as HTML, in reading order. Those that take `charts` add theirs to it.
std::string verdict_section(const ReportInput& input);
std::string network_section(const Results& results, Charts& charts);
std::string speed_section(const Results& results, Charts& charts);
std::string roofline_section(const Results& results);
std::string tradeoff_section(const Results& results, Charts& charts);
std::string accuracy_section(const Results& results, const std::vector<VerdictRow>& verdicts,
                             Charts& charts);
std::string flips_section(const Results& results);
std::string error_section(const Results& results, Charts& charts);
std::string memory_section(const Results& results, Charts& charts);
std::string trouble_section(const Results& results);
std::string machine_section(const ReportInput& input);

}  // namespace qassay
