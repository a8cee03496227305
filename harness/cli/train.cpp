#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/optional.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numbers>
#include <optional>

#include "datasets/dictionary.hpp"
#include "datasets/image_dataset.hpp"
#include "datasets/scoring.hpp"
#include "hardware_profiles/machine_reader.hpp"
#include "hardware_profiles/pinning.hpp"
#include "harness/cli/command.hpp"
#include "harness/run/interrupt.hpp"
#include "models/fmnist_cnn.hpp"
#include "models/gcide_lm.hpp"
#include "models/model_folder.hpp"
#include "models/ops/op.hpp"
#include "models/train/loss.hpp"
#include "models/train/training_graph.hpp"

namespace qassay {

namespace po = boost::program_options;

namespace {

constexpr const char* kCheckpoint = "checkpoint.safetensors";

/// A model that can be trained: how, on what, and how good it is in the end.
class Course {
 public:
  virtual ~Course() = default;
  virtual Model model() const = 0;  // without parameters
  virtual TrainingRecipe recipe() const = 0;
  virtual Storage storage() const { return Storage::f32; }
  /// Of all training samples, or the first `samples` of them where that is positive.
  virtual Lessons& lessons(std::int64_t samples) = 0;
  /// A sentence on the test split, by the arithmetic of training. Once, at the end: nothing is
  /// chosen by it.
  virtual std::string test(Model model, int threads) const = 0;

 protected:
  static std::int64_t checked(std::int64_t samples, std::int64_t batch, std::int64_t count) {
    if (samples == 0) return count;
    if (samples < batch || samples > count) {
      throw InputError("--samples", "is out of range", fmt::format("give {} to {}", batch, count));
    }
    return samples;
  }
};

class FmnistCnnCourse final : public Course {
 public:
  Model model() const override { return fmnist_cnn(); }
  TrainingRecipe recipe() const override { return fmnist_cnn_recipe(); }
  Lessons& lessons(std::int64_t samples) override {
    training_ = find_dataset(model().dataset).training();
    training_.count = checked(samples, recipe().batch, training_.count);
    return lessons_.emplace(fmnist_cnn_lessons(training_));
  }
  std::string test(Model model, int threads) const override {
    constexpr std::int64_t kBatch = 500;
    const TestSet test = find_dataset(model.dataset).test();
    TrainingGraph graph(model, kBatch, threads);
    std::vector<float> images(static_cast<std::size_t>(kBatch * test.features));
    std::vector<std::uint8_t> predictions;
    for (std::int64_t first = 0; first < test.count; first += kBatch) {
      const Matrix batch(images.data(), std::min(kBatch, test.count - first), test.features);
      fill_batch(test, first, batch);
      const std::vector<std::uint8_t> found = predict(graph.forward(batch, Mode::inference));
      predictions.insert(predictions.end(), found.begin(), found.end());
    }
    return fmt::format("{:.2f} % top-1 on the test images", 100 * top1(predictions, test.labels));
  }

 private:
  TrainingSet training_;
  std::optional<ImageLessons> lessons_;
};

class GcideLmCourse final : public Course {
 public:
  Model model() const override { return gcide_lm(); }
  TrainingRecipe recipe() const override { return gcide_lm_recipe(); }
  Storage storage() const override { return Storage::f16; }
  Lessons& lessons(std::int64_t samples) override {
    training_ = std::move(find_dictionary(model().dataset).training);
    const std::int64_t context = model().graph.input.width;
    const std::int64_t count = gcide_lm_lessons(training_).count();
    if (const std::int64_t kept = checked(samples, recipe().epoch_samples, count); kept < count)
      training_.text.resize(static_cast<std::size_t>((kept + 1) * context + 1));
    return lessons_.emplace(gcide_lm_lessons(training_));
  }
  /// In windows that do not overlap: the first bytes of each have little before them.
  std::string test(Model model, int threads) const override {
    constexpr std::int64_t kBytes = 256;
    const std::string text = find_dictionary(model.dataset).test.text;
    const std::int64_t context = model.graph.input.width;
    TrainingGraph graph(model, 1, threads);
    std::vector<float> ids(static_cast<std::size_t>(context));
    std::vector<std::int32_t> next(ids.size());
    std::vector<float> slope(static_cast<std::size_t>(context * kBytes));
    const std::int64_t windows = (static_cast<std::int64_t>(text.size()) - 1) / context;
    double loss = 0;
    for (std::int64_t window = 0; window < windows; ++window) {
      const auto* const bytes =
          reinterpret_cast<const unsigned char*>(text.data()) + window * context;
      std::copy_n(bytes, context, ids.begin());
      std::copy_n(bytes + 1, context, next.begin());
      const ConstMatrix logits = graph.forward({ids.data(), 1, context}, Mode::inference);
      loss +=
          cross_entropy({logits.data, context, kBytes}, next, 0, {slope.data(), context, kBytes})
              .loss /
          static_cast<double>(windows);
    }
    return fmt::format("{:.3f} bits a byte on the test text", loss / std::numbers::ln2);
  }

