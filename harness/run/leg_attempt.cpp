#include "harness/run/leg_attempt.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "core/error.hpp"

namespace qassay {
namespace {

Job job_of(const Job& all, bool own_threads, const auto& takes) {
  Job job = all;
  job.own_threads = own_threads;
  std::erase_if(job.group.cases, [&](const CaseRow& row) { return !takes(row.backend); });
  return job;
}

/// The members' legs as one, which is the first's where there can be but one.
void append(LegRow& all, LegRow leg) {
  all.peak_rss_bytes = std::max(all.peak_rss_bytes, leg.peak_rss_bytes);
  const auto move_rows = [](auto& from, auto& to) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  move_rows(leg.cases, all.cases);
  move_rows(leg.metrics, all.metrics);
  move_rows(leg.samples, all.samples);
}

/// Rounds of the leg's cases that have this number.
std::vector<RoundRow*> rounds_of(LegRow& leg, int round) {
  std::vector<RoundRow*> found;
  for (LegCaseRow& row : leg.cases) {
    for (RoundRow& timed : row.rounds) {
      if (timed.round == round) found.push_back(&timed);
    }
  }
  return found;
}

}  // namespace

LegAttempt::LegAttempt(Job job, std::chrono::duration<double> patience, HearStep hear)
    : job_(std::move(job)),
      patience_(patience),
      hear_(std::move(hear)),
      random_(seed_from_name(job_.seed + " turns")) {
  const std::vector<std::string>& own = job_.group.own_threads;
  members_.push_back(
      {job_of(job_, false,
              [&](const std::string& backend) { return std::ranges::count(own, backend) == 0; }),
       nullptr,
       {}});
  for (const std::string& name : own) {
    members_.push_back(
        {job_of(job_, true, [&](const std::string& backend) { return backend == name; }),
         nullptr,
         {}});
  }
  std::erase_if(members_, [](const Member& member) { return member.job.group.cases.empty(); });
}

LegRow LegAttempt::hear(Member& member) {
  for (std::string line;;) {
    const auto heard = member.worker->listen(line, patience_);
    if (heard == WorkerProcess::Heard::line) {
      const nlohmann::json message = nlohmann::json::parse(line);
      if (message.contains("ready")) return {};
      if (message.contains("leg")) return message["leg"].get<LegRow>();
      if (message.contains("error")) throw InputError(message["error"].get<std::string>());
      member.step = message.at("step").get<Step>();
      hear_(member.step);
      continue;
    }
    const std::string doing = member.step.doing.empty() ? "starting" : member.step.doing;
    if (heard == WorkerProcess::Heard::silence) {
      throw LegFailure{member.step, fmt::format("no sign of life for {:.0f} s while {}",
                                                patience_.count(), doing)};
    }
    const WorkerProcess::Ending ending = member.worker->end();
    throw LegFailure{member.step, fmt::format("the worker was {} while {}", ending.text, doing),
                     ending.killed};
  }
}

LegRow LegAttempt::turn(Member& member, const std::string& message) {
  const bool alone = members_.size() == 1;
  if (!alone) member.worker->resume();
  member.worker->send(message);
  LegRow leg = hear(member);
  if (!alone) member.worker->pause();
  return leg;
}

/// A case's place in a round counts the cases of the members that went before.
LegRow LegAttempt::merged(std::vector<LegRow> legs,
                          const std::vector<std::vector<std::size_t>>& orders) const {
  for (std::size_t round = 0; round < orders.size(); ++round) {
    int before = 0;
    for (const std::size_t member : orders[round]) {
      const std::vector<RoundRow*> timed = rounds_of(legs[member], static_cast<int>(round));
      for (RoundRow* row : timed) row->position += before;
      before += static_cast<int>(timed.size());
    }
  }
  LegRow all = std::move(legs.front());
  for (std::size_t i = 1; i < legs.size(); ++i) append(all, std::move(legs[i]));
  return all;
}

std::variant<LegRow, LegFailure> LegAttempt::run() {
  try {
    for (Member& member : members_) {
      member.worker = std::make_unique<WorkerProcess>(member.job.threads, member.job.own_threads);
      turn(member, nlohmann::json(member.job).dump());
    }
    std::vector<std::vector<std::size_t>> orders;
    for (int round = 0; round < job_.timing.rounds; ++round) {
      std::vector<std::size_t>& order = orders.emplace_back(members_.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      random_.shuffle(order);
      for (const std::size_t index : order)
        turn(members_[index], nlohmann::json{{"round", round}}.dump());
    }
    std::vector<LegRow> legs;
    for (Member& member : members_) {
      legs.push_back(turn(member, R"({"finish":true})"));
      member.worker.reset();
    }
    return merged(std::move(legs), orders);
  } catch (const LegFailure& failure) {
    return failure;
  }
}

}  // namespace qassay
