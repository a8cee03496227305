#include "harness/suite/plan.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/record.hpp"
#include "models/layer_problem.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kOfABatch = std::int64_t{256} << 20;  // weights read in one, at most
constexpr std::int64_t kMemoryShare = 3;  // a group may take one in so many bytes of memory

constexpr std::string_view kFp32 = "FP32";

/// Of a quick run.
constexpr std::int64_t kQuickImages = 2000;
constexpr std::int64_t kQuickWindows = 40;

bool matches(const std::vector<std::string>& wanted, std::string_view name) {
  return wanted.empty() || std::ranges::find(wanted, name) != wanted.end();
}

bool matches_layer(const std::vector<std::string>& patterns, const std::string& name) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) {
           return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
         });
}

bool is_baseline(const CaseRow& row) { return row.scheme == kFp32; }

/// Packed bytes before anything is packed; scales included.
std::int64_t expected_bytes(const CaseRow& row) {
  const double bits = bits_per_number(parse_scheme(row.scheme).weights, row.k);
  return static_cast<std::int64_t>(static_cast<double>(row.n * row.k) * bits / 8);
}

/// Positions that a language model needs to have for all regimes.
std::int64_t context_of(const Sweep& sweep) {
  std::int64_t most = 0;
  for (const Regime& regime : sweep.regimes)
    most = std::max(most, regime.m == 1 ? kTokensBefore + 1 : regime.m);
  return most;
}

/// A protocol as a part of a case's key: without blanks, and of the hash what tells it apart.
std::string key_text(const TextProtocol& protocol) {
  constexpr std::size_t kHashDigits = 12;
  TextProtocol shown = protocol;
  shown.tokens_hash.resize(std::min(shown.tokens_hash.size(), kHashDigits));
  std::string text = to_text(shown);
  std::ranges::replace(text, ' ', ',');
  return text;
}

class Planner {
 public:
  Planner(const PlanOptions& options, const KernelChoice& kernels, const Machine& machine)
      : options_(options), kernels_(kernels), machine_(machine) {}

  void add(const Sweep& sweep, Plan& plan) const {
    const ModelInfo model = info_of(sweep);
    const std::vector<LayerShape> layers = selected(model);
    for (const Regime& regime : sweep.regimes) {
      if (sweep.whole && regime.cache == Cache::hot) {
        add_group(sweep, regime, model, layers, plan);
      } else {
        for (const LayerShape& layer : layers) add_group(sweep, regime, model, {layer}, plan);
      }
    }
  }

 private:
  /// A checkpoint beside its float original goes by both names.
  static ModelInfo info_of(const Sweep& sweep) {
    if (!sweep.shapes.empty()) {
      return {.name = sweep.model,
              .dataset = "",
              .layers = shape_layers(sweep),
              .missing = std::nullopt};
    }
    ModelInfo info = model_info(sweep.model, context_of(sweep));
    if (sweep.checkpoint.empty() || sweep.checkpoint == sweep.model) return info;
    ModelInfo checkpoint = model_info(sweep.checkpoint, context_of(sweep));
    info.name = fmt::format("{}-of-{}", checkpoint.name, info.name);
    info.checkpoint = std::move(checkpoint.checkpoint);
    return info;
  }

  static std::vector<LayerShape> shape_layers(const Sweep& sweep) {
    std::vector<LayerShape> layers;
    for (const Shape& shape : sweep.shapes) {
      layers.push_back({fmt::format("{}x{}", shape.n, shape.k), shape.n, shape.k});
    }
    return layers;
  }

  std::vector<LayerShape> selected(const ModelInfo& model) const {
    std::vector<LayerShape> layers = model.layers;
    std::erase_if(layers, [&](const LayerShape& layer) {
      return !matches_layer(options_.filters.layers, fmt::format("{}/{}", model.name, layer.name));
    });
    return layers;
  }

