#include "harness/worker/leg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/record.hpp"
#include "core/seed.hpp"
#include "hardware_profiles/environment.hpp"
#include "hardware_profiles/pinning.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "harness/worker/arm.hpp"
#include "harness/worker/evaluation.hpp"
#include "harness/worker/leg_ceilings.hpp"
#include "harness/worker/leg_recipes.hpp"
#include "harness/worker/model_call.hpp"
#include "harness/worker/text_evaluation.hpp"
#include "models/catalogue.hpp"
#include "models/evaluation_text.hpp"
#include "models/layer_problem.hpp"
#include "quantizers/layer_error.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
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

/// The comparison sees a sample of it.
bool has_gaps(ConstMatrix y) {
  return std::any_of(y.data, y.data + y.rows * y.cols,
                     [](float value) { return std::isnan(value); });
}

/// A layer of a model arm that is no case of its own.
struct FloatLayer {
  FloatLayer(const CaseRow& row_, std::size_t place) : row(row_), arm(row, place) {}

  CaseRow row;
  LayerArm arm;
};

class Leg {
 public:
  Leg(const Job& job, const std::function<void(const Step&)>& say);

  LegRow run(const std::function<std::optional<int>()>& next_round);

 private:
  std::optional<Model> load();
  void prepare(LayerArm& arm);
  void verify(LayerArm& arm, const QuantMatrix& weights);
  void prepare_layers();
  void give_work(LayerArm& arm);
  void make_cold(LayerArm& arm);
  LayerArm& float_layer(const ModelArm& arm, std::size_t place);
  void assemble(ModelArm& arm);
  void add_cost(const ModelArm& arm);
  void warm_up();
  void time_round(int round);
  bool exceeds_ceilings();
  void judge_ceilings();
  std::optional<Reach> reach(LayerArm& arm, const Traffic& traffic);
  void add_metric(const Arm& arm, const char* name, double value, const char* unit,
                  const char* direction, const char* baseline = "");
  void evaluate();
  void evaluate_text();

