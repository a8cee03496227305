#include "quantizers/calibration_inputs.hpp"

#include <fmt/format.h>

#include "datasets/calibration.hpp"
#include "datasets/image_dataset.hpp"
#include "models/evaluation_text.hpp"

namespace qassay {
namespace {

constexpr std::string_view kSeed = "calibration";

CalibrationInputs of_text(const Model& model, const std::string& source, const std::string& text,
                          std::int64_t samples, std::int64_t context) {
  const CalibrationWindows windows = calibration_windows(
      {.source = source, .dataset = model.dataset, .vocabulary = vocabulary_of(model.graph)}, text,
      context, samples, kSeed);
  return {.values = {windows.tokens.begin(), windows.tokens.end()},
          .samples = samples,
          .features = context,
          .name = windows.name,
          .hash = windows.hash};
}

CalibrationInputs of_images(const Model& model, std::int64_t samples) {
  const TrainingSet training = find_dataset(model.dataset).training();
  if (samples > training.count) {
    throw InputError(training.name,
                     fmt::format("has {} images, and {} are to calibrate", training.count, samples),
                     "calibrate with fewer");
  }
  const CalibrationSet set = draw_calibration_set(training, samples, kSeed);
  CalibrationInputs inputs{
      .values = std::vector<float>(static_cast<std::size_t>(samples * set.features)),
      .samples = samples,
      .features = set.features,
      .name = set.name,
      .hash = set.hash};
  fill_batch(set, 0, {inputs.values.data(), samples, set.features});
  return inputs;
}

}  // namespace

CalibrationInputs calibration_inputs(const Model& model, const std::string& source,
                                     std::int64_t samples, std::int64_t context,
                                     const std::string& text) {
  if (takes_text(model.graph)) return of_text(model, source, text, samples, context);
  if (model.dataset.empty()) {
    throw InputError(model.name, "names no data, and its quantization is to be calibrated",
                     "choose a method that needs none: rtn, mse or hqq");
  }
  return of_images(model, samples);
}

}  // namespace qassay