  /// Why a whole model cannot be had here, or not scored.
  std::optional<Refusal> missing(const Sweep& sweep, const ModelInfo& model) const {
    if (model.missing) return model.missing;
    if (sweep.evaluate && model.text)
      return evaluation_text_missing(text_model(sweep, model), sweep.text);
    // The weights as drawn, as layers and in an FP32 run, at once.
    constexpr std::int64_t kCopies = 3;
    const std::int64_t bytes = kCopies * std::int64_t{sizeof(float)} * model.parameters;
    if (!sweep.whole || machine_.memory_bytes == 0 || bytes <= machine_.memory_bytes)
      return std::nullopt;
    return Refusal{fmt::format("needs {:.0f} GB of memory in FP32, and there are {:.0f}",
                               static_cast<double>(bytes) / 1e9,
                               static_cast<double>(machine_.memory_bytes) / 1e9)};
  }

  static TextModel text_model(const Sweep& sweep, const ModelInfo& model) {
    return {.source = sweep.model, .dataset = model.dataset, .vocabulary = model.vocabulary};
  }

  /// A model is scored in the hot regime with the most rows.
  static bool scores(const Sweep& sweep, const Regime& regime) {
    return std::ranges::none_of(sweep.regimes, [&](const Regime& other) {
      return other.cache == Cache::hot && other.m > regime.m;
    });
  }

  void add_group(const Sweep& sweep, const Regime& regime, const ModelInfo& model,
                 std::vector<LayerShape> layers, Plan& plan) const {
    if (layers.empty()) return;
    const bool together = sweep.whole && regime.cache == Cache::hot;
    Group group;
    group.model = model.name;
    if (sweep.shapes.empty()) group.source = sweep.model;
    group.checkpoint = sweep.checkpoint;
    if (!sweep.checkpoint.empty() && sweep.checkpoint == sweep.model) group.baseline = kDequantized;
    // A model can be run as a whole only when none of its layers was filtered away.
    group.whole = together && layers.size() == model.layers.size();
    group.evaluate = group.whole && sweep.evaluate && scores(sweep, regime);
    group.timed = sweep.timed;
    group.text = model.text;
    group.context = model.text ? model.context : 0;
    group.choice = sweep.text;
    group.samples = sweep.samples;
    const std::int64_t few = model.text ? kQuickWindows : kQuickImages;
    if (options_.quick && (group.samples == 0 || group.samples > few)) group.samples = few;
    check_rows(model, regime);
    group.regime = regime;
    group.round_seconds = options_.quick ? 0 : sweep.round_seconds;
    group.key =
        fmt::format("{}{}:m{}:{}:t{}", model.name, together ? "" : "/" + layers.front().name,
                    regime.m, to_string(regime.cache), options_.threads);
    group.layers = std::move(layers);
    const std::optional<Refusal> refusal = missing(sweep, model);
    if (group.evaluate && group.text && !refusal) {
      group.protocol =
          evaluation_text(text_model(sweep, model), group.choice, regime.m, group.samples).protocol;
    }
    for (const Scheme& scheme : sweep.schemes) {
      for (const std::string& backend : sweep.backends) {
        for (const std::string& method : sweep.methods) {
          add_cases(sweep, model, refusal, scheme, backend, method, group);
        }
      }
    }
    if (group.cases.empty()) return;
    for (const std::string& backend : sweep.backends) {
      if (kernels_.backend(backend).own_threads) group.own_threads.push_back(backend);
    }
    for (Group& part : split(std::move(group))) plan.groups.push_back(std::move(part));
  }

  static void check_rows(const ModelInfo& model, const Regime& regime) {
    if (model.text && regime.m > model.context) {
      throw InputError(fmt::format("suite, model {}", model.name),
                       fmt::format("has {} positions, fewer than m = {}", model.context, regime.m),
                       "give regimes of no more rows");
    }
    if (regime.m % model.positions != 0) {
      throw InputError(
          fmt::format("suite, model {}", model.name),
          fmt::format("gives {} rows at a time, and m is {}", model.positions, regime.m),
          fmt::format("give regimes with a multiple of {}", model.positions));
    }
  }

