#include "quantizers/quantize_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"
#include "models/layer_problem.hpp"
#include "models/linear_algebra.hpp"
#include "models/scale_folding.hpp"
#include "models/staged_run.hpp"
#include "quantizers/awq_clip.hpp"
#include "quantizers/channel_scaling.hpp"
#include "quantizers/clip.hpp"
#include "quantizers/gptq.hpp"
#include "quantizers/hessian.hpp"
#include "quantizers/hqq.hpp"
#include "quantizers/input_statistics.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

/// Puts the rows of `part` behind those of `all`, of a scheme with scales by row or block.
void append_rows(QuantMatrix part, QuantMatrix& all) {
  if (all.n == 0) {
    all = std::move(part);
    return;
  }
  all.n += part.n;
  all.codes.insert(all.codes.end(), part.codes.begin(), part.codes.end());
  all.scales.insert(all.scales.end(), part.scales.begin(), part.scales.end());
  all.zero_points.insert(all.zero_points.end(), part.zero_points.begin(), part.zero_points.end());
}

class ModelQuantizer {
 public:
  ModelQuantizer(Model model, const Method& method, const Scheme& scheme,
                 const CalibrationInputs* calibration, int threads,
                 const QuantizeProgress& progress, GraphChange change)
      : method_(method),
        scheme_(scheme),
        calibration_(calibration),
        threads_(threads),
        progress_(progress),
        change_(change),
        shapes_(layer_shapes(model.graph)) {
    result_.model = std::move(model);
  }

  QuantizedModel run() {
    if (scheme_.weights.kind != Kind::integer || !needs_calibration(method_)) {
      quantize_each([this](const Layer& layer, const Scheme& scheme) {
        return quantize_layer(layer.matrix(), method_, scheme);
      });
      return std::move(result_);
    }
    if (calibration_ == nullptr)
      throw std::invalid_argument("a method that needs calibration data without any");
    if (const auto missing = linear_algebra_missing()) {
      throw InputError(to_string(method_), missing->reason,
                       "choose a method that needs no calibration data: rtn, mse or hqq");
    }
    if (method_.algorithm == Algorithm::gptq) {
      run_gptq();
    } else {
      run_scaling();
    }
    return std::move(result_);
  }

 private:
  Scheme scheme_of(std::size_t layer) const {
    return layer_problem(shapes_[layer], scheme_, 1).scheme;
  }

