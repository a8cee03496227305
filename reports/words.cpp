#include "reports/words.hpp"

#include <fmt/format.h>

#include <cmath>

#include "reports/figure.hpp"

namespace qassay {
namespace {

std::string end_text(double end, const VerdictRow& row) { return range_text(end, end, row.unit); }

/// Where the interval lies, as "worse than claimed: all of it is below 2×".
std::string beyond_words(const VerdictRow& row) {
  const bool below = row.high < row.claimed_low;
  const bool worse = below == (row.better == "higher");
  return fmt::format("The whole interval is {} than claimed: {} {}.", worse ? "worse" : "better",
                     below ? "below" : "above",
                     end_text(below ? row.claimed_low : row.claimed_high, row));
}

std::string inconclusive_words(const VerdictRow& row, bool quick) {
  if (quick) return "A quick run decides nothing; a full run can.";
  const double bad_end = row.better == "higher" ? row.claimed_low : row.claimed_high;
  if (row.low <= bad_end && bad_end <= row.high) {
    return fmt::format("The interval reaches to both sides of {}: it cannot tell.",
                       end_text(bad_end, row));
  }
  return "The evidence does not decide.";
}

std::string confirmed_words(const VerdictRow& row) {
  const bool reaches_beyond =
      row.better == "higher" ? row.high > row.claimed_high : row.low < row.claimed_low;
  return reaches_beyond ? "The interval meets the claim and reaches beyond its good end."
                        : "The whole interval lies inside the claimed range.";
}

std::string threads_words(int threads) {
  return fmt::format("{} thread{}", threads, threads == 1 ? "" : "s");
}

}  // namespace

VerdictLook look_of(std::string_view verdict) {
  for (const VerdictLook& look : kVerdictLooks) {
    if (look.name == verdict) return look;
  }
  return {verdict, verdict, "?"};
}

std::string reason_words(std::string_view code) {
  if (code == "needs_gpu") return "It needs a GPU, and none is here.";
  if (code == "needs_checkpoint") return "It needs trained weights that are not at hand.";
  if (code == "underpowered") return "Too few samples or legs to see a difference of this size.";
  if (code == "baseline_suspect") return "The baseline it is measured against cannot be trusted.";
  if (code == "inconsistent_source") return "The source contradicts itself.";
  if (code == "not_comparable") return "What was measured is not what the claim speaks of.";
  if (code == "no_vector_kernel") return "The backend has no kernel for it.";
  if (code == "fell_back")
    return "Another implementation ran in place of the one that was asked for.";
  return std::string(code);
}

std::string_view evidence_words(std::string_view kind) {
  if (kind == "measured") return "measured here";
  if (kind == "derived") return "derived, not measured";
  if (kind == "predicted") return "predicted, not measured";
  return kind;
}

std::string regime_words(std::int64_t m, std::string_view cache, int threads) {
  constexpr std::int64_t kBatchRows = 64;  // what the claims call a batch
  const std::string_view name = m == 1 && cache == "cold"           ? "decode: "
                                : m >= kBatchRows && cache == "hot" ? "batch: "
                                                                    : "";
  return fmt::format("{}M = {}, {} weights, {}", name, m, cache, threads_words(threads));
}

std::string network_words(const Record& about) {
  const std::string threads = threads_words(about.threads);
  if (about.kv_cache.empty()) {
    return about.m == 1 ? fmt::format("one sample at a time, {}", threads)
                        : fmt::format("{} samples at once, {}", about.m, threads);
  }
  return about.m == 1 ? fmt::format("decode, a token at a time, {}", threads)
                      : fmt::format("prefill, {} tokens at once, {}", about.m, threads);
}

std::string chance_words(double p) {
  constexpr double kReal = 0.05;
  const std::string value =
      p < 0.001 ? "p\u00A0<\u00A00.001" : fmt::format("p\u00A0=\u00A0{:.2g}", p);
  return fmt::format("{} ({})", p < kReal ? "real" : "no more than chance", value);
}

std::string baseline_words(std::string_view baseline) {
  if (baseline == "best-fp32") return "the fastest FP32 on this machine";
  if (baseline == "best-peer") return "the fastest library with the same weights";
  if (baseline == "own-fp32") return "the same backend's FP32";
  if (baseline == "fp32") return "FP32";
  if (baseline == kDequantized) return "its own weights, dequantized";
  return std::string(baseline);
}

bool is_testable(const VerdictRow& row) { return row.verdict != "not_testable"; }

bool has_figure(const VerdictRow& row) { return is_testable(row) && std::isfinite(row.estimate); }

std::string verdict_words(const VerdictRow& row, bool quick) {
  std::string words;
  if (row.verdict == "refuted" || row.verdict == "better_than_claimed") {
    words = beyond_words(row);
  } else if (row.verdict == "confirmed") {
    words = confirmed_words(row);
  } else if (row.verdict == "inconclusive") {
    words = inconclusive_words(row, quick);
  } else if (row.reason.empty()) {
    words = "No evidence can be had here.";
  }
  if (row.reason.empty()) return words;
  if (!words.empty()) words += ' ';
  return words.append(reason_words(row.reason));
}

}  // namespace qassay
