#include "harness/claims/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "datasets/text_protocol.hpp"

namespace qassay {
namespace {

using Rows = std::vector<const Record*>;

constexpr std::int64_t kBatchRows = 64;       // the batch regime begins here
constexpr double kBytesRatioHeadroom = 1.15;  // noise of the ratio, and scales that stay in cache
constexpr std::string_view kReferenceBackend = "reference";

bool is_second_arm(const Record& record) { return record.arm == "b" || record.baseline == "arm-a"; }

std::string method_of(const Record& record) { return record.method == "none" ? "" : record.method; }

bool in_regime(const Record& record, Evidence evidence, ClaimRegime regime) {
  const bool whole = record.layer.empty();
  const bool text = !record.kv_cache.empty();
  switch (regime) {
    case ClaimRegime::images:
      return whole && !text;
    case ClaimRegime::text:
      return whole && text;
    case ClaimRegime::model:
      return evidence == Evidence::bytes && !whole;
    case ClaimRegime::layers:
      return !whole;
    case ClaimRegime::decode:
      return !whole && record.m == 1 && record.cache == "cold";
    case ClaimRegime::generation:
      return whole && text && record.m == 1;
    case ClaimRegime::batch:
    case ClaimRegime::network:
      break;
  }
  return whole == (regime == ClaimRegime::network) && record.m >= kBatchRows &&
         record.cache == "hot";
}

bool keeps_plain_values(const Record& record) {
  return record.kv_cache.empty() || record.kv_cache == "FP32";
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return matches_pattern(pattern, text); });
}

bool speaks_of(const Claim& claim, const Record& record) {
  return claim.models.empty() || matches_any(claim.models, record.model);
}

bool speaks_of(const ClaimPart& part, const Record& record) {
  const std::string method = method_of(record);
  return matches_any(part.schemes, record.scheme) &&
         (method.empty() || matches_any(part.methods, method));
}

double weights_of(const Record& record) {
  return static_cast<double>(record.n) * static_cast<double>(record.k);
}

std::string cell_name(const Record& record, Evidence evidence) {
  std::string name = record.model;
  if (!record.layer.empty()) name += fmt::format("/{} {}x{}", record.layer, record.n, record.k);
  const bool by_method = evidence == Evidence::layer_error || record.layer.empty();
  if (by_method && !method_of(record).empty()) name += " " + record.method;
  if (evidence == Evidence::timing && record.m > 1) name += fmt::format(" m={}", record.m);
  return name;
}

/// What a cell's case shares with those of other schemes and methods.
std::string place_of(const Record& record) {
  constexpr char kApart = '\x1f';
  return fmt::format("{}{}{}{}{}x{}{}{}{}{}", record.model, kApart, record.layer, kApart, record.n,
                     record.k, kApart, record.m, kApart, record.threads);
}

/// What makes two rows the same cell.
std::string cell_key(const Record& record, Evidence evidence) {
  constexpr char kApart = '\x1f';
  switch (evidence) {
    case Evidence::timing:
      return place_of(record);
    case Evidence::bytes:
      return fmt::format("{}{}{}{}{}x{}", record.model, kApart, record.layer, kApart, record.n,
                         record.k);
    case Evidence::accuracy:
    case Evidence::layer_error:
    case Evidence::cost:
    case Evidence::arithmetic:
      break;
  }
  return record.case_key;
}

/// Rows by cell, cells and rows in the order of the records.
std::vector<Rows> split_into_cells(const Rows& rows, Evidence evidence) {
  std::vector<Rows> cells;
  std::map<std::string, std::size_t> index;
  for (const Record* row : rows) {
    const auto [entry, is_new] = index.try_emplace(cell_key(*row, evidence), cells.size());
    if (is_new) cells.emplace_back();
    cells[entry->second].push_back(row);
  }
  return cells;
}

/// A whole model in a regime where it was timed and not scored: no cell of an accuracy.
bool was_only_timed(const Rows& rows, Evidence evidence) {
  const auto has = [&](std::string_view metric) {
    return std::ranges::any_of(rows, [&](const Record* row) { return row->metric == metric; });
  };
  const bool of_scores = evidence == Evidence::accuracy || evidence == Evidence::cost;
  return of_scores && has("latency") && !has("top1") && !has("next_token_accuracy");
}

bool counts_as_fallback(const Record& record, Evidence evidence) {
  if (evidence == Evidence::timing) return is_fallback(record);
  return evidence == Evidence::bytes && record.backend == kReferenceBackend;
}

bool is_sound(const Record& record, Evidence evidence) {
  const bool ordered = std::isfinite(record.low) && record.low <= record.value &&
                       record.value <= record.high && std::isfinite(record.high);
  if (evidence == Evidence::accuracy) return ordered;
  return ordered && record.low > 0 && (evidence != Evidence::bytes || weights_of(record) > 0);
}

bool has_figure(const Claim& claim, const Record& row) {
  return row.status == "passed" && row.metric == claim.metric->record &&
         (claim.baseline.empty() || row.baseline == claim.baseline) &&
         row.baseline != kDequantized && !counts_as_fallback(row, claim.metric->evidence) &&
         is_sound(row, claim.metric->evidence);
}

