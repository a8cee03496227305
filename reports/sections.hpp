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
/// Of language models, as a part of the section on accuracy; empty where there are none.
std::string language_losses(const Results& results, Charts& charts);
/// Models beside each other by scheme, as a part of the same; empty for fewer than two.
std::string losses_side_by_side(const Results& results, Charts& charts);
/// Of runs with several methods, what each loses and takes.
std::string methods_section(const Results& results, Charts& charts);
std::string flips_section(const Results& results);
std::string error_section(const Results& results, Charts& charts);
std::string memory_section(const Results& results, Charts& charts);
std::string trouble_section(const Results& results);
std::string machine_section(const ReportInput& input);

}  // namespace qassay
