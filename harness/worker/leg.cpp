#include "harness/worker/leg.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <utility>

#include "core/seed.hpp"
#include "datasets/image_dataset.hpp"
#include "hardware_profiles/environment.hpp"
#include "hardware_profiles/pinning.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "harness/worker/arm.hpp"
#include "harness/worker/leg_ceilings.hpp"
#include "harness/worker/leg_layers.hpp"
#include "harness/worker/verifier.hpp"
#include "models/catalogue.hpp"
#include "models/evaluate.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

nlohmann::json to_object(const std::vector<Fact>& facts) {
  nlohmann::json object = nlohmann::json::object();
  for (const Fact& fact : facts) object[fact.name] = fact.value;
  return object;
}

std::vector<std::size_t> shuffled(std::size_t count, Random& random) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

class Leg {
 public:
  Leg(const Job& job, const std::function<void(const Step&)>& say);

  LegRow run();

 private:
  void prepare(Arm& arm);
  void verify(Arm& arm, const QuantMatrix& weights);
  void time();
  void time_round(int round);
  void judge_ceilings();
  void evaluate();
  void evaluate(const CaseRow& whole, const TestSet& test);

  const QuantMatrix& quantized(const Arm& arm);
  std::function<void()> call(Arm& arm);
  std::span<std::byte> workspace() const { return {workspace_.data(), workspace_.size()}; }
  Matrix output(const Arm& arm) const {
    return {output_.as<float>(), job_.group.regime.m, layers_[arm.layer()].layer.n};
  }
  void step(const CaseRow& row, const char* doing) const { say_({row.key, row.arm, doing}); }
  const Kernel& kernel(std::string_view name) const;

  /// Runs part of a case's work; what it throws fails that case alone.
  template <typename Work>
  void guard(Arm& arm, const char* doing, Work work);

  const Job& job_;
  const std::function<void(const Step&)>& say_;
  KernelChoice kernels_;
  Device device_;
  Timer timer_;
  Random random_;
  std::optional<Model> model_;
  std::vector<LegLayer> layers_;
  std::vector<Verifier> verifiers_;               // one a layer
  std::map<std::size_t, QuantMatrix> quantized_;  // by layer, of the recipe in hand
  std::string recipe_;                            // method and scheme
  std::vector<Arm> arms_;
  Buffer workspace_, output_;  // shared by all cases
  std::optional<LegCeilings> ceilings_;
  LegRow row_;
};

Leg::Leg(const Job& job, const std::function<void(const Step&)>& say)
    : job_(job),
      say_(say),
      kernels_({job.kernel_libraries.begin(), job.kernel_libraries.end()}, job.machine,
               job.isa.empty() ? std::nullopt : std::optional(parse_isa(job.isa))),
      device_{job.threads},
      timer_(job.timing),
      random_(seed_from_name(job.seed)) {
  const Kernel& floating = kernel("linear_f32_any_f32_reference");
  const Kernel& integer = kernel("linear_a8r_any_f32_reference");
  if (is_model(job.group.model)) model_ = load_catalogue_model(job.group.model, job.threads);
  layers_ = build_layers(job.group, model_ ? &*model_ : nullptr, floating, device_);
  for (const LegLayer& layer : layers_) {
    verifiers_.emplace_back(layer, job.group.regime.m, Verifier::References{floating, integer},
                            device_, random_.next());
  }
  for (const CaseRow& row : job.group.cases) {
    const auto at = std::ranges::find(layers_, row.layer,
                                      [](const LegLayer& layer) { return layer.layer.name; });
    if (at != layers_.end())
      arms_.emplace_back(row, static_cast<std::size_t>(at - layers_.begin()));
  }
  std::int64_t widest = 0;
  for (const LegLayer& layer : layers_) widest = std::max(widest, layer.layer.n);
  output_ = Buffer(static_cast<std::size_t>(widest * job.group.regime.m) * sizeof(float));
}

const Kernel& Leg::kernel(std::string_view name) const {
  const Kernel* found = kernels_.find(name);
  if (found == nullptr) {
    throw InputError(name, "is not in the libraries of kernels",
                     "give this worker those of its parent");
  }
  return *found;
}

