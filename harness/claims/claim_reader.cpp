#include "harness/claims/claim_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/toml_table.hpp"
#include "harness/claims/part_reader.hpp"
#include "models/shapes.hpp"

namespace qassay {
namespace {

std::string read_id(const TomlTable& table) {
  std::string id = table.text("id");
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  };
  if (!std::all_of(id.begin(), id.end(), allowed)) {
    table.refuse("id", "has other characters than a-z 0-9 . - _", "name it like speed.int8");
  }
  return id;
}

const ClaimMetric& read_metric(const TomlTable& table) {
  const std::string name = table.text("metric");
  if (const ClaimMetric* metric = find_claim_metric(name)) return *metric;
  std::vector<std::string_view> names;
  for (const ClaimMetric& metric : claim_metrics()) names.push_back(metric.name);
  table.refuse("metric", fmt::format("'{}' is not known", name),
               fmt::format("use one of {}", fmt::join(names, ", ")));
}

// A direction is a fact of the metric. It is asked for all the same: a table that was copied with
// its sign the wrong way round is the commonest fault of published numbers.
void check_better(const TomlTable& table, const ClaimMetric& metric) {
  const std::string better = table.text("better");
  if (better == to_string(metric.better)) return;
  table.refuse("better", fmt::format("is '{}'", better),
               fmt::format("of {} the {} is better: write \"{}\", and check the claim's sign",
                           metric.name, to_string(metric.better), to_string(metric.better)));
}

std::string read_baseline(const TomlTable& table, const ClaimMetric& metric) {
  constexpr std::string_view kMend = "write \"best-fp32\" or \"own-fp32\"";
  if (metric.name != "speedup") {
    if (table.has("baseline")) {
      table.refuse("baseline", fmt::format("is only for a speedup, not for {}", metric.name),
                   "leave it out");
    }
    return {};
  }
  std::string baseline = table.text("baseline");
  if (baseline != "best-fp32" && baseline != "own-fp32") {
    table.refuse("baseline", fmt::format("'{}' is not known", baseline), kMend);
  }
  return baseline;
}

std::vector<ClaimRegime> regimes_of(Evidence evidence) {
  switch (evidence) {
    case Evidence::timing:
      return {ClaimRegime::decode, ClaimRegime::batch, ClaimRegime::network,
              ClaimRegime::generation};
    case Evidence::accuracy:
    case Evidence::cost:
      return {ClaimRegime::images, ClaimRegime::text};
    case Evidence::layer_error:
      return {ClaimRegime::layers};
    case Evidence::bytes:
    case Evidence::arithmetic:
      break;
  }
  return {ClaimRegime::model};
}

std::vector<ClaimRegime> read_regimes(const TomlTable& table, const ClaimMetric& metric) {
  const std::vector<ClaimRegime> fitting = regimes_of(metric.evidence);
  std::vector<ClaimRegime> regimes;
  for (const std::string& name : table.texts("regimes")) {
    const auto regime = parse_regime(name);
    if (!regime || std::ranges::count(fitting, *regime) == 0) {
      std::vector<std::string_view> names;
      for (const ClaimRegime each : fitting) names.push_back(to_string(each));
      table.refuse(
          "regimes", fmt::format("'{}' does not fit", name),
          fmt::format("of {} write some of \"{}\"", metric.name, fmt::join(names, "\", \"")));
    }
    regimes.push_back(*regime);
  }
  return regimes;
}

EvidenceKind read_kind(const TomlTable& table) {
  const std::string name = table.text("kind");
  if (const auto kind = parse_evidence_kind(name)) return *kind;
  table.refuse("kind", fmt::format("'{}' is not known", name),
               "write \"measured\", \"derived\" or \"predicted\"");
}

KvCache read_kv_cache(const TomlTable& table) {
  table.allow_only({"layers", "heads", "head_size", "tokens", "sequences", "bits"});
  const std::int64_t bits = table.count("bits");
  if (bits > 32) table.refuse("bits", "is above 32", "write the width of one number, such as 16");
  return {table.count("layers"), table.count("heads"),     table.count("head_size"),
          table.count("tokens"), table.count("sequences"), static_cast<int>(bits)};
}

/// Whole numbers for the context and the stride, texts for the rest.
std::vector<std::pair<std::string, std::string>> read_protocol(const TomlTable& table) {
  table.allow_only({"text", "context", "stride", "bos", "join", "tail", "tokens"});
  std::vector<std::pair<std::string, std::string>> fields;
  for (const char* name : {"text", "context", "stride", "bos", "join", "tail", "tokens"}) {
    if (!table.has(name)) continue;
    const bool is_number =
        name == std::string_view("context") || name == std::string_view("stride");
    fields.emplace_back(name, is_number ? fmt::to_string(table.count(name)) : table.text(name));
  }
  return fields;
}

Footprint read_footprint(const TomlTable& table) {
  table.allow_only({"shape", "parameters", "total_gb", "from", "row", "kv_cache"});
  Footprint footprint;
  if (table.has("shape")) {
    for (const std::string_view key : {"parameters", "total_gb", "from", "row", "kv_cache"}) {
      if (table.has(key)) table.refuse(key, "is what the shape says already", "leave it out");
    }
    footprint.shape = table.text("shape");
    if (!is_shape(*footprint.shape)) {
      table.refuse("shape", fmt::format("'{}' is no known shape", *footprint.shape),
                   fmt::format("use one of {}", fmt::join(shape_names(), ", ")));
    }
    return footprint;
  }
  footprint.row = table.count("row");
  if (table.has("kv_cache")) footprint.kv_cache = read_kv_cache(table.table("kv_cache"));
  if (table.has("parameters") == table.has("total_gb")) {
    table.refuse("", "says no size, or says it twice", "give either parameters or total_gb");
  }
  if (table.has("parameters")) {
    footprint.parameters = table.positive("parameters");
    if (table.has("from")) table.refuse("from", "goes with total_gb", "leave it out");
    return footprint;
  }
  footprint.total_gb = table.positive("total_gb");
  footprint.from = table.texts("from");
  for (const std::string& scheme : footprint.from) {
    if (!is_scheme(scheme)) {
      table.refuse("from", fmt::format("'{}' is no scheme", scheme), "write one like FP16");
    }
    if (!(footprint.parameter_count(scheme) > 0)) {
      table.refuse("kv_cache", "is as large as the whole", "make it smaller than total_gb");
    }
  }
  return footprint;
}

/// The models that a claim speaks of, and what it says of those that are not here.
void read_models(const TomlTable& table, Claim& claim) {
  if (table.has("models")) claim.models = table.texts("models");
  if (table.has("published_for")) claim.published_for = table.text("published_for");
  if (!table.has("reproduce")) return;
  claim.reproduce = table.text("reproduce");
  for (const std::string_view key : {"published_for", "not_testable"}) {
    if (table.has(key)) table.refuse(key, "contradicts reproduce", "leave one of them out");
  }
  if (claim.models.empty())
    table.refuse("reproduce", "is of no model", "say with models which one the command measures");
}

/// An order, or parts.
void read_figures(const TomlTable& table, Claim& claim) {
  const ClaimMetric& metric = *claim.metric;
  const bool ordered = metric.comparison != Comparison::none;
  if (ordered != table.has("order")) {
    table.refuse("order",
                 ordered ? fmt::format("is missing for {}", metric.name)
                         : fmt::format("does not go with {}", metric.name),
                 "orders go with the metrics that compare groups");
  }
  if (!ordered) {
    claim.parts = read_parts(table, metric.evidence != Evidence::arithmetic);
    return;
  }
  for (const std::string_view key : {"schemes", "methods", "part"}) {
    if (table.has(key)) table.refuse(key, "is what order says already", "leave it out");
  }
  claim.order = read_order(table);
  if (!metric.growth) {
    claim.step = read_range(table);
    return;
  }
  for (const std::string_view key : {"range", "value", "tolerance", "tolerance_relative"}) {
    if (table.has(key))
      table.refuse(key, "is not asked for: any growth is claimed", "leave it out");
  }
}

Claim read_claim(TomlTable table) {
  Claim claim;
  claim.id = read_id(table);
  table.rename(fmt::format("claim '{}'", claim.id));
  table.allow_only({"id",          "statement",     "source",    "metric",
                    "better",      "kind",          "baseline",  "schemes",
                    "methods",     "regimes",       "models",    "protocol",
                    "range",       "value",         "tolerance", "tolerance_relative",
                    "part",        "order",         "footprint", "not_testable",
                    "explanation", "published_for", "reproduce", "audit"});
  claim.statement = table.text("statement");
  claim.source = table.text("source");
  claim.metric = &read_metric(table);
  check_better(table, *claim.metric);
  claim.kind = read_kind(table);
  claim.baseline = read_baseline(table, *claim.metric);
  claim.regimes = read_regimes(table, *claim.metric);
  if (table.has("protocol")) claim.protocol = read_protocol(table.table("protocol"));

  claim.audits = read_audits(table);
  read_models(table, claim);
  read_figures(table, claim);

  if (table.has("not_testable")) {
    const std::string reason = table.text("not_testable");
    claim.not_testable = parse_reason_code(reason);
    if (!claim.not_testable) {
      table.refuse("not_testable", fmt::format("'{}' is no reason code", reason),
                   "use one like needs_checkpoint or needs_gpu");
    }
    claim.explanation = table.text("explanation");
  } else if (table.has("explanation")) {
    table.refuse("explanation", "explains nothing", "give it together with not_testable");
  }

  const bool arithmetic = claim.metric->evidence == Evidence::arithmetic;
  if (table.has("footprint")) {
    if (claim.metric->name != "footprint")
      table.refuse("footprint", "goes with metric footprint", "leave it out");
    claim.footprint = read_footprint(table.table("footprint"));
  }
  if (claim.not_testable) return claim;
  if (arithmetic && !claim.footprint) {
    table.refuse("", "'footprint' is missing", "say what to compute: footprint = { ... }");
  }
  if (claim.kind != (arithmetic ? EvidenceKind::derived : EvidenceKind::measured)) {
    table.refuse("kind", fmt::format("does not fit the metric {}", claim.metric->name),
                 arithmetic ? "arithmetic is \"derived\"" : "what a run finds is \"measured\"");
  }
  return claim;
}

}  // namespace

std::vector<Claim> read_claims(std::string_view toml, std::string_view place) {
  const toml::table root = parse_toml(toml, place);
  const TomlTable file(root, place);
  file.allow_only({"claim"});
  std::vector<Claim> claims;
  std::set<std::string> ids;
  for (const TomlTable& table : file.tables("claim")) {
    claims.push_back(read_claim(table));
    if (!ids.insert(claims.back().id).second) {
      table.refuse("id", fmt::format("'{}' is taken", claims.back().id), "give each claim its own");
    }
  }
  return claims;
}

std::vector<Claim> read_claims_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  // A folder opens like a file and fails only when it is read.
  if (!file || std::filesystem::is_directory(path)) {
    throw InputError(path.string(), "cannot be read", "name a readable file of claims");
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return read_claims(text, path.string());
}

}  // namespace qassay
