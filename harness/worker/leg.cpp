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
#include "hardware_profiles/environment.hpp"
#include "hardware_profiles/pinning.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "harness/worker/arm.hpp"
#include "harness/worker/evaluation.hpp"
#include "harness/worker/leg_ceilings.hpp"
#include "harness/worker/leg_layers.hpp"
#include "harness/worker/model_call.hpp"
#include "harness/worker/text_evaluation.hpp"
#include "harness/worker/verifier.hpp"
#include "models/catalogue.hpp"
#include "models/evaluation_text.hpp"
#include "models/layer_problem.hpp"
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
  random.shuffle(order);
  return order;
}

/// What makes a layer's codes: cases that differ in their activations alone share them.
using Recipe = std::pair<std::string, std::string>;  // method, scheme of weight-only quantization

Recipe recipe_of(const CaseRow& row) {
  const NumberFormat weights = parse_scheme(row.scheme).weights;
  return {row.method, to_string({weights, {}})};
}

class Leg {
 public:
  Leg(const Job& job, const std::function<void(const Step&)>& say);

  LegRow run(const std::function<std::optional<int>()>& next_round);

 private:
  void load();
  void prepare(LayerArm& arm);
  void verify(LayerArm& arm, const QuantMatrix& weights);
  void prepare_layers();
  void make_cold(LayerArm& arm);
  void assemble(ModelArm& arm);
  void warm_up();
  void time_round(int round);
  void judge_ceilings();
  void add_metric(const Arm& arm, const char* name, double value, const char* unit,
                  const char* direction, const char* baseline = "");
  void evaluate();
  void evaluate_text();

  const QuantMatrix& quantized(const LayerArm& arm);
  std::span<std::byte> workspace() const { return {workspace_.data(), workspace_.size()}; }
  Matrix output(const LayerArm& arm) const {
    const LegLayer& layer = layers_[arm.place()];
    return {output_.as<float>(), layer.rows(job_.group.regime.m), layer.outputs()};
  }
  void step(const CaseRow& row, const char* doing) const { say_({row.key, row.arm, doing}); }
  const Kernel& kernel(std::string_view name) const;
  std::vector<Arm*> arms();
  std::vector<Arm*> timed_arms();

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
  std::optional<EvaluationText> text_;  // where the model is scored on one
  std::vector<LegLayer> layers_;
  std::vector<Verifier> verifiers_;               // one a layer
  std::map<std::size_t, QuantMatrix> quantized_;  // by layer, of the recipe in hand
  Recipe recipe_;
  std::vector<LayerArm> layer_arms_;
  std::vector<ModelArm> model_arms_;
  std::vector<float> inputs_;           // of the whole model
  Buffer workspace_, output_, scores_;  // shared by all cases
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
  const std::int64_t m = job.group.regime.m;
  if (!job.group.source.empty()) load();
  layers_ = build_layers(job.group, model_ ? &*model_ : nullptr, inputs_, kernels_, device_);
  for (const LegLayer& layer : layers_)
    verifiers_.emplace_back(layer, m, kernels_, device_, random_.next());
  for (const CaseRow& row : job.group.cases) {
    if (row.layer.empty()) {
      model_arms_.emplace_back(row, layers_.size());
      continue;
    }
    const auto at = std::ranges::find(layers_, row.layer,
                                      [](const LegLayer& layer) { return layer.layer.shape.name; });
    if (at != layers_.end())
      layer_arms_.emplace_back(row, static_cast<std::size_t>(at - layers_.begin()));
  }
  std::int64_t widest = 0;
  for (const LegLayer& layer : layers_) widest = std::max(widest, layer.outputs() * layer.rows(m));
  output_ = Buffer(static_cast<std::size_t>(widest) * sizeof(float));
  if (model_arms_.empty()) return;
  scores_ = Buffer(score_count(model_->graph, m) * sizeof(float));
}

void Leg::load() {
  const Group& group = job_.group;
  model_ = load_model(group.source, job_.threads, group.context);
  if (group.evaluate && group.text) {
    text_ = evaluation_text({.source = group.source,
                             .dataset = model_->dataset,
                             .vocabulary = vocabulary_of(model_->graph)},
                            group.choice, group.regime.m, group.samples);
    if (const auto refusal = refuse_comparison(text_->protocol, group.protocol)) {
      throw InputError(text_->protocol.text, "has changed since the run began: " + refusal->reason,
                       "begin a new run");
    }
  }
  inputs_ = first_inputs(*model_, group.regime.m, text_ ? &*text_ : nullptr);
}

