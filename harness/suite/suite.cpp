#include "harness/suite/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/hash.hpp"
#include "harness/suite/toml_reader.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kLongestSide = 1 << 20;
constexpr std::int64_t kMostRows = 1 << 16;

Shape parse_shape(const TomlReader& reader, const std::string& text) {
  Shape shape;
  const char* const end = text.data() + text.size();
  const auto n = std::from_chars(text.data(), end, shape.n);
  if (n.ec == std::errc{} && n.ptr != end && *n.ptr == 'x') {
    const auto k = std::from_chars(n.ptr + 1, end, shape.k);
    const auto fits = [](std::int64_t side) { return side >= 1 && side <= kLongestSide; };
    if (k.ec == std::errc{} && k.ptr == end && fits(shape.n) && fits(shape.k)) return shape;
  }
  reader.fail("shapes", fmt::format("'{}' is not a shape", text),
              fmt::format("write out features x in features, such as 4096x11008, each 1 to {}",
                          kLongestSide));
}

Regime parse_regime(TomlReader& reader) {
  Regime regime;
  if (!reader.has("m"))
    reader.fail("m", "is missing", "add the rows of activations, such as m = 1");
  regime.m = reader.integer_or("m", 1, 1, kMostRows);
  const std::string cache = reader.text("cache");
  if (cache != "hot" && cache != "cold")
    reader.fail("cache", "is neither hot nor cold", "write one of them");
  regime.cache = cache == "hot" ? Cache::hot : Cache::cold;
  reader.finish();
  return regime;
}

Sweep parse_sweep(TomlReader& reader, std::string_view place) {
  Sweep sweep;
  sweep.model = reader.text("model");
  if (sweep.model.find_first_of("/: \t\n") != std::string::npos) {
    reader.fail("model", "has a character that case names use", "leave out '/', ':' and blanks");
  }
  if (reader.has("shapes")) {
    for (const std::string& text : reader.texts("shapes"))
      sweep.shapes.push_back(parse_shape(reader, text));
  }
  sweep.evaluate = reader.flag_or("evaluate", false);
  if (sweep.evaluate && !sweep.shapes.empty()) {
    reader.fail("evaluate", "needs trained weights, and shapes have none",
                "name a model without shapes");
  }
  for (const std::string& text : reader.texts("schemes"))
    sweep.schemes.push_back(parse_scheme(text, place));
  sweep.methods = reader.has("methods") ? reader.texts("methods") : std::vector<std::string>{"rtn"};
  for (const std::string& method : sweep.methods) {
    if (method != "rtn")
      reader.fail("methods", fmt::format("'{}' is not a known method", method), "choose rtn");
  }
  sweep.backends = reader.texts("backends");
  for (TomlReader& table : reader.tables("regimes")) {
    const Regime regime = parse_regime(table);
    if (std::ranges::find(sweep.regimes, regime) != sweep.regimes.end()) {
      table.fail("m", "repeats a regime of the list", "name each regime once");
    }
    sweep.regimes.push_back(regime);
  }
  const auto hot = [](const Regime& regime) { return regime.cache == Cache::hot; };
  if (sweep.evaluate && std::ranges::none_of(sweep.regimes, hot)) {
    reader.fail("regimes", "has no hot regime, and the evaluation runs in one",
                "add { m = 128, cache = \"hot\" }");
  }
  reader.finish();
  return sweep;
}

Timing parse_timing(TomlReader& reader) {
  const Timing standard;
  Timing timing;
  timing.legs = static_cast<int>(reader.integer_or("legs", standard.legs, 4, 1000));
  if (timing.legs % 2 != 0) {
    reader.fail("legs", "is odd, and the order of preparation swaps from leg to leg",
                "write an even number");
  }
  timing.rounds = static_cast<int>(reader.integer_or("rounds", standard.rounds, 10, 10'000));
  timing.round_seconds = reader.number_or("round_seconds", standard.round_seconds, 0.015, 1.0);
  timing.warmup_seconds = reader.number_or("warmup_seconds", standard.warmup_seconds, 0.002, 1.0);
  reader.finish();
  return timing;
}

}  // namespace

std::string_view to_string(Cache cache) { return cache == Cache::hot ? "hot" : "cold"; }

Suite parse_suite(std::string_view text, std::string_view place) {
  const toml::table table = parse_toml(text, place);
  TomlReader reader(table, std::string(place));
  Suite suite;
  suite.hash = sha256(text);
  suite.name = reader.text("name");
  suite.description = reader.text("description");
  if (reader.has("timing")) {
    auto timing = reader.table("timing");
    suite.timing = parse_timing(timing);
  }
  for (TomlReader& sweep : reader.tables("sweep"))
    suite.sweeps.push_back(parse_sweep(sweep, place));
  for (std::size_t i = 0; i < suite.sweeps.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (suite.sweeps[i].model == suite.sweeps[j].model) {
        reader.fail("sweep", fmt::format("names model '{}' twice", suite.sweeps[i].model),
                    "join the two sweeps");
      }
    }
  }
  reader.finish();
  return suite;
}

}  // namespace qassay
