#include "harness/run/leg_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/error.hpp"
#include "harness/run/worker_process.hpp"

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

std::variant<LegRow, LegRunner::Failure> LegRunner::attempt(const Job& job) const {
  WorkerProcess worker(job.threads);
  worker.send(nlohmann::json(job).dump());
  Failure failure;
  for (std::string line;;) {
    const auto heard = worker.listen(line, patience_);
    if (heard == WorkerProcess::Heard::line) {
      const nlohmann::json message = nlohmann::json::parse(line);
      if (message.contains("leg")) return message["leg"].get<LegRow>();
      if (message.contains("error")) throw InputError(message["error"].get<std::string>());
      failure.step = message.at("step").get<Step>();
      continue;
    }
    const std::string doing = failure.step.doing.empty() ? "starting" : failure.step.doing;
    if (heard == WorkerProcess::Heard::silence) {
      failure.reason =
          fmt::format("no sign of life for {:.0f} s while {}", patience_.count(), doing);
    } else {
      const WorkerProcess::Ending ending = worker.end();
      failure.killed = ending.killed;
      failure.reason = fmt::format("the worker was {} while {}", ending.text, doing);
    }
    return failure;
  }
}

LegRow LegRunner::run(Job job) {
  const std::vector<CaseRow> all = job.group.cases;
  std::string forgiven;  // the case whose worker was killed once already
  for (;;) {
    std::erase_if(job.group.cases, [&](const CaseRow& row) {
      return excluded_.contains({row.key, row.arm});
    });
    const bool anything =
        std::ranges::any_of(job.group.cases, [](const CaseRow& row) { return !row.layer.empty(); });
    auto result = anything ? attempt(job) : std::variant<LegRow, Failure>(empty_leg(job));
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
    const Failure& failure = std::get<Failure>(result);
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
