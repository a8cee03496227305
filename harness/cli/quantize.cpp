#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>

#include "core/error.hpp"
#include "hardware_profiles/machine_reader.hpp"
#include "hardware_profiles/pinning.hpp"
#include "harness/cli/command.hpp"
#include "harness/run/progress_line.hpp"
#include "models/import/gptq_folder.hpp"
#include "models/model_folder.hpp"
#include "quantizers/quantize_model.hpp"

namespace qassay {

namespace po = boost::program_options;

namespace {

/// What published checkpoints leave in floating point.
constexpr const char* kHead = "lm_head";
constexpr std::int64_t kContext = 2048;

struct Choice {
  std::string model, method, scheme, output, text;
  std::int64_t context = 0;
  int threads = 0;
};

/// Before anything is read.
void check(const Choice& choice) {
  if (choice.model.empty()) {
    throw InputError("qassay quantize", "no model is named",
                     "give the folder of a language model in the layout of Hugging Face");
  }
  if (!std::filesystem::is_directory(choice.model))
    throw InputError(choice.model, "is no folder", "give that of a model");
  if (choice.output.empty())
    throw InputError("--output", "is missing", "name a folder that is not there yet");
  if (std::filesystem::exists(choice.output))
    throw InputError(choice.output, "is there already", "name a folder that is not there yet");
}

std::optional<CalibrationInputs> calibration_of(const Choice& choice, const Model& model,
                                                const Method& method) {
  if (!needs_calibration(method)) return std::nullopt;
  if (choice.text.empty()) {
    throw InputError("--calibration-text",
                     fmt::format("is missing, and {} calibrates", choice.method),
                     "give a text that the model is not to be evaluated on");
  }
  return calibration_inputs(model, choice.model, weight_samples(method), model.graph.input.width,
                            choice.text);
}

/// Whole, or not at all: check() saw that nothing is there.
void write_checkpoint(const Choice& choice, const Model& model,
                      const std::map<std::string, QuantMatrix>& layers) {
  try {
    write_gptq_folder(choice.model, model, layers, choice.output);
  } catch (...) {
    std::error_code error;
    std::filesystem::remove_all(choice.output, error);
    throw;
  }
}

QuantizedModel with_progress(const Choice& choice, const Model& model, const Method& method,
                             const Scheme& scheme, const CalibrationInputs* inputs) {
  ProgressLine line(stderr);
  const auto start = std::chrono::steady_clock::now();
  const auto show = [&](std::size_t done, std::size_t steps) {
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    line.passing(steps_text(taken.count(), done, steps));
  };
  return quantize_model(model, method, scheme, inputs, choice.threads, show, GraphChange::none);
}

void quantize(const Choice& choice) {
  const Method method = parse_method(choice.method, "--method");
  const Scheme scheme = parse_scheme(choice.scheme, "--scheme");
  const Model model = load_model_folder(choice.model, choice.context);
  if (!takes_text(model.graph)) {
    throw InputError(choice.model, "is no language model in the layout of Hugging Face",
                     "checkpoints are written of those");
  }
  const std::optional<CalibrationInputs> inputs = calibration_of(choice, model, method);
  const auto start = std::chrono::steady_clock::now();
  const QuantizedModel quantized =
      with_progress(choice, model, method, scheme, inputs ? &*inputs : nullptr);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::map<std::string, QuantMatrix> layers;
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (shapes[i].name != kHead) layers.emplace(shapes[i].name, quantized.layers[i]);
  }
  write_checkpoint(choice, quantized.model, layers);
  for (const std::string& note : quantized.notes) fmt::print("{}\n", note);
  fmt::print("{} layers in {} by {}, in {:.1f} s: {}\n", layers.size(), choice.scheme,
             choice.method, taken.count(), choice.output);
}

}  // namespace

int quantize_command(const Command& self, const Arguments& arguments) {
  Choice choice;
  po::options_description options("options");
  options.add_options()                                                                        //
      ("model", po::value(&choice.model)->value_name("DIR"),                                   //
       "a language model in the layout of Hugging Face")                                       //
      ("method", po::value(&choice.method)->value_name("M")->default_value("gptq"),            //
       "rtn, mse, hqq, gptq, gptq-act, awq, smoothquant, ...; @N: with N windows of text")     //
      ("scheme", po::value(&choice.scheme)->value_name("S")->default_value("W4A16-g128"),      //
       "W<2|4|8>A16[-g<N>][-asym]")                                                            //
      ("calibration-text", po::value(&choice.text)->value_name("FILE"),                        //
       "UTF-8, for methods that calibrate")                                                    //
      ("context", po::value(&choice.context)->value_name("N")->default_value(kContext),        //
       "tokens of a window, at most")                                                          //
      ("output,o", po::value(&choice.output)->value_name("DIR"), "where the checkpoint goes")  //
      ("threads", po::value(&choice.threads)->value_name("N")->default_value(0), "0: all");
  po::positional_options_description positional;
  positional.add("model", 1);
  if (!parse_arguments(self, arguments, options, positional)) return kFine;
  check(choice);
  const Machine machine = read_machine();
  choice.threads = checked_threads(choice.threads, machine);
  pin_threads(machine, choice.threads);
  quantize(choice);
  return kFine;
}

}  // namespace qassay
