#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/claims/audit.hpp"
#include "harness/claims/footprint.hpp"
#include "harness/claims/metric.hpp"

namespace qassay {

/// What of a sweep a claim speaks of:
///   decode      layers, one row of activations, cold weights
///   batch       layers, 64 rows or more, hot weights
///   network     whole models, 64 images or tokens or more at once
///   generation  whole language models, one token at a time
///   model       bytes, measured or by arithmetic
///   images      what models of images get right
///   text        what language models get right, and how far they are from FP32
///   layers      how far the outputs of layers are from FP32
enum class ClaimRegime { decode, batch, network, generation, model, images, text, layers };
std::string_view to_string(ClaimRegime regime);
std::optional<ClaimRegime> parse_regime(std::string_view text);

enum class EvidenceKind { measured, derived, predicted };
std::string_view to_string(EvidenceKind kind);
std::optional<EvidenceKind> parse_evidence_kind(std::string_view text);

/// Why a verdict is not a plain one.
enum class ReasonCode {
  needs_gpu,
  needs_checkpoint,     // of a trained model that is not here
  underpowered,         // too few legs or samples, or a quick run
  baseline_suspect,     // the ratio says more about the baseline than about the candidate
  inconsistent_source,  // the claim contradicts itself
  not_comparable,       // nothing was measured that may be compared with the claim
  no_vector_kernel,     // no kernel for it in this backend
  fell_back,            // only reference or scalar code ran
};
std::string_view to_string(ReasonCode reason);
std::optional<ReasonCode> parse_reason_code(std::string_view text);

/// Both ends belong to the range; low == high is an exact figure.
struct ClaimedRange {
  double low = 0;
  double high = 0;
};

/// A range and the schemes and methods that it is claimed of: names, or patterns where `*` stands
/// for anything ("W4*").
struct ClaimPart {
  std::vector<std::string> schemes;
  ClaimedRange claimed{};
  /// Of what quantizes; floats have none. "checkpoint": of weights that were quantized before.
  std::vector<std::string> methods{"rtn"};
  std::vector<Audit> audits{};  // of this part's figures
};

/// A published statement as data.
struct Claim {
  std::string id;         // "speed.int8"
  std::string statement;  // in words
  std::string source;     // who says so, and where
  const ClaimMetric* metric = nullptr;
  EvidenceKind kind = EvidenceKind::measured;
  std::string baseline;  // of a speedup: "best-fp32" | "own-fp32"; else empty
  std::vector<ClaimRegime> regimes;
  std::vector<ClaimPart> parts;
  std::vector<std::string> models;  // patterns; empty: all
  /// How a text has to be evaluated to be evidence: fields of a protocol by name, some or all.
  std::vector<std::pair<std::string, std::string>> protocol;
  /// A metric with a comparison, in place of parts: groups of schemes and methods, each set against
  /// the one before; their ranges are not used.
  std::vector<ClaimPart> order;
  ClaimedRange step;                       // of an order whose metric is no growth
  std::optional<Footprint> footprint;      // metric footprint: what to compute
  std::optional<ReasonCode> not_testable;  // no evidence can be had here, and why
  std::string explanation;                 // of not_testable, in words
  /// What the figure was published of, where it is judged on other models: an analogue.
  std::string published_for;
  /// The command that measures it where the checkpoint is. A run without a model that `models`
  /// names has no evidence: needs_checkpoint.
  std::string reproduce;
  std::vector<Audit> audits;  // of the whole claim
};

/// Whether `text` is what the pattern says; `*` stands for any run of characters.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace qassay