 private:
  TrainingText training_;
  std::optional<TextLessons> lessons_;
};

std::unique_ptr<Course> find_course(const std::string& name) {
  if (name == "fmnist-cnn") return std::make_unique<FmnistCnnCourse>();
  if (name == "gcide-lm") return std::make_unique<GcideLmCourse>();
  throw InputError("qassay train",
                   name.empty() ? "no model is named" : fmt::format("'{}' has no recipe", name),
                   "choose fmnist-cnn or gcide-lm");
}

/// One line that is rewritten on a terminal, plain lines elsewhere.
void show(const EpochReport& report, double seconds_so_far, int epochs_so_far) {
  const bool terminal = isatty(fileno(stderr)) != 0;
  const double left =
      seconds_so_far / epochs_so_far * static_cast<double>(report.epochs - report.epoch);
  fmt::print(stderr,
             "{}epoch {} of {}: loss {:.4f}, {:.2f} % right in training, {:.0f} s, {}:{:02} left{}",
             terminal ? "\r\x1b[K" : "", report.epoch, report.epochs, report.loss,
             100 * report.right, report.seconds, static_cast<int>(left) / 60,
             static_cast<int>(left) % 60, terminal && report.epoch < report.epochs ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace

int train_command(const Command& self, const Arguments& arguments) {
  std::string name;
  std::string output;
  int threads = 0;
  boost::optional<int> epochs;
  boost::optional<std::string> seed;
  std::int64_t samples = 0;
  bool resume = false;
  po::options_description options("options");
  options.add_options()                                                           //
      ("model", po::value(&name)->value_name("MODEL"), "fmnist-cnn or gcide-lm")  //
      ("output", po::value(&output)->value_name("DIR"),
       "folder of the model and its checkpoint (default: MODEL)")  //
      ("threads", po::value(&threads)->value_name("N"),
       "default: all cores that this process may use")                             //
      ("epochs", po::value(&epochs)->value_name("N"), "in place of the recipe's")  //
      ("samples", po::value(&samples)->value_name("N"),
       "only the first N training samples: a first look")                         //
      ("seed", po::value(&seed)->value_name("TEXT"), "in place of the recipe's")  //
      ("resume", po::bool_switch(&resume), "go on from the checkpoint in the folder");
  po::positional_options_description positional;
  positional.add("model", 1);
  if (!parse_arguments(self, arguments, options, positional)) return kFine;
  const std::unique_ptr<Course> course = find_course(name);
  TrainingRecipe recipe = course->recipe();
  if (epochs) recipe.epochs = *epochs;
  if (recipe.epochs < 1) throw InputError("--epochs", "is not positive", "give a number from 1");
  if (seed) recipe.seed = *seed;
  if (const auto missing = training_missing())
    throw InputError("qassay train", missing->reason, "build with oneDNN");

  const Machine machine = read_machine();
  threads = checked_threads(threads, machine);
  pin_threads(machine, threads);
  const std::filesystem::path folder = output.empty() ? name : output;
  Model model = course->model();
  Lessons& lessons = course->lessons(samples);
  const InterruptGuard guard;
  double seconds = 0;
  int done = 0;
  const bool finished = train(model, lessons, recipe, threads, {folder / kCheckpoint, resume},
                              [&](const EpochReport& report) {
                                seconds += report.seconds;
                                show(report, seconds, ++done);
                                return !guard.interrupted();
                              });
  if (!finished) {
    fmt::print(stderr, "stopped; --resume goes on from {}\n", (folder / kCheckpoint).string());
    return kInterrupted;
  }
  if (course->storage() == Storage::f16) round_to_halves(model);
  save_model_folder(model, folder, course->storage());
  fmt::print("{}: {}; written to {}\n", name, course->test(model, threads), folder.string());
  return kFine;
}

}  // namespace qassay
