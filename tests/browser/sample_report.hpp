#pragma once

#include "reports/report.hpp"

namespace qassay {

/// A layer of the sample is called this: text that breaks out of a script element and out of a tag
/// wherever it is not escaped.
inline constexpr char kPlantedLayer[] = "mlp.down </script><b>bold</b>";

/// What a run of three models on three backends looks like, one of them timed as a whole: every
/// kind of row and verdict among them. The figures are made up by formula and the same on every
/// machine.
ReportInput sample_report();

}  // namespace qassay