template <typename Work>
void Leg::guard(Arm& arm, const char* doing, Work work) {
  if (!arm.passed()) return;
  step(arm.row(), doing);
  try {
    work();
  } catch (const std::bad_alloc&) {
    arm.fail("failed", fmt::format("out of memory while {}", doing));
  } catch (const std::exception& error) {
    arm.fail("failed", fmt::format("{} while {}", error.what(), doing));
  }
}

const QuantMatrix& Leg::quantized(const Arm& arm) {
  const std::string recipe = arm.row().method + arm.row().scheme;
  if (recipe != recipe_) quantized_.clear();  // cases of one recipe follow each other
  recipe_ = recipe;
  const auto [entry, is_new] = quantized_.try_emplace(arm.layer());
  if (is_new) {
    const LinearLayer& layer = layers_[arm.layer()].layer;
    entry->second =
        round_to_nearest({layer.weights.data(), layer.n, layer.k}, parse_scheme(arm.row().scheme));
  }
  return entry->second;
}

void Leg::prepare(Arm& arm) {
  const CaseRow& row = arm.row();
  const LinearLayer& layer = layers_[arm.layer()].layer;
  const QuantMatrix& weights = quantized(arm);
  arm.pack(kernel(row.kernel)
               .prepare({row.m, row.n, row.k, weights.scheme, !layer.bias.empty()}, weights,
                        layer.bias, device_));
  if (workspace_.size() < arm.prepared().workspace_bytes())
    workspace_ = Buffer(arm.prepared().workspace_bytes());
}

void Leg::verify(Arm& arm, const QuantMatrix& weights) {
  std::fill_n(output_.as<std::uint32_t>(), output_.size() / 4,
              0x7FC00000U);  // NaN: what is not written shows
  arm.prepared().run(layers_[arm.layer()].x(job_.group.regime.m), workspace(), output(arm));
  const Verifier::Finding finding = verifiers_[arm.layer()].verify(
      weights, kernel(arm.row().kernel).info().contract, output(arm));
  if (!finding.comparison.passed()) {
    arm.fail("failed", "wrong output: " + finding.comparison.describe());
    return;
  }
  if (finding.comparison.mostly_zero()) {
    arm.fail("mistrusted", "the output agrees with the reference but is mostly zero");
    return;
  }
  if (job_.leg == 0) {
    row_.metrics.push_back({arm.row().key, arm.row().arm, "sqnr", finding.sqnr_db, finding.sqnr_db,
                            finding.sqnr_db, 1, "dB", "higher", "FP32"});
  }
}

std::function<void()> Leg::call(Arm& arm) {
  return [this, &arm] {
    arm.call(layers_[arm.layer()].x(job_.group.regime.m), workspace(), output(arm));
  };
}

void Leg::time() {
  for (Arm& arm : arms_) {
    guard(arm, "warming up", [&] { arm.pace = timer_.find_pace(call(arm)); });
  }
  for (int round = 0; round < job_.timing.rounds; ++round) time_round(round);
}

void Leg::time_round(int round) {
  ceilings_->sample();
  int position = 0;
  // Layer by layer, so that the cases that are compared follow each other.
  for (const std::size_t layer : shuffled(layers_.size(), random_)) {
    for (const std::size_t index : shuffled(arms_.size(), random_)) {
      Arm& arm = arms_[index];
      if (arm.layer() != layer) continue;
      guard(arm, "timing", [&] {
        const RoundTime time = timer_.time_round(call(arm), arm.pace);
        arm.result().rounds.push_back(
            {round, position++, time.q25, time.median, arm.pace.batches, arm.pace.iterations});
      });
    }
  }
}

/// What is faster than the machine can be was not measured.
void Leg::judge_ceilings() {
  for (Arm& arm : arms_) {
    if (!arm.passed()) continue;
    const Traffic traffic = arm.prepared().traffic(job_.group.regime.m);
    if (const auto excess = ceilings_->excess(traffic, arm.result().rounds)) {
      arm.result().status = "mistrusted";
      arm.result().reason = *excess;
    }
  }
}

