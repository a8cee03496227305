#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qassay {

/// The baseline of figures of a quantized checkpoint whose float original is not there: its own
/// weights as floating-point numbers. They say nothing of what was lost when it was quantized.
inline constexpr std::string_view kDequantized = "dequantized";
/// The method of weights that others have quantized: the matrices of a checkpoint as they are.
inline constexpr std::string_view kCheckpointMethod = "checkpoint";

/// One measured figure with everything that says what it is: the row that the store hands to the
/// export, to the judge of claims and to the report.
///
/// Metric names are flat and never get a second meaning:
///   latency            seconds per call            whole operation, activation quantization inside
///   speedup            ratio                       baseline's latency over this, paired
///   weight_bytes, workspace_bytes, peak_rss_bytes  bytes
///   time_to_first_token  seconds                  of a whole language model: from m tokens to the
///                                                  scores of the next
///   layers_fraction    fraction                    of a whole model's latency: its layers'
///   latencies
///                                                  by themselves in the same rounds, added up
///   throughput         samples a second            of the whole model: m over latency
///   operations         op                          of a layer in a call: 2 m n k, in a convolution
///                                                  times its pixels
///   operation_rate     op/s                        operations over latency
///   bandwidth          B/s                         of a layer: weight_bytes over latency
///   ceiling_fraction   fraction                    of a layer, of what was probed in the same legs
///                                                  and the baseline names: cold, bandwidth over
///                                                  "read-rate"; hot, operation_rate over
///                                                  "f32-peak", "bf16-peak",
///                                                  "int16-peak" or "int8-peak"
///   quantize_seconds   seconds                     to choose the weights of a whole model
///   quantize_peak_bytes  bytes                     resident meanwhile
///   weight_relative_error  ratio                   of a layer's quantized weights against FP32
///   h_weighted_error   ratio                       the root of tr(D H D^T) / tr(W H W^T), D the
///                                                  error of the layer's weights W: of its output,
///                                                  bias apart, on FP32's inputs from calibration
///                                                  data, H = X^T X; where a method of the case's
///                                                  comparison group calibrates
///   sqnr               dB                          of the layer's output against FP32
///   cosine, relative_error  ratio                  the same comparison by other measures
///   accumulated_sqnr, accumulated_cosine, accumulated_relative_error
///                                                  the same, with the errors of the layers before
///   top1               fraction
///   loss               percent                     of the baseline's top-1, or of its right next
///                                                  tokens; positive when worse
///   loss_points        points                      baseline minus candidate, in points of top-1
///   loss_error_growth  ratio                       candidate's error rate over the baseline's
///   perplexity         ratio                       exp of a token's mean negative log-likelihood
///   perplexity_ratio   ratio                       over the baseline's, paired by window
///   bits_per_byte      bits                        of what the scored tokens stand for
///   next_token_accuracy  fraction                  of tokens that were the most likely ones
///   kl_mean, kl_median, kl_p999  nats              KL(baseline || candidate) of a token: mean,
///                                                  median and 99.9 % quantile
///   top1_agreement     fraction                    of tokens with the baseline's most likely one
///   agreement          fraction                    of samples with the baseline's prediction
///   flips_lost, flips_won   samples, tokens        right to wrong, wrong to right
///   mcnemar_p          probability                 of flips so uneven by chance
///   floor_flips        samples                     predictions of FP32 that change when it runs
///                                                  again or in another batch: the floor of a loss
struct Record {
  std::int64_t run = 0;
  std::string case_key;       // canonical text of the case
  std::string arm;            // "a"; "b" is the second copy of a case in an A/A run
  std::string model;          // "decoder-7b", "fmnist-features"
  std::string layer;          // empty for a figure of the whole model
  std::int64_t n = 0, k = 0;  // out and in features of the layer; 0 for a whole model
  std::int64_t m = 0;         // rows of activations of the regime
  std::string cache;          // "hot" | "cold"
  int threads = 0;
  std::string protocol;  // of an evaluation on text: "text=gcide/test context=256 stride=256 ..."
  std::string kv_cache;  // of a whole model on text: "FP32" | "FP16" | "INT8"
  std::string scheme;    // core/scheme.hpp
  std::string group;     // comparison group
  std::string method;    // "rtn"; "none" for schemes that quantize nothing; "checkpoint"
  std::string backend;   // "cpu", "onednn", "openblas", "reference"
  std::string kernel;
  std::string implementation;  // what really ran, as the library names it
  std::string status;          // "passed" | "unsupported" | "failed" | "mistrusted" | "skipped"
  std::string reason;          // why, unless passed
  std::string metric;          // see above; empty on the one row of a case that has no figures
  double value = 0, low = 0, high = 0;  // 95 % interval; low == value == high for exact figures
  std::int64_t count = 0;  // legs for timings, samples for accuracies, 1 for exact figures
  std::string unit;
  std::string baseline;  // "best-fp32", "own-fp32", "arm-a" (A/A), "fp32", kDequantized, a ceiling,
                         // or empty
};

/// One judged claim in one scheme, regime and backend.
struct VerdictRow {
  std::string id;       // "speed.int8"
  std::string verdict;  // confirmed | refuted | better_than_claimed | inconclusive | not_testable
  std::string reason;   // a reason code, or empty
  std::string kind;     // measured | derived | predicted
  std::string scheme, regime, backend, baseline;
  double estimate = 0, low = 0, high = 0;
  double claimed_low = 0, claimed_high = 0;
  int covered = 0;  // layers (cells) whose own estimate lies inside the claimed range
  int cells = 0;
  std::string statement;  // the claim in words
  std::string source;
  std::string unit;
  std::string better;  // "higher" | "lower"
  std::string note;    // what a reader has to know besides: which cells are missing, and why
};

}  // namespace qassay
