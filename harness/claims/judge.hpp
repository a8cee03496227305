#pragma once

#include <span>
#include <vector>

#include "core/record.hpp"
#include "harness/claims/claim.hpp"

namespace qassay {

/// What the judge has to know besides the records.
struct JudgeContext {
  bool quick = false;  // a quick run decides nothing: what was measured in it is inconclusive
};

/// The verdicts on one claim: one per scheme, regime and backend that the records speak of, and one
/// for each scheme or pattern that they do not speak of; for a derived claim one per scheme (and
/// per precision that the total is read in); for a claim that cannot be tested one per part. A pure
/// function of its arguments. `records`: of one run.
///
/// The estimate is the geometric mean over the layers of a regime (harness/claims/metric.hpp for
/// other evidence), of the cells that no doubt hangs over. `cells` counts all cells of the scheme
/// on that backend in that regime, `covered` those that took part with a value of their own inside
/// the claimed range. Cells that took no part are named in the note. Where every cell is in doubt
/// the estimate is theirs, and the verdict inconclusive. Where there is no figure at all the
/// verdict is not_testable and estimate, low and high are 0.
std::vector<VerdictRow> judge(const Claim& claim, std::span<const Record> records,
                              const JudgeContext& context);

std::vector<VerdictRow> judge_all(std::span<const Claim> claims, std::span<const Record> records,
                                  const JudgeContext& context);

}  // namespace qassay