  /// Layer by layer; what is thrown names the layer.
  template <typename Quantize>
  void quantize_each(const Quantize& quantize) {
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      at_layer(i, [&] { keep(quantize(layer_of(result_.model, shapes_[i]), scheme_of(i))); });
    }
  }

  template <typename Work>
  void at_layer(std::size_t layer, const Work& work) const {
    try {
      work();
    } catch (const InputError& error) {
      throw InputError(
          fmt::format("{}, layer {}: {}", result_.model.name, shapes_[layer].name, error.what()));
    }
  }

  void keep(QuantMatrix layer) {
    result_.layers.push_back(std::move(layer));
    advance(1);
  }

  void advance(std::size_t steps) {
    done_ += steps;
    if (progress_) progress_(done_, looks_ * shapes_.size());
  }

  void note(std::size_t layer, const std::string& text) {
    result_.notes.push_back(fmt::format("{}: {}", shapes_[layer].name, text));
  }

  // GPTQ

  void run_gptq() {
    run_staged(result_.model, calibration_->matrix(), threads_,
               [this](std::size_t layer, const LayerInput& input) {
                 at_layer(layer, [&] { keep(gptq_layer(layer, input)); });
                 return dequantize(result_.layers.back());
               });
  }

  QuantMatrix gptq_layer(std::size_t index, const LayerInput& input) {
    const Layer layer = layer_of(result_.model, shapes_[index]);
    const Scheme scheme = scheme_of(index);
    if (input.groups() > 1 && scheme.weights.per == Granularity::tensor) {
      note(index, "rounded to nearest: one scale for groups with inputs of their own");
      return round_to_nearest(layer.matrix(), scheme);
    }
    const std::int64_t rows = layer.shape.n / input.groups();
    QuantMatrix all;
    for (std::int64_t group = 0; group < input.groups(); ++group) {
      const GptqPlan& plan = plan_for(index, input, group);
      append_rows(gptq({layer.weights.data() + group * rows * layer.shape.k, rows, layer.shape.k},
                       plan, scheme),
                  all);
    }
    return all;
  }

  /// Layers with the same input share the last plan.
  const GptqPlan& plan_for(std::size_t index, const LayerInput& input, std::int64_t group) {
    const bool linear = !shapes_[index].convolution;
    if (linear && plan_value_ == input.value()) return *plan_;
    Hessian hessian(shapes_[index].k, "calibration");
    input.for_each_batch(group, [&](ConstMatrix x) { hessian.add(x); });
    plan_ = plan_gptq(hessian, {.damping = method_.damping, .act_order = method_.act_order});
    plan_value_ = linear ? std::optional(input.value()) : std::nullopt;
    if (plan_->fell_back) {
      note(index, "rounded to nearest: no damping makes its Hessian positive definite");
    } else if (plan_->escalations > 0) {
      note(index, fmt::format("damping raised to {}", plan_->damping));
    }
    return *plan_;
  }

  // AWQ and SmoothQuant

  void run_scaling() {
    looks_ = 3;  // statistics, scales, codes
    gather_statistics();
    for (const SharedInput& input : shared_inputs(result_.model.graph)) {
      if (input.refusal && change_ == GraphChange::none) {
        note(input.layers.front(), "not scaled: " + input.refusal->reason);
      } else {
        at_layer(input.layers.front(), [&] { scale(input); });
      }
    }
    done_ = 2 * shapes_.size();  // convolutions have no scales
    std::size_t index = 0;
    quantize_each([&](const Layer& layer, const Scheme& scheme) {
      return on_scaled_inputs(index++, layer, scheme);
    });
  }

  void gather_statistics() {
    run_staged(result_.model, calibration_->matrix(), threads_,
               [this](std::size_t layer, const LayerInput& input) {
                 at_layer(layer, [&] { gather(layer, input); });
                 advance(1);
                 return layer_of(result_.model, shapes_[layer]).weights;
               });
  }

  void gather(std::size_t layer, const LayerInput& input) {
    values_.push_back(input.value());
    if (input.groups() > 1) return;
    const StatisticsKey key = key_of(layer);
    if (statistics_.contains(key)) return;
    InputStatistics& statistics =
        statistics_.try_emplace(key, shapes_[layer].k, std::string("calibration")).first->second;
    input.for_each_batch(0, [&](ConstMatrix x) { statistics.add(x); });
  }

  /// Linear layers with the same value share their input; a convolution's patches are its own.
  using StatisticsKey = std::pair<ValueId, std::size_t>;
  StatisticsKey key_of(std::size_t layer) const {
    return {values_[layer], shapes_[layer].convolution ? layer + 1 : 0};
  }

  const InputStatistics* statistics_of(std::size_t layer) const {
    const auto found = statistics_.find(key_of(layer));
    return found == statistics_.end() ? nullptr : &found->second;
  }

  void scale(const SharedInput& input) {
    std::vector<Layer> layers;
    for (const std::size_t layer : input.layers)
      layers.push_back(layer_of(result_.model, shapes_[layer]));
    std::vector<ConstMatrix> weights;
    for (const Layer& layer : layers) weights.push_back(layer.matrix());
    const InputStatistics& statistics = *statistics_of(input.layers.front());
    std::vector<float> scales =
        method_.algorithm == Algorithm::awq
            ? awq_scales(statistics, weights, scheme_, method_.duo_scaling).scales
            : smoothquant_scales(statistics.largest_magnitudes(), weights, method_.migration);
    if (!input.refusal) {
      fold_scales(result_.model, input, scales);
    } else if (std::ranges::any_of(scales, [](float scale) { return scale != 1; })) {
      insert_scales(result_.model, input, scales);
      note(input.layers.front(), "scaled by a node of its own: " + input.refusal->reason);
    }
    scales_[input.value] = std::move(scales);
    advance(input.layers.size());
  }

  QuantMatrix on_scaled_inputs(std::size_t index, const Layer& layer, const Scheme& scheme) {
    if (method_.algorithm == Algorithm::smoothquant || !method_.clips)
      return round_to_nearest(layer.matrix(), scheme);
    const InputStatistics* statistics = statistics_of(index);
    if (statistics == nullptr) {
      note(index, "rounded to nearest: its groups have inputs of their own");
      return round_to_nearest(layer.matrix(), scheme);
    }
    const auto scales = scales_.find(values_[index]);
    if (scales == scales_.end())
      return quantize_awq_clipped(layer.matrix(), statistics->sample(), scheme);
    const std::vector<float> inputs = unscaled_columns(statistics->sample(), scales->second);
    return quantize_awq_clipped(layer.matrix(),
                                {inputs.data(), statistics->sample().rows, layer.shape.k}, scheme);
  }

  const Method& method_;
  const Scheme& scheme_;
  const CalibrationInputs* calibration_;
  int threads_;
  const QuantizeProgress& progress_;
  GraphChange change_;
  std::size_t looks_ = 1, done_ = 0;  // at each layer; steps
  std::vector<LayerShape> shapes_;
  QuantizedModel result_;

  std::optional<GptqPlan> plan_;
  std::optional<ValueId> plan_value_;  // that it is for, of linear layers

  std::vector<ValueId> values_;  // that the layers read
  std::map<StatisticsKey, InputStatistics> statistics_;
  std::map<ValueId, std::vector<float>> scales_;  // by the values of the graph as it was
};

}  // namespace

QuantMatrix quantize_layer(ConstMatrix weights, const Method& method, const Scheme& scheme) {
  if (scheme.weights.kind == Kind::integer) {
    if (method.algorithm == Algorithm::mse) return quantize_clipped(weights, scheme);
    if (method.algorithm == Algorithm::hqq) return hqq(weights, scheme);
  }
  return round_to_nearest(weights, scheme);
}

QuantizedModel quantize_model(Model model, const Method& method, const Scheme& scheme,
                              const CalibrationInputs* calibration, int threads,
                              const QuantizeProgress& progress, GraphChange change) {
  return ModelQuantizer(std::move(model), method, scheme, calibration, threads, progress, change)
      .run();
}

}  // namespace qassay