const Kernel& Leg::kernel(std::string_view name) const {
  const Kernel* found = kernels_.find(name);
  if (found == nullptr) {
    throw InputError(name, "is not in the libraries of kernels",
                     "give this worker those of its parent");
  }
  return *found;
}

std::vector<Arm*> Leg::timed_arms() {
  std::vector<Arm*> timed;
  for (Arm* arm : arms()) {
    if (job_.group.times_layers() || arm->row().layer.empty()) timed.push_back(arm);
  }
  return timed;
}

std::vector<Arm*> Leg::arms() {
  std::vector<Arm*> all;
  for (LayerArm& arm : layer_arms_) all.push_back(&arm);
  for (ModelArm& arm : model_arms_) all.push_back(&arm);
  return all;
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

const QuantMatrix& Leg::quantized(const LayerArm& arm) {
  const LegLayer& layer = layers_[arm.place()];
  const Scheme scheme = layer_problem(layer.layer.shape, parse_scheme(arm.row().scheme), 1).scheme;
  if (const Recipe recipe = recipe_of(arm.row()); recipe != recipe_) {
    quantized_.clear();  // cases of one recipe follow each other
    recipe_ = recipe;
  }
  const auto [entry, is_new] = quantized_.try_emplace(arm.place());
  if (is_new) entry->second = round_to_nearest(layer.layer.matrix(), scheme);
  entry->second.scheme = scheme;  // the activations may differ
  entry->second.input = layer.input_grid;
  return entry->second;
}

void Leg::prepare(LayerArm& arm) {
  const Layer& layer = layers_[arm.place()].layer;
  const Scheme scheme = parse_scheme(arm.row().scheme);
  arm.pack(kernel(arm.row().kernel)
               .prepare(layer_problem(layer.shape, scheme, arm.row().m), quantized(arm), layer.bias,
                        device_));
  if (workspace_.size() < arm.prepared().workspace_bytes())
    workspace_ = Buffer(arm.prepared().workspace_bytes());
}

void Leg::verify(LayerArm& arm, const QuantMatrix& weights) {
  std::fill_n(output_.as<std::uint32_t>(), output_.size() / 4,
              0x7FC00000U);  // NaN: what is not written shows
  arm.prepared().run(layers_[arm.place()].x(job_.group.regime.m), workspace(), output(arm));
  const Verifier::Finding finding = verifiers_[arm.place()].verify(
      weights, kernel(arm.row().kernel).info().contract, output(arm));
  if (!finding.comparison.passed()) {
    arm.fail("failed", "wrong output: " + finding.comparison.describe());
    return;
  }
  if (finding.comparison.mostly_zero()) {
    arm.fail("mistrusted", "the output agrees with the reference but is mostly zero");
    return;
  }
  if (job_.leg == 0) append_distortion(arm.row(), "", finding.distortion, row_.metrics);
}

void Leg::prepare_layers() {
  // Pages are placed when memory is first touched, so who is prepared first swaps from leg to leg.
  std::vector<LayerArm*> order;
  for (LayerArm& arm : layer_arms_) order.push_back(&arm);
  std::ranges::stable_sort(order, {}, [](const LayerArm* arm) { return recipe_of(arm->row()); });
  if (job_.leg % 2 == 1) std::ranges::reverse(order);
  for (LayerArm* arm : order) {
    guard(*arm, "preparing", [&] { prepare(*arm); });
    guard(*arm, "verifying", [&] { verify(*arm, quantized(*arm)); });
  }
  quantized_.clear();
  for (LayerArm* arm : order) {
    arm->work.call = [this, arm] {
      arm->run(layers_[arm->place()].x(job_.group.regime.m), workspace(), output(*arm));
    };
    if (job_.group.regime.cache == Cache::cold && arm->passed()) make_cold(*arm);
  }
}

void Leg::make_cold(LayerArm& arm) {
  if (!arm.prepared().packed().empty()) {
    arm.work.before = [this, &arm](std::int64_t calls) { arm.cool(calls, job_.threads); };
    return;
  }
  guard(arm, "copying",
        [&] { arm.make_copies(cold_copies(arm.result().packed_bytes, job_.machine)); });
}

/// From the packed layers of its scheme, backend and method.
void Leg::assemble(ModelArm& arm) {
  std::vector<LayerArm*> layers;
  for (LayerArm& layer : layer_arms_) {
    const CaseRow& row = layer.row();
    if (row.arm == "a" && row.scheme == arm.row().scheme && row.backend == arm.row().backend &&
        row.method == arm.row().method) {
      layers.push_back(&layer);
    }
  }
  arm.assemble(*model_, layers, job_.group.regime.m, job_.threads);
  if (!arm.passed()) return;
  arm.work.call = model_call(arm.executor(), model_->graph, inputs_,
                             {scores_.as<float>(), scores_.size() / sizeof(float)});
}

void Leg::warm_up() {
  for (Arm* arm : timed_arms())
    guard(*arm, "warming up", [&] { arm->pace = timer_.find_pace(arm->work); });
}

void Leg::time_round(int round) {
  ceilings_->sample();
  int position = 0;
  const std::vector<Arm*> timed = timed_arms();
  // Layer by layer, and the whole model, so that the cases that are compared follow each other.
  for (const std::size_t place : shuffled(layers_.size() + 1, random_)) {
    for (const std::size_t index : shuffled(timed.size(), random_)) {
      Arm& arm = *timed[index];
      if (arm.place() != place) continue;
      guard(arm, "timing", [&] {
        const RoundTime time = timer_.time_round(arm.work, arm.pace);
        arm.result().rounds.push_back(
            {round, position++, time.q25, time.median, arm.pace.batches, arm.pace.iterations});
      });
    }
  }
}

/// What is faster than the machine can be was not measured.
void Leg::judge_ceilings() {
  const auto judge = [](Arm& arm, const std::optional<Reach>& reach) {
    const auto excess = reach ? reach->excess() : std::nullopt;
    if (!excess) return;
    arm.result().status = "mistrusted";
    arm.result().reason = *excess;
  };
  const std::int64_t m = job_.group.regime.m;
  for (LayerArm& arm : layer_arms_) {
    if (!arm.passed() || arm.result().rounds.empty()) continue;
    const Traffic traffic = arm.prepared().traffic(layers_[arm.place()].rows(m));
    const auto reach = ceilings_->reach(traffic, arm.result().rounds);
    if (job_.leg == 0) add_metric(arm, "operations", traffic.operations, "op", "none");
    if (reach)
      add_metric(arm, "ceiling_fraction", reach->fraction(), "fraction", "higher", reach->bound);
    judge(arm, reach);
  }
  for (ModelArm& arm : model_arms_) {
    if (arm.passed()) judge(arm, ceilings_->reach(arm.traffic(m), arm.result().rounds));
  }
}

void Leg::add_metric(const Arm& arm, const char* name, double value, const char* unit,
                     const char* direction, const char* baseline) {
  row_.metrics.push_back(
      {arm.row().key, arm.row().arm, name, value, value, value, 1, unit, direction, baseline});
}

void Leg::evaluate() {
  // The predictions of packed weights do not change: one leg's say all.
  if (!job_.group.evaluate || job_.leg != 0) return;
  if (text_) return evaluate_text();
  Evaluation evaluation(*model_, layers_, inputs_, job_);
  for (ModelArm& arm : model_arms_) {
    guard(arm, "evaluating", [&] { evaluation.run(arm, row_); });
  }
}

void Leg::evaluate_text() {
  TextEvaluation evaluation(*model_, *text_, kernels_, device_);
  for (const TextWindow& window : text_->windows) {
    evaluation.open(window);
    for (ModelArm& arm : model_arms_) guard(arm, "evaluating", [&] { evaluation.score(arm); });
  }
  for (ModelArm& arm : model_arms_) {
    guard(arm, "evaluating", [&] {
      evaluation.finish(arm, row_);
      if (arm.row().kv_cache == to_string(KvFormat::fp32))
        append_layer_errors(arm, layers_, inputs_, job_, row_);
    });
  }
}

LegRow Leg::run(const std::function<std::optional<int>()>& next_round) {
  nlohmann::json environment;
  environment["before"] = to_object(qassay::environment({}));
  environment["clock_hz_before"] = clock_hz();
  row_.group = job_.group.key;
  row_.leg = job_.leg;

  prepare_layers();
  for (ModelArm& arm : model_arms_) guard(arm, "assembling", [&] { assemble(arm); });
  ceilings_.emplace(job_.threads, job_.group.regime.cache);
  warm_up();
  while (const std::optional<int> round = next_round()) time_round(*round);
  evaluate();
  judge_ceilings();

  for (Arm* arm : arms()) row_.cases.push_back(std::move(arm->result()));
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

LegRow run_leg(const Job& job, const std::function<void(const Step&)>& say,
               const std::function<std::optional<int>()>& next_round) {
  const double started = seconds_since_1970();
  const std::string pinning = job.own_threads ? confine_threads(job.machine, job.threads)
                                              : pin_threads(job.machine, job.threads);
  LegRow row = Leg(job, say).run(next_round);
  nlohmann::json environment = nlohmann::json::parse(row.environment);
  environment["pinning"] = pinning;
  row.environment = environment.dump();
  row.started = started;
  row.seconds = seconds_since_1970() - started;
  return row;
}

}  // namespace qassay
