#include "harness/run/leg_runner.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <variant>

#include "harness/run/leg_attempt.hpp"

namespace qassay {
namespace {

LegRow empty_leg(const Job& job) {
  LegRow leg;
  leg.group = job.group.key;
  leg.leg = job.leg;
  leg.started =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  leg.environment = "{}";
  return leg;
}

}  // namespace

void LegRunner::exclude(const std::string& case_key, const std::string& arm,
                        const std::string& reason) {
  excluded_[{case_key, arm}] = reason;
}

LegRow LegRunner::run(Job job, const std::function<void(const Step&)>& hear) {
  const std::vector<CaseRow> all = job.group.cases;
  std::string forgiven;  // the case whose worker was killed once already
  for (;;) {
    std::erase_if(job.group.cases, [&](const CaseRow& row) {
      return excluded_.contains({row.key, row.arm});
    });
    const bool anything =
        std::ranges::any_of(job.group.cases, [](const CaseRow& row) { return !row.layer.empty(); });
    auto result = anything ? LegAttempt(job, patience_, hear).run()
                           : std::variant<LegRow, LegFailure>(empty_leg(job));
    if (auto* leg = std::get_if<LegRow>(&result)) {
      for (const CaseRow& row : all) {
        const auto excluded = excluded_.find({row.key, row.arm});
        if (excluded == excluded_.end()) continue;
        LegCaseRow& failed = leg->cases.emplace_back();
        failed.case_key = row.key;
        failed.arm = row.arm;
        failed.status = "failed";
        failed.reason = excluded->second;
      }
      return std::move(*leg);
    }
    const LegFailure& failure = std::get<LegFailure>(result);
    if (failure.step.case_key.empty()) throw std::runtime_error(failure.reason);
    const std::string in_hand = failure.step.case_key + failure.step.arm;
    // SIGKILL comes from outside: a case is at fault when it meets it twice.
    if (failure.killed && forgiven != in_hand) {
      forgiven = in_hand;
    } else {
      exclude(failure.step.case_key, failure.step.arm, failure.reason);
    }
  }
}

}  // namespace qassay
