#include "harness/worker/leg_recipes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/hash.hpp"
#include "core/record.hpp"
#include "core/seed.hpp"
#include "datasets/disjoint.hpp"
#include "harness/run/progress_line.hpp"
#include "models/import/quantized_folder.hpp"
#include "models/linear_algebra.hpp"
#include "models/model_cache.hpp"
#include "quantizers/calibration_metrics.hpp"
#include "quantizers/layer_error.hpp"

namespace qassay {
namespace {

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Of a layer of the group among all of the model's.
std::size_t index_of(const LegLayer& layer, const Model& model) {
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  const auto found = std::ranges::find(shapes, layer.layer.shape.name, &LayerShape::name);
  return static_cast<std::size_t>(found - shapes.begin());
}

}  // namespace

Recipe recipe_of(const CaseRow& row) {
  Scheme scheme = parse_scheme(row.scheme);
  if (scheme.weights.kind == Kind::integer) scheme.input = parse_scheme("W8A16").input;
  return {row.method == "none" ? "rtn" : row.method, to_string(scheme)};
}

LegRecipes::LegRecipes(const Job& job, std::optional<Model> model, std::span<const float> inputs,
                       const EvaluationText* text, const KernelChoice& kernels,
                       const Device& device, std::uint64_t seed,
                       std::function<void(const std::string&)> say)
    : job_(job),
      inputs_(inputs),
      text_(text),
      kernels_(kernels),
      device_(device),
      seed_(seed),
      say_(std::move(say)),
      base_(prepared(std::move(model), inputs)) {}

LegModel LegRecipes::prepared(std::optional<Model> model, std::span<const float> inputs) {
  LegModel made;
  made.model = std::move(model);
  made.layers =
      build_layers(job_.group, made.model ? &*made.model : nullptr, inputs, kernels_, device_);
  Random random(seed_);  // the same channels of every model
  for (const LegLayer& layer : made.layers)
    made.verifiers.emplace_back(layer, job_.group.regime.m, kernels_, device_, random.next());
  return made;
}

LegModel& LegRecipes::model_of(const CaseRow& row) {
  const auto own = own_.find(recipe_of(row));
  return own == own_.end() ? base_ : own->second;
}

const QuantMatrix& LegRecipes::weights(const CaseRow& row, std::size_t place) {
  const Recipe recipe = recipe_of(row);
  if (in_hand_.recipe != recipe) begin(recipe);
  if (in_hand_.fault) std::rethrow_exception(in_hand_.fault);
  std::optional<QuantMatrix>& layer = in_hand_.layers[place];
  if (!layer) layer = quantize(recipe, place);
  const LayerShape& shape = base_.layers[place].layer.shape;
  layer->scheme = layer_problem(shape, parse_scheme(row.scheme), 1).scheme;  // its activations
  if (layer->scheme.input.range == Range::fixed) layer->input = input_grid(row, place);
  return *layer;
}

std::optional<QuantizingCost> LegRecipes::cost(const CaseRow& row) const {
  const auto found = costs_.find(recipe_of(row));
  if (row.method == "none" || found == costs_.end()) return std::nullopt;
  return found->second;
}

/// The most that a method of the group is fitted to, or the usual number if that is less; 0 where
/// none is fitted.
std::int64_t LegRecipes::metric_samples() const {
  std::int64_t most = 0;
  for (const CaseRow& row : job_.group.cases) {
    if (row.method == "none" || row.method == kCheckpointMethod) continue;
    const Method method = parse_method(row.method);
    if (needs_calibration(method)) most = std::max(most, weight_samples(method));
  }
  return std::min(most, weight_samples({.algorithm = Algorithm::gptq}));
}

std::optional<double> LegRecipes::h_weighted_error(const CaseRow& row, std::size_t place) {
  const std::int64_t samples = metric_samples();
  if (samples == 0 || linear_algebra_missing()) return std::nullopt;
  LegModel& model = model_of(row);
  if (model.metrics.empty())
    model.metrics = calibration_metrics(*model.model, calibration(samples), device_.threads);
  const LegLayer& layer = model.layers[place];
  const auto& metric = model.metrics[index_of(layer, *model.model)];
  if (!metric) return std::nullopt;
  return std::sqrt(output_error(layer.layer.matrix(), weights(row, place), *metric));
}

void LegRecipes::begin(const Recipe& recipe) {
  in_hand_ = {.recipe = recipe, .fault = nullptr, .layers = {}};
  in_hand_.layers.resize(base_.layers.size());
  const bool published = recipe.method == kCheckpointMethod;
  if (!published && !needs_calibration(parse_method(recipe.method))) return;
  try {
    published ? read_checkpoint(recipe) : quantize_all(recipe);
  } catch (...) {
    in_hand_.fault = std::current_exception();
  }
}

void LegRecipes::quantize_all(const Recipe& recipe) {
  Artifact made = artifact(recipe);
  costs_[recipe] = {made.seconds, made.peak_bytes};
  for (std::size_t place = 0; place < base_.layers.size(); ++place) {
    in_hand_.layers[place] =
        std::move(made.quantized.layers[index_of(base_.layers[place], *base_.model)]);
  }
  keep_model(recipe, std::move(made.quantized.model));
}

/// Layers that it has in floating point stay without a matrix.
void LegRecipes::read_checkpoint(const Recipe& recipe) {
  QuantizedFolder read = read_quantized_folder(job_.group.checkpoint, job_.group.context);
  const NumberFormat planned = parse_scheme(recipe.weights).weights;
  for (std::size_t place = 0; place < base_.layers.size(); ++place) {
    const auto found = read.layers.find(base_.layers[place].layer.shape.name);
    if (found == read.layers.end()) continue;
    if (found->second.scheme.weights != planned || read.model.graph != base_.model->graph) {
      throw InputError(job_.group.checkpoint, "has changed since the run began", "begin a new run");
    }
    in_hand_.layers[place] = std::move(found->second);
  }
  order_inputs(read.model, read.orders);
  keep_model(recipe, std::move(read.model));
}

/// One that is like the base needs no place of its own.
void LegRecipes::keep_model(const Recipe& recipe, Model model) {
  if (model.parameters != base_.model->parameters && own_.count(recipe) == 0)
    own_.emplace(recipe, prepared(std::move(model), inputs_));
}

QuantMatrix LegRecipes::quantize(const Recipe& recipe, std::size_t place) {
  const Layer& layer = base_.layers[place].layer;
  const Scheme scheme = layer_problem(layer.shape, parse_scheme(recipe.weights), 1).scheme;
  QuantMatrix made;
  QuantizingCost& cost = costs_[recipe];
  peak_.begin_part();
  cost.seconds += seconds_of(
      [&] { made = quantize_layer(layer.matrix(), parse_method(recipe.method), scheme); });
  cost.peak_bytes = std::max(cost.peak_bytes, PeakMemory::of_part());
  return made;
}

const CalibrationInputs& LegRecipes::calibration(std::int64_t samples) {
  const auto [entry, is_new] = calibrations_.try_emplace(samples);
  if (!is_new) return entry->second;
  entry->second = calibration_inputs(*base_.model, job_.group.source, samples,
                                     job_.group.text ? job_.group.context : 0);
  if (text_ != nullptr) {
    const std::vector<float>& ids = entry->second.values;
    check_disjoint(std::vector<std::int32_t>(ids.begin(), ids.end()), text_->tokens);
  }
  return entry->second;
}

/// What it depends on: the model, the method and its data, this program and, for what it cost, the
/// machine and its threads.
Artifact LegRecipes::artifact(const Recipe& recipe) {
  const Model& model = *base_.model;
  const CalibrationInputs& inputs = calibration(weight_samples(parse_method(recipe.method)));
  const std::string key =
      fmt::format("model {} method {} weights {} calibration {} program {} machine {} threads {}",
                  content_hash(model), recipe.method, recipe.weights, inputs.hash,
                  sha256_file("/proc/self/exe"), job_.machine.fingerprint, device_.threads);
  return cached_artifact(default_cache_folder(), key, model, parse_scheme(recipe.weights),
                         [&] { return make(recipe, inputs); });
}

Artifact LegRecipes::make(const Recipe& recipe, const CalibrationInputs& inputs) {
  Artifact made;
  peak_.begin_part();
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  made.quantized =
      quantize_model(*base_.model, parse_method(recipe.method), parse_scheme(recipe.weights),
                     &inputs, device_.threads, [&](std::size_t done, std::size_t steps) {
                       say_(fmt::format("{} {}: {}", recipe.method, recipe.weights,
                                        steps_text(seconds(), done, steps)));
                     });
  made.seconds = seconds();
  made.peak_bytes = PeakMemory::of_part();
  return made;
}

const Grid& LegRecipes::input_grid(const CaseRow& row, std::size_t place) {
  const LegModel& model = model_of(row);
  const Method method = parse_method(row.method);
  // Those of the whole model, from one run.
  const std::string key = fmt::format("{} {} {}", static_cast<const void*>(&model),
                                      to_string(method.ranges), range_samples(method));
  const auto [entry, is_new] = grids_.try_emplace(key);
  if (is_new) entry->second = input_grids(*model.model, method, kernels_, device_);
  return entry->second[index_of(model.layers[place], *model.model)];
}

}  // namespace qassay
