#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/machine.hpp"

namespace qassay {

/// What is handed to the store and read back from it. Plain data; the store decides the tables.

struct RunInfo {
  std::string suite;         // name
  std::string suite_hash;    // SHA-256 of its text
  std::string program_hash;  // SHA-256 of program and kernel library
  std::string revision;      // git revision of the build, or "unknown"
  std::string build;         // compiler, flags, library versions
  std::string command;       // that made the run
  int threads = 0;
  std::string isa;  // forced, or "auto"
  bool quick = false;
  std::string settings;  // JSON: legs, rounds, seconds of a round, filters
  Machine machine;
};

/// A cell of the sweep, known before anything runs.
struct CaseRow {
  std::string key;  // canonical text; unique in a run together with arm
  std::string arm = "a";
  std::string group;
  int legs = 0;              // planned for its group; the same for all cases of a group
  std::string model, layer;  // layer is empty for a case of the whole model (its evaluation)
  std::int64_t n = 0, k = 0, m = 0;
  std::string cache;     // "hot" | "cold"; empty where nothing is timed
  std::string protocol;  // where it is scored on text: to_text(TextProtocol)
  std::string kv_cache;  // of a whole model on text: "FP32" | "FP16" | "INT8"
  int threads = 0;
  std::string scheme, method, backend, kernel;
  std::string status;  // "planned" | "unsupported" | "skipped"
  std::string reason;  // unless planned

  bool operator==(const CaseRow&) const = default;
};

/// A figure of one case.
struct MetricRow {
  std::string case_key, arm;
  std::string metric;  // core/record.hpp lists the names
  double value = 0, low = 0, high = 0;
  std::int64_t count = 0;
  std::string unit;
  std::string direction;  // "higher" | "lower" is better | "none"
  std::string baseline;

  bool operator==(const MetricRow&) const = default;
};

/// One round of one case: seconds per call.
struct RoundRow {
  int round = 0;
  int position = 0;    // place in the random order of its round
  double seconds = 0;  // 25th percentile of the round's batches
  double median_seconds = 0;
  std::int64_t batches = 0;
  std::int64_t iterations = 0;  // calls a batch

  bool operator==(const RoundRow&) const = default;
};

/// What happened to one case in one leg.
struct LegCaseRow {
  std::string case_key, arm;
  std::string status;  // "passed" | "failed" | "mistrusted" | "skipped"
  std::string reason;
  std::string implementation;
  std::int64_t packed_bytes = 0, workspace_bytes = 0;
  std::vector<RoundRow> rounds;

  bool operator==(const LegCaseRow&) const = default;
};

/// Scores of one case on every sample of an evaluation set, packed: one byte a sample, the
/// predicted class.
struct SampleScoresRow {
  std::string case_key, arm;
  std::string dataset, dataset_hash;
  std::vector<std::uint8_t> predictions;

  bool operator==(const SampleScoresRow&) const = default;
};

/// One leg, written in one transaction: the unit of commit and of resume.
struct LegRow {
  std::string group;
  int leg = 0;
  double started = 0;  // seconds since 1970
  double seconds = 0;
  std::int64_t peak_rss_bytes = 0;
  std::string environment;  // JSON: clocks before and after, load, steal, probed ceilings, pinning
  std::vector<LegCaseRow> cases;
  std::vector<MetricRow> metrics;  // found in this leg (verification, evaluation)
  std::vector<SampleScoresRow> samples;

  bool operator==(const LegRow&) const = default;
};

/// A run as it stands in the store.
struct StoredRun {
  std::int64_t id = 0;
  std::string uuid;    // tells runs of merged stores apart
  double started = 0;  // seconds since 1970
  std::string status;  // "finished" | "interrupted" | "open": running, or killed
  RunInfo info;
};

}  // namespace qassay