/// The first field of a protocol that is not as the claim says; empty where all are.
std::string unclaimed_protocol(const Claim& claim, const std::string& protocol) {
  const auto fields = protocol_fields(protocol);
  for (const auto& [name, wanted] : claim.protocol) {
    const auto found = std::ranges::find(fields, name, &std::pair<std::string, std::string>::first);
    if (found != fields.end() && found->second == wanted) continue;
    return fmt::format("the evaluation protocols differ: {} is {}, and {} is claimed", name,
                       found == fields.end() ? "not recorded" : found->second, wanted);
  }
  return "";
}

/// Evaluations of texts: those under another protocol than the claim's are no evidence, and of one
/// model under several none is.
class Protocols {
 public:
  Protocols(const Claim& claim, const Rows& rows) : claim_(claim) {
    for (const Record* row : rows) {
      if (!row->kv_cache.empty() && unclaimed_protocol(claim, row->protocol).empty())
        by_model_[row->model].insert(row->protocol);
    }
  }

  /// Why a row is no evidence; empty where it is.
  std::string fault(const Record& row) const {
    if (row.kv_cache.empty()) return "";
    if (std::string fault = unclaimed_protocol(claim_, row.protocol); !fault.empty()) return fault;
    const std::set<std::string>& known = by_model_.at(row.model);
    if (known.size() < 2) return "";
    return refuse_comparison(*known.begin(), *std::next(known.begin()))->reason;
  }

 private:
  const Claim& claim_;
  std::map<std::string, std::set<std::string>> by_model_;
};

SilentCell silence_of(const Claim& claim, const Rows& rows) {
  const Evidence evidence = claim.metric->evidence;
  SilentCell silent{cell_name(*rows.front(), evidence), Silence::unsupported, ""};
  const auto say = [&](Silence why, std::string text) {
    if (silent.text.empty() || why > silent.why) {
      silent.why = why;
      silent.text = std::move(text);
    }
  };
  for (const Record* row : rows) {
    if (row->status == "unsupported") {
      say(Silence::unsupported, row->reason.empty() ? "unsupported" : row->reason);
    } else if (row->status != "passed") {
      say(Silence::other,
          row->reason.empty() ? row->status : fmt::format("{}: {}", row->status, row->reason));
    } else if (counts_as_fallback(*row, evidence)) {
      say(Silence::fell_back,
          fmt::format("ran {}", row->implementation.empty() ? row->kernel : row->implementation));
    } else {
      say(Silence::other,
          claim.baseline.empty()
              ? fmt::format("no {}", claim.metric->record)
              : fmt::format("no {} against {}", claim.metric->record, claim.baseline));
    }
  }
  return silent;
}

/// Some FP32 cell stands behind the speedup, and none of them passed with vector code.
bool baseline_is_unsound(const Claim& claim, const Record& row, const Rows& fp32_latencies) {
  bool any = false;
  for (const Record* fp32 : fp32_latencies) {
    if (fp32->model != row.model || fp32->layer != row.layer || fp32->m != row.m ||
        fp32->cache != row.cache || fp32->threads != row.threads) {
      continue;
    }
    if (claim.baseline == "own-fp32" && fp32->backend != row.backend) continue;
    if (fp32->status == "passed" && !is_fallback(*fp32)) return false;
    any = true;
  }
  return any;
}

void doubt(CellFigure& figure, ReasonCode code, std::string text) {
  figure.doubt = code;
  figure.doubt_text = std::move(text);
}

void doubt_speedup(const Claim& claim, ClaimRegime regime, const Record& row, const Rows& rows,
                   const Rows& fp32_latencies, CellFigure& figure) {
  if (baseline_is_unsound(claim, row, fp32_latencies)) {
    doubt(figure, ReasonCode::baseline_suspect, "no FP32 cell passed with vector code");
    return;
  }
  if (regime != ClaimRegime::decode) return;
  const auto bytes = std::find_if(rows.begin(), rows.end(), [&](const Record* other) {
    return other->metric == "weight_bytes" && other->case_key == row.case_key && other->value > 0;
  });
  if (bytes == rows.end()) return;
  const double limit = kFp32Bytes * weights_of(row) / (*bytes)->value;
  if (row.value > limit * kBytesRatioHeadroom) {
    doubt(figure, ReasonCode::baseline_suspect,
          fmt::format("{:.3g} x faster with {:.3g} x fewer bytes to read", row.value, limit));
  }
}

/// Of the errors of a layer with those of the layers before it: the error alone, above 0; else
/// null.
const Record* error_alone(const Rows& rows) {
  const auto found = std::ranges::find_if(rows, [](const Record* row) {
    return row->metric == "relative_error" && is_sound(*row, Evidence::layer_error);
  });
  return found == rows.end() ? nullptr : *found;
}

bool is_accumulation(const Claim& claim) { return claim.metric->name == "error_accumulation"; }

