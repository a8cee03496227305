#pragma once

#include <span>
#include <vector>

#include "core/record.hpp"
#include "harness/claims/judge.hpp"

namespace qassay {

/// Whether the claim is of losses beside each other: metric task_gap or model_gap.
bool is_gap(const Claim& claim);

/// One verdict a scheme, method and backend that has what is compared, on a difference of losses.
/// Each loss is of samples of its own, so that half-widths add in quadrature.
///   task_gap   the mean loss on text minus that on images
///   model_gap  the largest difference between two models, the intervals widened for as many pairs
///              as there are (Bonferroni); an overlap refutes nothing, it is inconclusive. One for
///              the models of each task that has two; where none has, one for all together
std::vector<VerdictRow> judge_gaps(const Claim& claim, const ClaimPart& part,
                                   std::span<const Record> records, const JudgeContext& context);

}  // namespace qassay