  std::span<std::byte> workspace() const { return {workspace_.data(), workspace_.size()}; }
  const LegLayer& layer_of(const LayerArm& arm) {
    return recipes_->model_of(arm.row()).layers[arm.place()];
  }
  Matrix output(const LayerArm& arm) {
    const LegLayer& layer = layer_of(arm);
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
  std::optional<EvaluationText> text_;  // where the model is scored on one
  std::optional<LegRecipes> recipes_;
  std::vector<LayerArm> layer_arms_;
  std::vector<ModelArm> model_arms_;
  std::map<std::size_t, FloatLayer> float_layers_;  // by place
  std::vector<float> inputs_;                       // of the whole model
  std::string quantizing_;                          // the case that a model is quantized for
  Buffer workspace_, output_, scores_;              // shared by all cases
  std::optional<LegCeilings> ceilings_;
  std::optional<Ceilings> device_ceilings_;
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
  std::optional<Model> model;
  if (!job.group.source.empty()) model = load();
  recipes_.emplace(job, std::move(model), inputs_, text_ ? &*text_ : nullptr, kernels_, device_,
                   random_.next(), [this](const std::string& how_far) {
                     say_({quantizing_, "a", "quantizing", how_far});
                   });
  const std::vector<LegLayer>& layers = recipes_->base().layers;
  for (const CaseRow& row : job.group.cases) {
    if (row.layer.empty()) {
      model_arms_.emplace_back(row, layers.size());
      continue;
    }
    const auto at = std::ranges::find(layers, row.layer,
                                      [](const LegLayer& layer) { return layer.layer.shape.name; });
    if (at != layers.end())
      layer_arms_.emplace_back(row, static_cast<std::size_t>(at - layers.begin()));
  }
  const std::int64_t m = job.group.regime.m;
  std::int64_t widest = 0;
  for (const LegLayer& layer : layers) widest = std::max(widest, layer.outputs() * layer.rows(m));
  output_ = Buffer(static_cast<std::size_t>(widest) * sizeof(float));
  if (model_arms_.empty()) return;
  scores_ = Buffer(score_count(recipes_->base().model->graph, m) * sizeof(float));
}

std::optional<Model> Leg::load() {
  const Group& group = job_.group;
  Model model = load_model(group.source, job_.threads, group.context);
  if (group.evaluate && group.text) {
    text_ = evaluation_text({.source = group.source,
                             .dataset = model.dataset,
                             .vocabulary = vocabulary_of(model.graph)},
                            group.choice, group.regime.m, group.samples);
    if (const auto refusal = refuse_comparison(text_->protocol, group.protocol)) {
      throw InputError(text_->protocol.text, "has changed since the run began: " + refusal->reason,
                       "begin a new run");
    }
  }
  inputs_ = first_inputs(model, group.regime.m, text_ ? &*text_ : nullptr);
  return model;
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

void Leg::prepare(LayerArm& arm) {
  quantizing_ = arm.row().key;
  const QuantMatrix& weights = recipes_->weights(arm.row(), arm.place());
  const Layer& layer = layer_of(arm).layer;
  const Scheme scheme = parse_scheme(arm.row().scheme);
  arm.pack(
      kernel(arm.row().kernel)
          .prepare(layer_problem(layer.shape, scheme, arm.row().m), weights, layer.bias, device_));
  const std::string& method = arm.row().method;
  if (job_.leg == 0 && job_.group.evaluate && method != "none" && method != kCheckpointMethod) {
    add_metric(arm, "weight_relative_error",
               weight_distortion(layer.matrix(), weights).relative_error, "ratio", "lower", "FP32");
    if (const auto error = recipes_->h_weighted_error(arm.row(), arm.place()))
      add_metric(arm, "h_weighted_error", *error, "ratio", "lower", "FP32");
  }
  if (workspace_.size() < arm.prepared().workspace_bytes())
    workspace_ = Buffer(arm.prepared().workspace_bytes());
}

void Leg::verify(LayerArm& arm, const QuantMatrix& weights) {
  std::fill_n(output_.as<std::uint32_t>(), output_.size() / 4,
              0x7FC00000U);  // NaN: what is not written shows
  LegModel& model = recipes_->model_of(arm.row());
  arm.prepared().run(model.layers[arm.place()].x(job_.group.regime.m), workspace(), output(arm));
  const Verifier::Finding finding = model.verifiers[arm.place()].verify(
      weights, arm.row().method, kernel(arm.row().kernel).info().contract, output(arm));
  if (!finding.comparison.passed()) {
    arm.fail("failed", "wrong output: " + finding.comparison.describe());
    return;
  }
  if (has_gaps(output(arm))) {
    arm.fail("failed", "wrong output: parts of it are not written, or not a number");
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
    guard(*arm, "verifying", [&] { verify(*arm, recipes_->weights(arm->row(), arm->place())); });
  }
  recipes_->clear();
  for (LayerArm* arm : order) {
    if (arm->passed()) give_work(*arm);
  }
}

void Leg::give_work(LayerArm& arm) {
  const bool cold = job_.group.regime.cache == Cache::cold;
  if (DeviceClock* const clock = arm.prepared().clock()) {  // verified, so x is there
    arm.work.on_device = [clock, cold](std::int64_t calls) { return clock->seconds(calls, cold); };
    return;
  }
  arm.work.call = [this, &arm] {
    arm.run(layer_of(arm).x(job_.group.regime.m), workspace(), output(arm));
  };
  if (cold) make_cold(arm);
}

void Leg::make_cold(LayerArm& arm) {
  if (arm.prepared().packed().empty()) {
    return arm.fail("skipped",
                    "its packed weights lie where they cannot be dropped from the caches");
  }
  arm.work.before = [this, &arm](std::int64_t calls) { arm.cool(calls, job_.threads); };
}

/// A layer that a checkpoint has in floating point: packed once for all arms.
LayerArm& Leg::float_layer(const ModelArm& arm, std::size_t place) {
  const LegLayer& layer = recipes_->model_of(arm.row()).layers[place];
  CaseRow row = arm.row();
  row.layer = layer.layer.shape.name;
  const auto [entry, is_new] = float_layers_.try_emplace(place, row, place);
  if (!is_new) return entry->second.arm;
  const Scheme fp32 = parse_scheme("FP32");
  const Problem problem = layer_problem(layer.layer.shape, fp32, row.m);
  entry->second.arm.pack(kernels_.first(problem).prepare(
      problem, round_to_nearest(layer.layer.matrix(), fp32), layer.layer.bias, device_));
  return entry->second.arm;
}

/// From the packed layers of its scheme, backend and method.
void Leg::assemble(ModelArm& arm) {
  std::vector<LayerArm*> layers(recipes_->base().layers.size());
  for (LayerArm& layer : layer_arms_) {
    const CaseRow& row = layer.row();
    if (row.arm == "a" && row.scheme == arm.row().scheme && row.backend == arm.row().backend &&
        row.method == arm.row().method) {
      layers[layer.place()] = &layer;
    }
  }
  for (std::size_t place = 0; place < layers.size(); ++place) {
    if (layers[place] != nullptr) continue;
    if (arm.row().method != kCheckpointMethod) throw std::logic_error("a layer that is no case");
    layers[place] = &float_layer(arm, place);
  }
  const auto on_device = [](LayerArm* layer) {
    return layer->packed() && layer->prepared().clock() != nullptr;
  };
  if (std::ranges::any_of(layers, on_device)) {
    arm.fail("failed", "its layers are on a device, where no whole model is run yet");
    return;
  }
  const Model& model = *recipes_->model_of(arm.row()).model;
  arm.assemble(model, layers, job_.group.regime.m, job_.threads);
  if (!arm.passed()) return;
  add_cost(arm);
  arm.work.call = model_call(arm.executor(), model.graph, inputs_,
                             {scores_.as<float>(), scores_.size() / sizeof(float)});
}

/// What the weights took to quantize, of all layers.
void Leg::add_cost(const ModelArm& arm) {
  const auto cost = recipes_->cost(arm.row());
  if (job_.leg != 0 || !cost) return;
  add_metric(arm, "quantize_seconds", cost->seconds, "s", "lower");
  add_metric(arm, "quantize_peak_bytes", static_cast<double>(cost->peak_bytes), "bytes", "lower");
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
  for (const std::size_t place : shuffled(recipes_->base().layers.size() + 1, random_)) {
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

/// Of a device the read rate alone is probed, once a leg.
std::optional<Reach> Leg::reach(LayerArm& arm, const Traffic& traffic) {
  const Cache cache = job_.group.regime.cache;
  DeviceClock* const clock = arm.prepared().clock();
  if (clock == nullptr) return ceilings_->reach(traffic, arm.result().rounds);
  if (cache == Cache::hot) return std::nullopt;
  if (!device_ceilings_) {
    guard(arm, "probing the device", [&] {
      device_ceilings_.emplace().read_bytes_per_second = clock->read_bytes_per_second();
    });
  }
  if (!device_ceilings_) return std::nullopt;
  return reach_of(traffic, arm.result().rounds, cache, *device_ceilings_);
}

/// Whether a case seems to be faster than the machine.
bool Leg::exceeds_ceilings() {
  const std::int64_t m = job_.group.regime.m;
  const auto exceeds = [](const std::optional<Reach>& reach) { return reach && reach->excess(); };
  return std::ranges::any_of(
             layer_arms_,
             [&](LayerArm& arm) {
               return arm.passed() && !arm.result().rounds.empty() &&
                      exceeds(reach(arm, arm.prepared().traffic(layer_of(arm).rows(m))));
             }) ||
         std::ranges::any_of(model_arms_, [&](ModelArm& arm) {
           return arm.passed() && exceeds(ceilings_->reach(arm.traffic(m), arm.result().rounds));
         });
}

/// What is faster than the machine can be was not measured; but few probes may all have had a bad
/// moment.
void Leg::judge_ceilings() {
  constexpr int kMoreProbes = 30;
  for (int i = 0; i < kMoreProbes && exceeds_ceilings(); ++i) ceilings_->sample();
  const auto judge = [](Arm& arm, const std::optional<Reach>& reach) {
    const auto excess = reach ? reach->excess() : std::nullopt;
    if (!excess) return;
    arm.result().status = "mistrusted";
    arm.result().reason = *excess;
  };
  const std::int64_t m = job_.group.regime.m;
  for (LayerArm& arm : layer_arms_) {
    if (!arm.passed() || arm.result().rounds.empty()) continue;
    const Traffic traffic = arm.prepared().traffic(layer_of(arm).rows(m));
    const auto reach = this->reach(arm, traffic);
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
  const Evaluation evaluation(*recipes_->base().model, inputs_, job_);
  for (ModelArm& arm : model_arms_) {
    guard(arm, "evaluating",
          [&] { evaluation.run(arm, recipes_->model_of(arm.row()).layers, row_); });
  }
}

void Leg::evaluate_text() {
  TextEvaluation evaluation(*recipes_->base().model, job_.group.baseline, *text_, kernels_,
                            device_);
  for (const TextWindow& window : text_->windows) {
    evaluation.open(window);
    for (ModelArm& arm : model_arms_) guard(arm, "evaluating", [&] { evaluation.score(arm); });
  }
  for (ModelArm& arm : model_arms_) {
    guard(arm, "evaluating", [&] {
      evaluation.finish(arm, row_);
      if (arm.row().kv_cache == to_string(KvFormat::fp32))
        append_layer_errors(arm, recipes_->model_of(arm.row()).layers, inputs_, job_, row_);
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
  if (job_.group.timed) warm_up();
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
  row_.peak_rss_bytes = recipes_->peak_bytes();
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
