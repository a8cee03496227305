#pragma once

#include <span>
#include <vector>

#include "core/record.hpp"
#include "harness/claims/judge.hpp"

namespace qassay {

/// Whether the claim sets groups of schemes and methods against each other.
bool is_order(const Claim& claim);

/// What is claimed of a step: of a growth from no change up, else what the claim says.
ClaimedRange step_range(const Claim& claim);

/// One verdict a backend and step from a group to the next, on how much more the later one has.
/// Cells are set against their counterparts: the same model, layer and regime, and where the groups
/// differ in their methods the same scheme (of a time to quantize, the same weights); others are
/// left away.
///   difference  of the mean losses. The ends are the farthest that the two means allow, for
///               evaluations of one model err together
///   ratio       of the later group's figures over the earlier's: the geometric mean over the
///               cells. The ends are the farthest that the cells' own intervals allow, or, of
///               figures that are exact (errors of layers, times to quantize), Student's t interval
///               over the cells: how far they agree
///   tuning      what a group's methods win back of the loss by plain rounding; difference of that
/// A growth is confirmed however large it is. Figures in doubt are left away where others are
/// there.
std::vector<VerdictRow> judge_order(const Claim& claim, ClaimRegime regime,
                                    std::span<const Record> records, const JudgeContext& context);

}  // namespace qassay
