#include "models/train/trainer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "core/extremes.hpp"
#include "core/seed.hpp"
#include "models/train/checkpoint.hpp"
#include "models/train/training_graph.hpp"

namespace qassay {
namespace {

std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Random random(seed);
  random.shuffle(order);
  return order;
}

std::int64_t epoch_samples(const TrainingRecipe& recipe, const Lessons& lessons) {
  return recipe.epoch_samples > 0 ? recipe.epoch_samples : lessons.count();
}

std::string text_of(const OptimizerRecipe& recipe) {
  if (const auto* sgd = std::get_if<Sgd>(&recipe))
    return fmt::format("sgd(momentum={}, weight_decay={})", sgd->momentum, sgd->weight_decay);
  const AdamW& adam = std::get<AdamW>(recipe);
  return fmt::format("adamw(beta1={}, beta2={}, epsilon={}, weight_decay={}, clip={})", adam.beta1,
                     adam.beta2, adam.epsilon, adam.weight_decay, adam.clip);
}

class Training {
 public:
  Training(Model& model, Lessons& lessons, const TrainingRecipe& recipe, int threads)
      : model_(model),
        lessons_(lessons),
        recipe_(recipe),
        optimizer_(recipe.optimizer),
        graph_(model, recipe.batch, threads),
        inputs_(static_cast<std::size_t>(recipe.batch * lessons.features())),
        slope_(static_cast<std::size_t>(recipe.batch * lessons.outputs())) {}

