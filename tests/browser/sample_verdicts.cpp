#include "tests/browser/sample_verdicts.hpp"

#include <initializer_list>
#include <limits>
#include <tuple>

namespace qassay {
namespace {

VerdictRow claim_of(const char* id, const char* statement, double low, double high,
                    const char* unit, const char* better) {
  VerdictRow row;
  row.id = id;
  row.kind = "measured";
  row.statement = statement;
  row.source = "article, table 1";
  row.claimed_low = low;
  row.claimed_high = high;
  row.unit = unit;
  row.better = better;
  return row;
}

void place(VerdictRow& row, const char* scheme, const char* regime, const char* backend) {
  row.scheme = scheme;
  row.regime = regime;
  row.backend = backend;
}

void measure(VerdictRow& row, double estimate, double half_width, int covered, int cells) {
  row.estimate = estimate;
  row.low = estimate - half_width;
  row.high = estimate + half_width;
  row.covered = covered;
  row.cells = cells;
}

}  // namespace

std::vector<VerdictRow> sample_verdicts() {
  std::vector<VerdictRow> rows;
  struct Speed {
    const char *verdict, *scheme, *regime, *backend;
    double estimate, half_width;
    int covered;
  };
  const auto speeds = [&](const char* id, const char* statement, double low, double high,
                          std::initializer_list<Speed> found) {
    for (const Speed& each : found) {
      VerdictRow row = claim_of(id, statement, low, high, "ratio", "higher");
      row.verdict = each.verdict;
      place(row, each.scheme, each.regime, each.backend);
      measure(row, each.estimate, each.half_width, each.covered, 6);
      row.baseline = "best-fp32";
      rows.push_back(row);
    }
  };
  speeds("speed.int8", "INT8 runs 2 to 4 times faster than FP32", 2, 4,
         {{"confirmed", "W8A8", "decode", "cpu", 3.61, 0.12, 5},
          {"confirmed", "W8A8", "decode", "onednn", 3.32, 0.2, 6},
          {"confirmed", "W8A8", "batch", "cpu", 3.12, 0.18, 6},
          {"inconclusive", "W8A8", "batch", "onednn", 2.03, 0.15, 3},
          {"confirmed", "W8A8", "network", "cpu", 2.85, 0.11, 1},
          {"refuted", "W8A16", "network", "cpu", 1.21, 0.04, 0}});
  for (const char* scheme : {"W8A8", "W8A16"}) {
    for (const char* regime : {"decode", "batch", "network"}) {
      VerdictRow row = claim_of("speed.int8", "INT8 runs 2 to 4 times faster than FP32", 2, 4,
                                "ratio", "higher");
      row.verdict = "not_testable";
      row.reason = "no_vector_kernel";
      place(row, scheme, regime, "openblas");
      row.baseline = "best-fp32";
      row.note = "takes FP32 only";
      rows.push_back(row);
    }
  }
  speeds("speed.int4", "INT4 runs 4 to 8 times faster than FP32", 4, 8,
         {{"confirmed", "W4A16-g32", "decode", "cpu", 5.6, 0.2, 6},
          {"confirmed", "W4A16-g128", "decode", "cpu", 6.1, 0.3, 6},
          {"refuted", "W4A16-g32", "batch", "cpu", 0.9, 0.02, 0},
          {"refuted", "W4A16-g128", "batch", "cpu", 0.95, 0.03, 0},
          {"refuted", "W4A8-g128", "batch", "cpu", 2.02, 0.06, 0}});
  speeds("speed.fp16", "FP16 runs 1.5 to 2 times faster than FP32", 1.5, 2,
         {{"better_than_claimed", "BF16", "batch", "cpu", 2.31, 0.05, 0},
          {"refuted", "FP16", "batch", "cpu", 1.02, 0.03, 0}});

  VerdictRow saved = claim_of("mem.int4", "INT4 saves 87.5 % of the weight memory", 85.5, 89.5,
                              "percent", "higher");
  for (const auto& [scheme, value, verdict] :
       {std::tuple{"W4A16-g128", 87.1, "confirmed"}, std::tuple{"W4A16-g32", 85.94, "confirmed"},
        std::tuple{"W2A16", 93.2, "better_than_claimed"}}) {
    place(saved, scheme, "", "cpu");
    measure(saved, value, 0, 6, 6);
    saved.verdict = verdict;
    rows.push_back(saved);
  }
  for (const auto& [id, statement, scheme, low, high, found, verdict] :
       {std::tuple{"loss.fp16", "FP16 loses 0 to 1 % of the accuracy", "BF16", 0, 1, 0.05,
                   "confirmed"},
        std::tuple{"loss.int8", "INT8 loses 1 to 3 % of the accuracy", "W8A8", 1, 3, 0.21,
                   "better_than_claimed"},
        std::tuple{"loss.int4", "INT4 loses 3 to 10 % of the accuracy", "W4A16-g128", 3, 10, 1.9,
                   "better_than_claimed"}}) {
    VerdictRow loss = claim_of(id, statement, low, high, "percent", "lower");
    place(loss, scheme, "model", "cpu");
    measure(loss, found, 0.2, 0, 1);
    loss.verdict = verdict;
    loss.note = "One model, fmnist-features, on 10,000 images.";
    rows.push_back(loss);
  }

  VerdictRow fit =
      claim_of("fit.gpt3", "175 B parameters need 175 GB at INT8", 166, 184, "GB", "lower");
  fit.kind = "derived";
  fit.verdict = "confirmed";
  measure(fit, 175.2, 0, 1, 1);
  rows.push_back(fit);
  VerdictRow pi = claim_of("fit.pi4", "A 7 B model at INT4 answers at once on a Raspberry Pi 4", 5,
                           std::numeric_limits<double>::infinity(), "tokens/s", "higher");
  pi.kind = "predicted";
  pi.verdict = "refuted";
  measure(pi, 0.8, 0.3, 0, 1);
  rows.push_back(pi);

  VerdictRow retained = claim_of("retain.int8", "GPT-3.5 keeps 97 to 98 % of its accuracy at INT8",
                                 97, 98, "percent", "higher");
  retained.verdict = "not_testable";
  retained.reason = "needs_checkpoint";
  retained.note = "The weights of GPT-3.5 are not public.";
  rows.push_back(retained);
  VerdictRow planted = claim_of("plant.text", "A statement with </script><b>tags</b> & \"quotes\"",
                                0, 1, "percent", "lower");
  planted.verdict = "inconclusive";
  planted.reason = "underpowered";
  place(planted, "W8A8", "batch", "<i>backend</i>");
  measure(planted, 0.9, 0.6, 1, 2);
  rows.push_back(planted);
  return rows;
}

}  // namespace qassay