  void add_cases(const Sweep& sweep, const ModelInfo& model, const std::optional<Refusal>& refusal,
                 const Scheme& scheme, const std::string& backend, const std::string& method,
                 Group& group) const {
    const std::string text = to_string(scheme);
    // The baseline stays, whatever is filtered: without it there is nothing to compare with.
    if (text != kFp32 &&
        !(matches(options_.filters.schemes, text) && matches(options_.filters.backends, backend))) {
      return;
    }
    const bool quantizes = scheme.weights.kind == Kind::integer;
    if (!quantizes && method != sweep.methods.front()) return;

    CaseRow whole;
    whole.group = group.key;
    whole.legs = group.timing({.legs = options_.legs}).legs;
    whole.model = group.model;
    whole.m = group.regime.m;
    whole.cache = to_string(group.regime.cache);
    whole.threads = options_.threads;
    whole.scheme = text;
    whole.method = quantizes ? method : "none";
    whole.backend = backend;
    whole.status = "planned";
    const CaseRow blank = whole;
    for (const LayerShape& layer : group.layers) {
      CaseRow row = blank;
      row.layer = layer.name;
      row.n = layer.n;
      row.k = layer.k;
      if (method == kCheckpointMethod && quantizes &&
          !model.checkpoint->layers.contains(row.layer)) {
        row.status = "skipped";
        row.reason = "the checkpoint has it in floating point";
        const Problem as_floats = layer_problem(layer, parse_scheme("FP32"), row.m);
        add_kernel(kernels_.first(as_floats).info().name, whole);
        append(std::move(row), group);
        continue;
      }
      choose_kernel(sweep, refusal, layer, scheme, row);
      if (row.status != "planned" && whole.status == "planned") {
        whole.status = row.status;
        whole.reason = row.reason;
      }
      add_kernel(row.kernel, whole);
      append(std::move(row), group);
    }
    if (!group.whole) return;
    if (group.evaluate && group.text) whole.protocol = to_text(group.protocol);
    if (!group.text) return append(std::move(whole), group);
    for (const KvFormat format : sweep.kv_caches) {
      whole.kv_cache = to_string(format);
      append(whole, group);
    }
  }

  static void add_kernel(std::string_view name, CaseRow& whole) {
    if (whole.kernel.find(name) != std::string::npos) return;
    if (!whole.kernel.empty()) whole.kernel += "+";
    whole.kernel += name;
  }

  void append(CaseRow row, Group& group) const {
    row.key =
        fmt::format("{}{}:m{}:{}:t{}:{}:{}:{}", row.model, row.layer.empty() ? "" : "/" + row.layer,
                    row.m, row.cache, row.threads, row.scheme, row.method, row.backend);
    if (!row.kv_cache.empty() && row.kv_cache != to_string(KvFormat::fp32))
      row.key += fmt::format(":kv={}", row.kv_cache);
    if (!row.protocol.empty()) row.key += ":" + key_text(group.protocol);
    const bool twice = options_.both_arms && row.status == "planned" && !row.layer.empty();
    group.cases.push_back(row);
    if (!twice) return;
    row.arm = "b";
    group.cases.push_back(std::move(row));
  }

  void choose_kernel(const Sweep& sweep, const std::optional<Refusal>& refusal,
                     const LayerShape& layer, const Scheme& scheme, CaseRow& row) const {
    const Problem problem = layer_problem(layer, scheme, row.m);
    if (row.backend == "cpu" && row.scheme == kFp32 && library_baseline(sweep, problem)) {
      row.status = "skipped";
      row.reason = "a library's FP32 is the baseline here";
      return;
    }
    if (refusal) {
      row.status = "unsupported";
      row.reason = refusal->reason;
      return;
    }
    const auto choice = kernels_.choose(row.backend, problem);
    if (const auto* kernel = std::get_if<const Kernel*>(&choice)) {
      row.kernel = (*kernel)->info().name;
    } else {
      row.status = "unsupported";
      row.reason = std::get<Refusal>(choice).reason;
    }
  }