  EpochReport epoch(int index) {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t steps = epoch_samples(recipe_, lessons_) / recipe_.batch;
    const std::uint64_t seed = seed_from_name(fmt::format("{}/epoch {}", recipe_.seed, index));
    const std::vector<std::int64_t> order = shuffled(lessons_.count(), seed);
    double loss = 0;
    double right = 0;
    for (std::int64_t step = 0; step < steps; ++step) {
      const std::span<const std::int64_t> samples(order.data() + step * recipe_.batch,
                                                  static_cast<std::size_t>(recipe_.batch));
      const Outcome outcome = learn(samples, seed, index * steps + step, steps);
      loss += outcome.loss;
      right += outcome.right;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const auto count = static_cast<double>(steps);
    return {index + 1, recipe_.epochs, loss / count, right / count, seconds.count()};
  }

  /// The last step of an epoch may have overflowed behind the last loss that was looked at.
  void check_finite(int epochs) const {
    for (const Parameters* tensors : {&std::as_const(model_).parameters, &optimizer_.state()}) {
      for (const auto& [name, tensor] : *tensors) {
        const auto size = static_cast<std::int64_t>(tensor.values.size());
        if (!std::isfinite(largest_magnitude(tensor.values.data(), size)))
          diverged(fmt::format("end of epoch {}", epochs), name);
      }
    }
  }

  Optimizer& optimizer() { return optimizer_; }

 private:
  [[noreturn]] void diverged(const std::string& where, const std::string& what) const {
    throw InputError(fmt::format("training of {}, {}", model_.name, where),
                     what + " is not a finite number any more", "lower the learning rate");
  }

  Outcome learn(std::span<const std::int64_t> samples, std::uint64_t seed, std::int64_t step,
                std::int64_t steps_per_epoch) {
    const Matrix inputs(inputs_.data(), recipe_.batch, lessons_.features());
    lessons_.fill(samples, seed, inputs);
    const ConstMatrix outputs = graph_.forward(inputs, Mode::training);
    const Matrix slope(slope_.data(), recipe_.batch, lessons_.outputs());
    const Outcome outcome = lessons_.judge(outputs, slope);
    if (!std::isfinite(outcome.loss)) diverged(fmt::format("step {}", step), "the loss");
    graph_.backward(slope);
    optimizer_.step(model_.parameters, graph_.gradients(),
                    learning_rate(recipe_, step, steps_per_epoch));
    return outcome;
  }

  Model& model_;
  Lessons& lessons_;
  const TrainingRecipe& recipe_;
  Optimizer optimizer_;
  TrainingGraph graph_;
  std::vector<float> inputs_, slope_;
};

void check_fit(const Model& model, const Lessons& lessons, const TrainingRecipe& recipe) {
  const std::vector<Extent> extents = infer_extents(model.graph);
  if (extents.front().features() != lessons.features() ||
      extents.back().features() != lessons.outputs() || recipe.batch < 1 ||
      recipe.epoch_samples > lessons.count() || recipe.batch > epoch_samples(recipe, lessons)) {
    throw std::invalid_argument("a model or a batch that does not fit " + lessons.key());
  }
}

}  // namespace

std::string TrainingRecipe::key() const {
  return fmt::format(
      "epochs={} epoch_samples={} batch={} optimizer={} peak_rate={} warmup_epochs={} "
      "initial_variance={} seed={}",
      epochs, epoch_samples, batch, text_of(optimizer), peak_rate, warmup_epochs, initial_variance,
      seed);
}

double learning_rate(const TrainingRecipe& recipe, std::int64_t step,
                     std::int64_t steps_per_epoch) {
  const double epoch = (static_cast<double>(step) + 1) / static_cast<double>(steps_per_epoch);
  if (epoch <= recipe.warmup_epochs) return recipe.peak_rate * epoch / recipe.warmup_epochs;
  const double share = (epoch - recipe.warmup_epochs) / (recipe.epochs - recipe.warmup_epochs);
  return recipe.peak_rate * (1 + std::cos(std::numbers::pi * share)) / 2;
}

void initialize(Model& model, double variance, const std::string& seed) {
  for (const ParameterShape& shape : parameter_shapes(model.graph)) {
    Tensor& tensor = model.parameters[shape.name];
    tensor.dims = shape.dims;
    const auto size = static_cast<std::size_t>(std::accumulate(
        shape.dims.begin(), shape.dims.end(), std::int64_t{1}, std::multiplies<>()));
    const bool is_one = shape.name.ends_with(".running_var") ||
                        (shape.name.ends_with(".weight") && shape.dims.size() == 1);
    tensor.values.assign(size, is_one ? 1.0F : 0.0F);
    if (shape.dims.size() < 2) continue;
    const auto inputs = static_cast<double>(size) / static_cast<double>(shape.dims.front());
    fill_normal(tensor.values, seed_from_name(fmt::format("{}/{}", seed, shape.name)),
                static_cast<float>(std::sqrt(variance / inputs)));
  }
}

bool train(Model& model, Lessons& lessons, const TrainingRecipe& recipe, int threads,
           const Checkpointing& checkpointing,
           const std::function<bool(const EpochReport&)>& report) {
  check_fit(model, lessons, recipe);
  initialize(model, recipe.initial_variance, recipe.seed);
  const std::string key = fmt::format("{} on {}: {}", model.name, lessons.key(), recipe.key());
  Training training(model, lessons, recipe, threads);
  int done = 0;
  if (checkpointing.resume) {
    Checkpoint checkpoint = load_checkpoint(checkpointing.file, key, parameter_shapes(model.graph));
    done = checkpoint.epochs;
    // In place: the training graph holds pointers to the tensors.
    for (auto& [name, tensor] : checkpoint.parameters)
      model.parameters.at(name) = std::move(tensor);
    training.optimizer().restore(std::move(checkpoint.optimizer));
  }
  for (int epoch = done; epoch < recipe.epochs; ++epoch) {
    const EpochReport outcome = training.epoch(epoch);
    training.check_finite(epoch + 1);
    if (!checkpointing.file.empty()) {
      save_checkpoint({epoch + 1, model.parameters, training.optimizer().state()}, key,
                      checkpointing.file);
    }
    if (!report(outcome) && epoch + 1 < recipe.epochs) return false;
  }
  return true;
}

}  // namespace qassay
