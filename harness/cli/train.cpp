#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "datasets/image_dataset.hpp"
#include "datasets/scoring.hpp"
#include "hardware_profiles/machine_reader.hpp"
#include "hardware_profiles/pinning.hpp"
#include "harness/cli/command.hpp"
#include "harness/run/interrupt.hpp"
#include "models/fmnist_cnn.hpp"
#include "models/model_folder.hpp"
#include "models/ops/op.hpp"
#include "models/train/training_graph.hpp"

namespace qassay {

namespace po = boost::program_options;

namespace {

constexpr std::int64_t kEvaluationBatch = 500;
constexpr const char* kCheckpoint = "checkpoint.safetensors";

/// Top-1 on the test images, by the arithmetic of training. Once, at the end: nothing is chosen by
/// it.
double test_accuracy(Model model, int threads) {
  const TestSet test = find_dataset(model.dataset).test();
  TrainingGraph graph(model, kEvaluationBatch, threads);
  std::vector<float> images(static_cast<std::size_t>(kEvaluationBatch * test.features));
  std::vector<std::uint8_t> predictions;
  for (std::int64_t first = 0; first < test.count; first += kEvaluationBatch) {
    const Matrix batch(images.data(), std::min(kEvaluationBatch, test.count - first),
                       test.features);
    fill_batch(test, first, batch);
    const std::vector<std::uint8_t> found = predict(graph.forward(batch, Mode::inference));
    predictions.insert(predictions.end(), found.begin(), found.end());
  }
  return top1(predictions, test.labels);
}

/// One line that is rewritten on a terminal, plain lines elsewhere.
void show(const EpochReport& report, double seconds_so_far, int epochs_so_far) {
  const bool terminal = isatty(fileno(stderr)) != 0;
  const double left =
      seconds_so_far / epochs_so_far * static_cast<double>(report.epochs - report.epoch);
  fmt::print(stderr,
             "{}epoch {} of {}: loss {:.4f}, {:.2f} % right in training, {:.0f} s, {}:{:02} left{}",
             terminal ? "\r\x1b[K" : "", report.epoch, report.epochs, report.loss,
             100 * report.top1, report.seconds, static_cast<int>(left) / 60,
             static_cast<int>(left) % 60, terminal && report.epoch < report.epochs ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace

int train_command(const Command& self, const Arguments& arguments) {
  std::string name;
  std::string output;
  int threads = 0;
  TrainingRecipe recipe = fmnist_cnn_recipe();
  bool resume = false;
  po::options_description options("options");
  options.add_options()                                               //
      ("model", po::value(&name)->value_name("MODEL"), "fmnist-cnn")  //
      ("output", po::value(&output)->value_name("DIR"),
       "folder of the model and its checkpoint (default: MODEL)")  //
      ("threads", po::value(&threads)->value_name("N"),
       "default: all cores that this process may use")                                    //
      ("epochs", po::value(&recipe.epochs)->value_name("N"), "in place of the recipe's")  //
      ("seed", po::value(&recipe.seed)->value_name("TEXT"), "in place of the recipe's")   //
      ("resume", po::bool_switch(&resume), "go on from the checkpoint in the folder");
  po::positional_options_description positional;
  positional.add("model", 1);
  if (!parse_arguments(self, arguments, options, positional)) return kFine;
  if (name != "fmnist-cnn") {
    throw InputError("qassay train",
                     name.empty() ? "no model is named" : fmt::format("'{}' has no recipe", name),
                     "choose fmnist-cnn");
  }
  if (recipe.epochs < 1) throw InputError("--epochs", "is not positive", "give a number from 1");
  if (const auto missing = training_missing())
    throw InputError("qassay train", missing->reason, "build with oneDNN");

  const Machine machine = read_machine();
  threads = checked_threads(threads, machine);
  pin_threads(machine, threads);
  const std::filesystem::path folder = output.empty() ? name : output;
  Model model = fmnist_cnn();
  const TrainingSet training = find_dataset(model.dataset).training();
  const InterruptGuard guard;
  double seconds = 0;
  int epochs = 0;
  const bool finished = train(model, training, recipe, threads, {folder / kCheckpoint, resume},
                              [&](const EpochReport& report) {
                                seconds += report.seconds;
                                show(report, seconds, ++epochs);
                                return !guard.interrupted();
                              });
  if (!finished) {
    fmt::print(stderr, "stopped; --resume goes on from {}\n", (folder / kCheckpoint).string());
    return kInterrupted;
  }
  save_model_folder(model, folder);
  fmt::print("{}: {:.2f} % top-1 on the test images; written to {}\n", name,
             100 * test_accuracy(model, threads), folder.string());
  return kFine;
}

}  // namespace qassay
