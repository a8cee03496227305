#include "harness/run/runner.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "datasets/image_dataset.hpp"
#include "harness/run/build_info.hpp"
#include "harness/run/figures.hpp"
#include "harness/run/interrupt.hpp"
#include "harness/run/leg_runner.hpp"
#include "harness/run/progress.hpp"
#include "harness/store/store.hpp"
#include "models/catalogue.hpp"
#include "models/shapes.hpp"

namespace qassay {
namespace {

std::string program_hash(const RunRequest& request) {
  std::string hashes = sha256_file("/proc/self/exe");
  for (const auto& library : request.kernel_libraries) hashes += sha256_file(library);
  return sha256(hashes);
}

RunInfo describe(const RunRequest& request, const Machine& machine) {
  RunInfo info;
  info.suite = request.suite.name;
  info.suite_hash = request.suite.hash;
  info.program_hash = program_hash(request);
  info.revision = build_revision();
  info.build = version_text();
  info.command = request.command;
  info.threads = request.plan.threads;
  info.isa = request.isa.empty() ? "auto" : request.isa;
  info.quick = request.quick;
  info.settings = nlohmann::json{{"legs", request.timing.legs},
                                 {"rounds", request.timing.rounds},
                                 {"round_seconds", request.timing.round_seconds},
                                 {"warmup_seconds", request.timing.warmup_seconds},
                                 {"both_arms", request.plan.both_arms},
                                 {"schemes", request.plan.filters.schemes},
                                 {"backends", request.plan.filters.backends},
                                 {"layers", request.plan.filters.layers}}
                      .dump();
  info.machine = machine;
  return info;
}

/// A resumed run goes on under the conditions that it began with, or not at all.
void require_same_conditions(const RunInfo& before, const RunInfo& now) {
  const auto require = [](bool same, std::string_view what) {
    if (!same) {
      throw InputError("--resume", fmt::format("the run was begun with another {}", what),
                       "use the same, or start a new run without --resume");
    }
  };
  require(before.suite == now.suite && before.suite_hash == now.suite_hash, "suite");
  require(before.program_hash == now.program_hash, "program (or kernel library)");
  require(before.machine.fingerprint == now.machine.fingerprint, "machine");
  require(before.threads == now.threads, "number of threads");
  require(before.isa == now.isa, "--isa");
  require(before.quick == now.quick && before.settings == now.settings,
          "choice of cases or timing");
}

class Runner {
 public:
  Runner(const RunRequest& request, const Plan& plan, const Machine& machine)
      : request_(request),
        plan_(plan),
        machine_(machine),
        store_(Store::open_for_writing(request.store)),
        legs_(std::chrono::duration<double>(request.case_timeout_seconds)) {}

  RunResult run() {
    open_run();
    const bool whole = measure();
    RunResult result;
    result.run = run_;
    result.interrupted = !whole;
    if (whole && !store_.has_metrics(run_)) {
      store_.add_metrics(run_, figures());
      store_.end_run(run_, RunEnd::finished);
    } else if (!whole) {
      store_.end_run(run_, RunEnd::interrupted);
    }
    for (const Record& record : store_.records(run_)) {
      result.some_failed = result.some_failed || record.status == "failed";
      result.compared = result.compared || record.metric == "speedup" || record.metric == "loss";
    }
    return result;
  }

 private:
  void open_run() {
    const RunInfo info = describe(request_, machine_);
    if (!request_.resume) {
      run_ = store_.begin_run(info, plan_.cases());
      return;
    }
    const auto latest = store_.latest_run();
    if (!latest) {
      throw InputError(request_.store.string(), "holds no run to resume",
                       "start one without --resume");
    }
    run_ = *latest;
    require_same_conditions(store_.run(run_).info, info);
    done_ = store_.finished_legs(run_);
    for (const Group& group : plan_.groups) {
      for (const LegRow& leg : store_.legs(run_, group.key)) {
        for (const LegCaseRow& found : leg.cases) {
          if (found.status == "failed") legs_.exclude(found.case_key, found.arm, found.reason);
        }
      }
    }
  }

  /// True when every leg is there; false when somebody interrupted.
  bool measure() {
    std::map<std::string, int> to_do;
    for (const Group& group : plan_.groups) {
      for (int leg = 0; leg < group.timing(request_.timing).legs; ++leg)
        to_do[group.key] += done_.contains({group.key, leg}) ? 0 : 1;
    }
    Progress progress(to_do, stderr);
    const InterruptGuard guard;
    // A group's legs are spread over the run: speed levels last for minutes.
    for (int leg = 0; leg < request_.timing.legs; ++leg) {
      for (const Group& group : plan_.groups) {
        const int legs = group.timing(request_.timing).legs;
        if (leg >= legs || done_.contains({group.key, leg})) continue;
        if (guard.interrupted()) {
          progress.say("Interrupted; what was measured is stored, `--resume` goes on.");
          return false;
        }
        progress.begin_leg(group.key, leg, legs);
        const LegRow row = legs_.run(job(group, leg), [&](const Step& step) {
          if (!step.how_far.empty()) progress.detail(step.how_far);
        });
        store_.add_leg(run_, row);
        progress.end_leg(group.key, row.seconds);
      }
    }
    return true;
  }

  Job job(const Group& group, int leg) const {
    Job job;
    job.group = group;
    std::erase_if(job.group.cases, [](const CaseRow& row) { return row.status != "planned"; });
    job.leg = leg;
    job.timing = group.timing(request_.timing);
    for (const auto& library : request_.kernel_libraries)
      job.kernel_libraries.push_back(library.string());
    job.isa = request_.isa;
    job.seed = fmt::format("{}:{}:leg{}", request_.suite.name, group.key, leg);
    job.threads = plan_.threads;
    job.machine = machine_;
    return job;
  }

  std::vector<MetricRow> figures() const {
    std::vector<MetricRow> all;
    const auto append = [&](std::vector<MetricRow> rows) {
      all.insert(all.end(), rows.begin(), rows.end());
    };
    for (const Group& group : plan_.groups) {
      const std::vector<LegRow> legs = store_.legs(run_, group.key);
      append(timing_figures(group.cases, legs, group.text));
      if (!group.evaluate || group.text) continue;  // texts are scored by the workers
      std::vector<SampleScoresRow> samples;
      for (const LegRow& leg : legs)
        samples.insert(samples.end(), leg.samples.begin(), leg.samples.end());
      append(accuracy_figures(group.cases, samples,
                              find_dataset(model_info(group.source).dataset).test().labels));
    }
    return all;
  }

  const RunRequest& request_;
  const Plan& plan_;
  const Machine& machine_;
  Store store_;
  LegRunner legs_;
  std::int64_t run_ = 0;
  std::set<std::pair<std::string, int>> done_;
};

/// Models are fitted here, so that no worker has to, and a data file that is not what it should be
/// shows before the store is touched.
void prepare_models(const Plan& plan) {
  for (const Group& group : plan.groups) {
    const bool runs = std::ranges::any_of(
        group.cases, [](const CaseRow& row) { return row.status == "planned"; });
    if (group.source.empty() || !runs || is_shape(group.source)) continue;
    const Model model = load_model(group.source, plan.threads, group.context);
    if (group.evaluate && !group.text) find_dataset(model.dataset).test();
  }
}

}  // namespace

RunResult run_plan(const RunRequest& request, const Plan& plan, const Machine& machine) {
  prepare_models(plan);
  return Runner(request, plan, machine).run();
}

}  // namespace qassay
