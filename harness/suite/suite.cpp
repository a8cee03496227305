#include "harness/suite/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/hash.hpp"
#include "core/toml_table.hpp"
#include "models/shapes.hpp"
#include "quantizers/method.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kLongestSide = 1 << 20;
constexpr std::int64_t kMostRows = 1 << 16;

Shape parse_shape(const TomlTable& table, const std::string& text) {
  Shape shape;
  const char* const end = text.data() + text.size();
  const auto n = std::from_chars(text.data(), end, shape.n);
  if (n.ec == std::errc{} && n.ptr != end && *n.ptr == 'x') {
    const auto k = std::from_chars(n.ptr + 1, end, shape.k);
    const auto fits = [](std::int64_t side) { return side >= 1 && side <= kLongestSide; };
    if (k.ec == std::errc{} && k.ptr == end && fits(shape.n) && fits(shape.k)) return shape;
  }
  table.refuse("shapes", fmt::format("'{}' is not a shape", text),
               fmt::format("write out features x in features, such as 4096x11008, each 1 to {}",
                           kLongestSide));
}

Regime parse_regime(const TomlTable& table) {
  table.allow_only({"m", "cache"});
  Regime regime;
  regime.m = table.integer("m", 1, kMostRows);
  const std::string cache = table.text("cache");
  if (cache != "hot" && cache != "cold") {
    table.refuse("cache", "is neither hot nor cold", "write one of them");
  }
  regime.cache = cache == "hot" ? Cache::hot : Cache::cold;
  return regime;
}

std::vector<Regime> parse_regimes(const TomlTable& sweep) {
  std::vector<Regime> regimes;
  for (const TomlTable& table : sweep.tables("regimes")) {
    regimes.push_back(parse_regime(table));
    if (std::ranges::count(regimes, regimes.back()) > 1) {
      table.refuse("", "repeats a regime of the list", "name each regime once");
    }
  }
  return regimes;
}

TextChoice parse_text(const TomlTable& table) {
  TextChoice choice;
  if (table.has("text")) choice.text = table.text("text");
  if (table.has("tokens")) choice.tokens = table.text("tokens");
  if (!choice.text.empty() && !choice.tokens.empty())
    table.refuse("tokens", "stands beside a text", "leave one of them out");
  if (table.has("stride")) choice.stride = table.integer("stride", 1, kMostRows);
  if (!table.has("bos")) return choice;
  const auto bos = parse_bos(table.text("bos"));
  if (!bos) {
    table.refuse("bos", "is none of its words", "choose none, first-window or every-window");
  }
  choice.bos = *bos;
  return choice;
}

std::vector<KvFormat> parse_kv_caches(const TomlTable& table) {
  std::vector<KvFormat> formats;
  for (const std::string& text : table.texts("kv_caches")) {
    const auto format = parse_kv_format(text);
    if (!format) {
      table.refuse("kv_caches", fmt::format("'{}' is no format of a KV cache", text),
                   "choose from FP32, FP16 and INT8");
    }
    formats.push_back(*format);
  }
  return formats;
}

Sweep parse_sweep(const TomlTable& table, std::string_view place) {
  table.allow_only({"model", "shapes", "whole", "evaluate", "timed", "text", "tokens", "stride",
                    "bos", "samples", "schemes", "methods", "backends", "regimes", "kv_caches",
                    "round_seconds"});
  Sweep sweep;
  sweep.model = table.text("model");
  if (!is_shape(sweep.model) && sweep.model.find_first_of("/: \t\n") != std::string::npos) {
    table.refuse("model", "has a character that case names use", "leave out '/', ':' and blanks");
  }
  if (table.has("shapes")) {
    for (const std::string& text : table.texts("shapes")) {
      sweep.shapes.push_back(parse_shape(table, text));
    }
  }
  sweep.evaluate = table.has("evaluate") && table.flag("evaluate");
  if (sweep.evaluate && (!sweep.shapes.empty() || is_shape(sweep.model))) {
    table.refuse("evaluate", "needs trained weights, and shapes have none",
                 "name a model without shapes");
  }
  sweep.whole = sweep.evaluate || (table.has("whole") && table.flag("whole"));
  if (sweep.whole && !sweep.shapes.empty()) {
    table.refuse("whole", "needs a model, and shapes are layers", "name a model without shapes");
  }
  sweep.timed = !table.has("timed") || table.flag("timed");
  if (!sweep.timed && !sweep.evaluate) {
    table.refuse("timed", "is false, and nothing is scored", "leave it out, or set evaluate");
  }
  sweep.text = parse_text(table);
  if (table.has("samples")) sweep.samples = table.integer("samples", 2, 1'000'000'000);
  for (const std::string& text : table.texts("schemes")) {
    sweep.schemes.push_back(parse_scheme(text, place));
  }
  sweep.methods = table.has("methods") ? table.texts("methods") : std::vector<std::string>{"rtn"};
  for (const std::string& text : sweep.methods) {
    if (needs_calibration(parse_method(text, place)) &&
        (!sweep.shapes.empty() || is_shape(sweep.model))) {
      table.refuse("methods",
                   fmt::format("'{}' needs calibration data, and shapes have none", text),
                   "choose rtn, mse or hqq");
    }
  }
  sweep.backends = table.texts("backends");
  if (table.has("round_seconds")) sweep.round_seconds = table.number("round_seconds", 0.002, 1);
  sweep.regimes = parse_regimes(table);
  if (table.has("kv_caches")) sweep.kv_caches = parse_kv_caches(table);
  const auto hot = [](const Regime& regime) { return regime.cache == Cache::hot; };
  if (sweep.whole && std::ranges::none_of(sweep.regimes, hot)) {
    table.refuse("regimes", "has no hot regime, and whole models run in one",
                 "add { m = 128, cache = \"hot\" }");
  }
  return sweep;
}

Timing parse_timing(const TomlTable& table) {
  table.allow_only({"legs", "rounds", "round_seconds", "warmup_seconds"});
  Timing timing;
  if (table.has("legs")) timing.legs = static_cast<int>(table.integer("legs", 4, 1000));
  if (timing.legs % 2 != 0) {
    table.refuse("legs", "is odd, and the order of preparation swaps from leg to leg",
                 "write an even number");
  }
  if (table.has("rounds")) timing.rounds = static_cast<int>(table.integer("rounds", 10, 10'000));
  if (table.has("round_seconds")) timing.round_seconds = table.number("round_seconds", 0.015, 1);
  if (table.has("warmup_seconds")) timing.warmup_seconds = table.number("warmup_seconds", 0.002, 1);
  return timing;
}

}  // namespace

std::string_view to_string(Cache cache) { return cache == Cache::hot ? "hot" : "cold"; }

Suite parse_suite(std::string_view text, std::string_view place) {
  const toml::table parsed = parse_toml(text, place);
  const TomlTable table(parsed, place);
  table.allow_only({"name", "description", "timing", "sweep"});
  Suite suite;
  suite.hash = sha256(text);
  suite.name = table.text("name");
  suite.description = table.text("description");
  if (table.has("timing")) suite.timing = parse_timing(table.table("timing"));
  for (const TomlTable& sweep : table.tables("sweep")) {
    suite.sweeps.push_back(parse_sweep(sweep, place));
    if (std::ranges::count(suite.sweeps, suite.sweeps.back().model, &Sweep::model) > 1) {
      sweep.refuse("model", "is that of another sweep", "join the two sweeps");
    }
  }
  return suite;
}

}  // namespace qassay