void Leg::evaluate() {
  if (!job_.group.evaluate) return;
  TestSet test = find_dataset(model_dataset(job_.group.model)).test();
  if (job_.samples > 0) test.count = std::min(test.count, job_.samples);
  for (const CaseRow& row : job_.group.cases) {
    if (row.layer.empty()) evaluate(row, test);
  }
}

void Leg::evaluate(const CaseRow& whole, const TestSet& test) {
  LegCaseRow result;
  result.case_key = whole.key;
  result.arm = whole.arm;
  result.status = "passed";
  std::vector<Prepared*> prepared;
  for (Arm& arm : arms_) {
    const CaseRow& row = arm.row();
    if (row.arm != "a" || row.scheme != whole.scheme || row.backend != whole.backend ||
        row.method != whole.method) {
      continue;
    }
    if (!arm.packed()) {
      result.status = arm.result().status;
      result.reason = fmt::format("layer {}: {}", row.layer, arm.result().reason);
      break;
    }
    prepared.push_back(&arm.prepared());
    result.packed_bytes += arm.result().packed_bytes;
    result.workspace_bytes = std::max(result.workspace_bytes, arm.result().workspace_bytes);
    result.implementation = arm.result().implementation;
  }
  // The predictions of packed weights do not change: one leg's say all. That the layers were packed
  // and verified is said of every leg.
  if (result.status == "passed" && job_.leg == 0) {
    step(whole, "evaluating");
    Executor executor(*model_, prepared, job_.group.regime.m);
    row_.samples.push_back({whole.key, whole.arm, test.name, test.hash, predict(executor, test)});
  }
  row_.cases.push_back(std::move(result));
}

LegRow Leg::run() {
  nlohmann::json environment;
  environment["before"] = to_object(qassay::environment({}));
  environment["clock_hz_before"] = clock_hz();
  row_.group = job_.group.key;
  row_.leg = job_.leg;

  // Pages are placed when memory is first touched, so who is prepared first swaps from leg to leg.
  std::vector<Arm*> order;
  for (Arm& arm : arms_) order.push_back(&arm);
  if (job_.leg % 2 == 1) std::ranges::reverse(order);
  for (Arm* arm : order) {
    guard(*arm, "preparing", [&] { prepare(*arm); });
    guard(*arm, "verifying", [&] { verify(*arm, quantized(*arm)); });
  }
  quantized_.clear();
  if (job_.group.regime.cache == Cache::cold) {
    for (Arm* arm : order) {
      guard(*arm, "copying",
            [&] { arm->make_copies(cold_copies(arm->result().packed_bytes, job_.machine)); });
    }
  }
  ceilings_.emplace(job_.machine, job_.threads, job_.group.regime.cache);
  time();
  judge_ceilings();
  evaluate();

  for (Arm& arm : arms_) row_.cases.push_back(std::move(arm.result()));
  environment["after"] = to_object(qassay::environment({}));
  environment["clock_hz_after"] = clock_hz();
  const Ceilings ceilings = ceilings_->best();
  environment["ceilings"] = {{"read_bytes_per_second", ceilings.read_bytes_per_second},
                             {"f32_flops", ceilings.f32_flops},
                             {"int8_ops", ceilings.int8_ops},
                             {"bf16_flops", ceilings.bf16_flops}};
  row_.environment = environment.dump();
  row_.peak_rss_bytes = peak_rss_bytes();
  return std::move(row_);
}

}  // namespace

LegRow run_leg(const Job& job, const std::function<void(const Step&)>& say) {
  const double started = seconds_since_1970();
  const std::string pinning = pin_threads(job.machine, job.threads);
  LegRow row = Leg(job, say).run();
  nlohmann::json environment = nlohmann::json::parse(row.environment);
  environment["pinning"] = pinning;
  row.environment = environment.dump();
  row.started = started;
  row.seconds = seconds_since_1970() - started;
  return row;
}

}  // namespace qassay
