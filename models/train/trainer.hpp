#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "models/model.hpp"
#include "models/train/lessons.hpp"
#include "models/train/optimizer.hpp"

namespace qassay {

struct TrainingRecipe {
  int epochs = 1;
  std::int64_t epoch_samples = 0;  // drawn anew for each epoch; 0: all there are
  std::int64_t batch = 128;  // samples; what is left over at the end of an epoch waits for the next
  OptimizerRecipe optimizer = Sgd{};
  double peak_rate = 0.1;
  double warmup_epochs = 1;
  double initial_variance = 2;  // of weights, times the inputs of an output
  std::string seed;             // of first weights, orders and changes of samples

  /// All of it as text: a checkpoint of another recipe is refused.
  std::string key() const;
};

/// Linear from 0 to the peak during the warm-up, then half a cosine down to 0 at the end
/// (Loshchilov and Hutter 2017, arXiv:1608.03983). `step` of `steps_per_epoch` in each epoch, from
/// 0.
double learning_rate(const TrainingRecipe& recipe, std::int64_t step, std::int64_t steps_per_epoch);

/// Weights are normal with `variance` / (inputs of an output) (with 2 as by He et al. 2015,
/// arXiv:1502.01852), biases 0, norms the identity. Depends on the seed and the names of the
/// parameters.
void initialize(Model& model, double variance, const std::string& seed);

struct EpochReport {
  int epoch = 0, epochs = 0;  // epoch counts from 1
  double loss = 0;            // mean over the epoch, in nats
  double right = 0;           // of the changed training samples, while they were learned
  double seconds = 0;         // of this epoch
};

/// Where a run is kept from epoch to epoch; an empty path: nowhere.
struct Checkpointing {
  std::filesystem::path file;
  bool resume = false;  // from the file, which must be there
};

/// Trains a model from the start. A run that was killed and is resumed from its checkpoint ends
/// with the bits of one that was not, with the same number of threads. Throws InputError when the
/// loss or a parameter stops being a finite number (what is on disk is left as it is) or a
/// checkpoint is of another recipe or damaged. `report` is told of every epoch once its checkpoint
/// is written, and says whether to go on; returns whether all epochs were done.
bool train(Model& model, Lessons& lessons, const TrainingRecipe& recipe, int threads,
           const Checkpointing& checkpointing,
           const std::function<bool(const EpochReport&)>& report);

}  // namespace qassay