/// The row that speaks for its cell; null where none does.
const Record* pick(const Claim& claim, const Rows& rows) {
  const ClaimMetric& metric = *claim.metric;
  if (is_accumulation(claim) && error_alone(rows) == nullptr) return nullptr;
  const bool smallest = metric.evidence == Evidence::timing && metric.better == Better::lower;
  const Record* best = nullptr;
  for (const Record* row : rows) {
    if (!has_figure(claim, *row)) continue;
    if (best == nullptr || (smallest ? row->value < best->value : row->value > best->value))
      best = row;
  }
  return best;
}

CellFigure figure_of(const Claim& claim, ClaimRegime regime, const Record& row, const Rows& rows,
                     const Rows& fp32_latencies) {
  const Evidence evidence = claim.metric->evidence;
  CellFigure figure{cell_name(row, evidence),
                    row.model,
                    row.scheme,
                    method_of(row),
                    place_of(row),
                    row.protocol,
                    {row.value, row.low, row.high, row.count},
                    weights_of(row),
                    row.baseline,
                    std::nullopt,
                    ""};
  if (evidence == Evidence::bytes) {
    const double bytes_per_weight = row.value / figure.weights;
    figure.raw = {bytes_per_weight, bytes_per_weight, bytes_per_weight, row.count};
    return figure;
  }
  if (is_accumulation(claim)) {
    const double ratio = row.value / error_alone(rows)->value;
    figure.raw = {ratio, ratio, ratio, row.count};
  }
  // One error or time is exact: how far it may be trusted is how far the cells agree.
  if (evidence == Evidence::layer_error || evidence == Evidence::cost) return figure;
  if (row.count < 2) {
    doubt(figure, ReasonCode::underpowered,
          evidence == Evidence::timing ? "one leg gives no interval" : "one sample, no interval");
  }
  if (row.metric == "speedup") {
    doubt_speedup(claim, regime, row, rows, fp32_latencies, figure);
  }
  return figure;
}

/// The yardstick is no candidate: it goes where a scheme has figures of another backend, or where
/// it has none itself and another backend is there to say so.
void drop_reference(std::vector<CellEvidence>& groups) {
  const auto is_surplus = [&](const CellEvidence& group) {
    if (group.backend != kReferenceBackend) return false;
    return std::any_of(groups.begin(), groups.end(), [&](const CellEvidence& other) {
      return other.scheme == group.scheme && other.backend != kReferenceBackend &&
             (!other.figures.empty() || group.figures.empty());
    });
  };
  std::vector<CellEvidence> kept;
  for (const CellEvidence& group : groups) {
    if (!is_surplus(group)) kept.push_back(group);
  }
  groups = std::move(kept);
}

}  // namespace

bool is_fallback(const Record& record) {
  if (record.backend == kReferenceBackend) return true;
  std::string word;
  const auto is_fallback_word = [&] {
    return word == "ref" || word == "reference" || word == "scalar";
  };
  for (const char c : record.implementation) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += c;
      continue;
    }
    if (is_fallback_word()) return true;
    word.clear();
  }
  return is_fallback_word();
}

std::vector<CellEvidence> collect_evidence(const Claim& claim, const ClaimPart& part,
                                           ClaimRegime regime, std::span<const Record> records) {
  const Evidence evidence = claim.metric->evidence;
  std::map<std::pair<std::string, std::string>, Rows> by_scheme_and_backend;
  Rows fp32_latencies;
  for (const Record& record : records) {
    if (is_second_arm(record) || !keeps_plain_values(record)) continue;
    if (record.scheme == "FP32" && record.metric == "latency") fp32_latencies.push_back(&record);
    if (!in_regime(record, evidence, regime) || !speaks_of(part, record) ||
        !speaks_of(claim, record)) {
      continue;
    }
    by_scheme_and_backend[{record.scheme, record.backend}].push_back(&record);
  }

  std::vector<CellEvidence> groups;
  for (const auto& [key, group_rows] : by_scheme_and_backend) {
    CellEvidence group{key.first, key.second, {}, {}};
    const std::vector<Rows> cells = split_into_cells(group_rows, evidence);
    Rows scored;
    for (const Rows& rows : cells) {
      if (evidence == Evidence::accuracy && !was_only_timed(rows, evidence))
        scored.push_back(rows.front());
    }
    const Protocols protocols(claim, scored);
    for (const Rows& rows : cells) {
      if (was_only_timed(rows, evidence)) continue;
      const Record& about = *rows.front();
      const std::string fault =
          evidence == Evidence::accuracy && about.status == "passed" ? protocols.fault(about) : "";
      if (!fault.empty()) {
        group.silent.push_back({cell_name(about, evidence), Silence::other, fault});
      } else if (const Record* row = pick(claim, rows)) {
        group.figures.push_back(figure_of(claim, regime, *row, rows, fp32_latencies));
      } else {
        group.silent.push_back(silence_of(claim, rows));
      }
    }
    if (!group.figures.empty() || !group.silent.empty()) groups.push_back(std::move(group));
  }
  drop_reference(groups);
  return groups;
}

}  // namespace qassay
