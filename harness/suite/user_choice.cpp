#include "harness/suite/user_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/record.hpp"
#include "models/catalogue.hpp"

namespace qassay {
namespace {

/// The least that a folder's model is read with to tell what it is.
constexpr std::int64_t kShortContext = 2;

Sweep sweep_for_folder(const Suite& suite, const std::string& folder) {
  const bool text = model_info(folder, kShortContext).text;
  const auto like = std::ranges::find_if(
      suite.sweeps.rbegin(), suite.sweeps.rend(),
      [&](const Sweep& sweep) { return sweep.evaluate && model_info(sweep.model).text == text; });
  if (like == suite.sweeps.rend()) {
    throw InputError(
        "--model",
        fmt::format("suite '{}' evaluates no model of {}", suite.name, text ? "text" : "images"),
        text ? "use the suite language" : "use the suite default");
  }
  Sweep sweep = *like;
  sweep.model = folder;
  return sweep;
}

/// The network is the same, and its weights are floats.
void check_original(const Model& checkpoint, const std::string& original) {
  if (model_info(original, kShortContext).checkpoint) {
    throw InputError("--original", fmt::format("'{}' is quantized itself", original),
                     "give the model in floating point, or leave it out");
  }
  if (load_model(original, 1, kShortContext).graph == checkpoint.graph) return;
  throw InputError("--original",
                   fmt::format("'{}' is another network than '{}'", original, checkpoint.name),
                   "give the model that the checkpoint was made of");
}

/// Its weights as they are; with the activations as they are too, and in 8 bits.
void run_checkpoint(const std::string& folder, const CheckpointInfo& info,
                    const std::string& original, Sweep& sweep) {
  sweep.model = original.empty() ? folder : original;
  sweep.checkpoint = folder;
  sweep.methods = {std::string(kCheckpointMethod)};
  Scheme with_integers = info.scheme;
  with_integers.input = parse_scheme("W8A8").input;
  sweep.schemes = {parse_scheme("FP32"), info.scheme, with_integers};
}

void choose_folder(const std::string& folder, const std::string& original, Suite& suite) {
  Sweep sweep = sweep_for_folder(suite, folder);
  const Model model = load_model(folder, 1, kShortContext);
  std::string content = content_hash(model);
  if (const auto checkpoint = model_info(folder, kShortContext).checkpoint) {
    if (!original.empty()) {
      check_original(model, original);
      content += content_hash(load_model(original, 1, kShortContext));
    }
    run_checkpoint(folder, *checkpoint, original, sweep);
  } else if (!original.empty()) {
    throw InputError("--original", fmt::format("is given, and '{}' is not quantized", folder),
                     "give a checkpoint of GPTQ or AWQ as --model");
  }
  suite.sweeps = {std::move(sweep)};
  suite.hash = sha256(suite.hash + content);
}

void choose_model(const std::string& model, const std::string& original, Suite& suite) {
  const auto named = std::ranges::find(suite.sweeps, model, &Sweep::model);
  if (named != suite.sweeps.end()) {
    if (!original.empty()) {
      throw InputError("--original", "is given, and the model is one of the suite",
                       "give a checkpoint of GPTQ or AWQ as --model");
    }
    suite.sweeps = {Sweep(*named)};
    return;
  }
  if (!std::filesystem::is_directory(model)) {
    throw InputError(
        "--model",
        fmt::format("'{}' is neither a model of suite '{}' nor a folder", model, suite.name),
        "name one of the suite, or the folder of a model (config.json and "
        "model.safetensors)");
  }
  choose_folder(model, original, suite);
}

/// The regime that a model is scored in gets the context; those of fewer rows stay.
void choose_context(std::int64_t context, Sweep& sweep) {
  const auto rows = [](const Regime& regime) { return regime.cache == Cache::hot ? regime.m : 0; };
  const auto scored = std::ranges::max_element(sweep.regimes, {}, rows);
  scored->m = context;
  std::erase_if(sweep.regimes, [&](const Regime& regime) {
    return &regime != &*scored && regime.cache == Cache::hot && regime.m >= context;
  });
}

void check(const UserChoice& choice) {
  if (choice.model.empty() && !choice.original.empty())
    throw InputError("--original", "stands without --model", "name the checkpoint as --model");
  if (!choice.text.empty() && !choice.tokens.empty())
    throw InputError("--tokens", "stands beside --text", "leave one of them out");
  if (choice.context < 0 || choice.context == 1)
    throw InputError("--context", "leaves nothing to predict", "give 2 or more");
  if (choice.stride < 0) throw InputError("--stride", "is negative", "give 1 or more");
  if (choice.samples < 0 || choice.samples == 1)
    throw InputError("--samples", "is too few for an interval", "give 2 windows or more");
}

Bos bos_of(const std::string& text) {
  if (const auto bos = parse_bos(text)) return *bos;
  throw InputError("--bos", fmt::format("'{}' is none of its words", text),
                   "choose none, first-window or every-window");
}

KvFormat kv_format_of(const std::string& text) {
  if (const auto format = parse_kv_format(text)) return *format;
  throw InputError("--kv-cache", fmt::format("'{}' is no format of a KV cache", text),
                   "choose from FP32, FP16 and INT8");
}

void choose_text(const UserChoice& choice, Sweep& sweep) {
  if (!choice.text.empty() || !choice.tokens.empty()) {
    sweep.text.text = choice.text;
    sweep.text.tokens = choice.tokens;
  }
  if (choice.stride > 0) sweep.text.stride = choice.stride;
  if (!choice.bos.empty()) sweep.text.bos = bos_of(choice.bos);
  if (choice.samples > 0) sweep.samples = choice.samples;
  if (choice.context > 0) choose_context(choice.context, sweep);
  if (choice.kv_caches.empty()) return;
  sweep.kv_caches.clear();
  for (const std::string& text : choice.kv_caches) sweep.kv_caches.push_back(kv_format_of(text));
}

std::string describe(const UserChoice& choice) {
  return fmt::format("{}\n{}\n{} {} {} {} {}", choice.text, choice.tokens, choice.bos,
                     choice.context, choice.stride, choice.samples,
                     fmt::join(choice.kv_caches, ","));
}

}  // namespace

bool UserChoice::speaks_of_text() const {
  return !text.empty() || !tokens.empty() || !bos.empty() || context != 0 || stride != 0 ||
         samples != 0 || !kv_caches.empty();
}

void apply(const UserChoice& choice, Suite& suite) {
  check(choice);
  if (!choice.model.empty()) choose_model(choice.model, choice.original, suite);
  if (!choice.speaks_of_text()) return;
  bool used = false;
  for (Sweep& sweep : suite.sweeps) {
    if (!sweep.evaluate || !model_info(sweep.model, kShortContext).text) continue;
    choose_text(choice, sweep);
    used = true;
  }
  if (!used) {
    throw InputError("qassay run",
                     fmt::format("suite '{}' evaluates no language model on a text", suite.name),
                     "leave out what is said of texts, or use the suite language");
  }
  suite.hash = sha256(suite.hash + describe(choice));
}

}  // namespace qassay
