#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/record.hpp"
#include "core/statistics.hpp"
#include "harness/claims/claim.hpp"

namespace qassay {

/// What one cell says to a claim. A cell is a layer in a regime (timing), a packed layer (bytes), a
/// layer by a method (layer_error) or a whole model by a method (accuracy, cost).
struct CellFigure {
  std::string cell;  // for people: "decoder-7b/up 11008x4096"
  std::string model;
  std::string scheme;
  std::string method;    // of what quantizes; else empty
  std::string place;     // what it has in common with the same cell in other schemes and by other
                         // methods: model, layer, rows and threads
  std::string protocol;  // of an evaluation on text
  Interval raw;          // as recorded; of bytes: packed bytes a weight
  double weights = 0;    // n * k of the layer; 0 for a whole model
  std::string baseline;  // as recorded
  std::optional<ReasonCode> doubt;  // why this figure is shown, but decides nothing
  std::string doubt_text;
};

/// Why a cell says nothing, the least telling first.
enum class Silence { unsupported, fell_back, other };

struct SilentCell {
  std::string cell;
  Silence why = Silence::unsupported;
  std::string text;
};

/// All cells of one scheme on one backend in one regime.
struct CellEvidence {
  std::string scheme;
  std::string backend;
  std::vector<CellFigure> figures;
  std::vector<SilentCell> silent;
};

/// The evidence for one part of a measured claim in one regime, by scheme and backend in
/// alphabetical order, cells in the order of the records.
///
/// Left out from the start: the second arm of an A/A run, the reference backend where a scheme
/// has figures of another (it is the yardstick, and no candidate), whole models whose keys and
/// values are not kept as in FP32 (they differ in more than the scheme), and models that the claim
/// does not name. Never a figure: what is not `passed`; timings of reference or scalar code, bytes
/// of the reference backend; numbers that are not finite or out of order. Where several kernels of
/// a backend fill one cell, a timing takes the fastest (a backend is as fast as its best kernel)
/// and bytes take the largest. Evaluations on text under another protocol than the claim's are
/// silent, with the field that differs; so are all of one model where they are of several.
///
/// In doubt are: an interval over fewer than two legs or samples (underpowered); a speedup over
/// FP32 cells of which none passed with vector code, and a decode speedup above 1.15 times the
/// bytes it saves, since decoding is bound by reading the weights (baseline_suspect).
std::vector<CellEvidence> collect_evidence(const Claim& claim, const ClaimPart& part,
                                           ClaimRegime regime, std::span<const Record> records);

/// Whether reference or scalar code ran: the reference backend, or a word `ref`, `reference` or
/// `scalar` in the name of the implementation ("ref:any", "gemm:ref").
bool is_fallback(const Record& record);

}  // namespace qassay
