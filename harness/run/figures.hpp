#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/store/rows.hpp"

namespace qassay {

/// The figures of one group, from what its legs found: pure functions of stored rows.

/// latency, throughput of whole models, bandwidth, operation_rate and ceiling_fraction of layers,
/// speedup against each baseline, weight_bytes, workspace_bytes, peak_rss_bytes. A speedup is
/// formed round by round between cases of one leg, and its interval over legs. Baselines:
///   best-fp32  the FP32 case of the same layer with the lowest latency
///   own-fp32   the FP32 case of the same backend
///   best-peer  for our own kernels: the fastest case of a library with the same layer and weights,
///              and activations as wide
///   arm-a      for the second arm of an A/A run: the same case
/// The fraction of a ceiling is that of each leg, against the ceiling that this leg saw.
/// `text`: a whole model's throughput counts tokens.
std::vector<MetricRow> timing_figures(std::span<const CaseRow> cases, std::span<const LegRow> legs,
                                      bool text = false);

/// top1, loss, loss_points, loss_error_growth, agreement, flips_lost, flips_won, mcnemar_p, paired
/// by sample with the first FP32 case among `samples` (baseline "fp32").
std::vector<MetricRow> accuracy_figures(std::span<const CaseRow> cases,
                                        std::span<const SampleScoresRow> samples,
                                        std::span<const std::uint8_t> labels);

}  // namespace qassay