  bool library_baseline(const Sweep& sweep, const Problem& problem) const {
    return std::ranges::any_of(sweep.backends, [&](const std::string& name) {
      return !kernels_.backend(name).version.empty() &&
             std::holds_alternative<const Kernel*>(kernels_.choose(name, problem));
    });
  }

  /// Bytes of a cold case's copies, where they can be dropped from the caches.
  static std::int64_t copies_bytes(const CaseRow& row) {
    if (row.status != "planned") return 0;
    const std::int64_t bytes = expected_bytes(row);
    return bytes + std::max(bytes, kOfABatch);
  }

  /// Cold groups hold every case's copies at once.
  std::vector<Group> split(Group group) const {
    const std::int64_t budget = machine_.memory_bytes / kMemoryShare;
    std::int64_t baselines = 0;
    std::int64_t others = 0;
    for (const CaseRow& row : group.cases)
      (is_baseline(row) ? baselines : others) += copies_bytes(row);
    if (group.regime.cache == Cache::hot || machine_.memory_bytes == 0 ||
        baselines + others <= budget) {
      return {std::move(group)};
    }
    const std::int64_t room = std::max<std::int64_t>(budget - baselines, 1);

    std::vector<Group> parts;
    std::int64_t used = room;  // so that the first case opens a part
    for (const CaseRow& row : group.cases) {
      if (is_baseline(row)) continue;
      if (parts.empty() || used + copies_bytes(row) > room) {
        Group& part = parts.emplace_back(group);
        part.key = fmt::format("{}#{}", group.key, parts.size());
        std::erase_if(part.cases, [](const CaseRow& other) { return !is_baseline(other); });
        if (parts.size() >
            1) {  // a case has one key: the repeated baselines say which part they serve
          for (CaseRow& baseline : part.cases) baseline.key += fmt::format("#{}", parts.size());
        }
        used = 0;
      }
      used += copies_bytes(row);
      parts.back().cases.push_back(row);
    }
    for (Group& part : parts) {
      for (CaseRow& row : part.cases) row.group = part.key;
    }
    return parts;
  }

  const PlanOptions& options_;
  const KernelChoice& kernels_;
  const Machine& machine_;
};

}  // namespace

std::vector<CaseRow> Plan::cases() const {
  std::vector<CaseRow> all;
  for (const Group& group : groups) all.insert(all.end(), group.cases.begin(), group.cases.end());
  return all;
}

Timing Group::timing(Timing of_run) const {
  if (!timed) {
    of_run.legs = 1;
    of_run.rounds = 0;
  }
  if (round_seconds > 0) {
    of_run.warmup_seconds *= round_seconds / of_run.round_seconds;
    of_run.round_seconds = round_seconds;
  }
  return of_run;
}

Plan make_plan(const Suite& suite, const PlanOptions& options, const KernelChoice& kernels,
               const Machine& machine) {
  for (const std::string& scheme : options.filters.schemes) parse_scheme(scheme, "--scheme");
  for (const std::string& backend : options.filters.backends) kernels.backend(backend);
  Plan plan;
  plan.threads = options.threads;
  const Planner planner(options, kernels, machine);
  for (const Sweep& sweep : suite.sweeps) planner.add(sweep, plan);
  const auto asked = [&](const CaseRow& row) {
    return matches(options.filters.schemes, row.scheme) &&
           matches(options.filters.backends, row.backend);
  };
  if (std::ranges::none_of(plan.cases(), asked)) {
    throw InputError(
        "filters",
        fmt::format("nothing of suite '{}' matches --scheme, --backend and --layer", suite.name),
        "`qassay run --list` shows what there is");
  }
  return plan;
}

}  // namespace qassay
