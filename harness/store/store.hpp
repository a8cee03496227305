#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/record.hpp"
#include "harness/store/database.hpp"
#include "harness/store/rows.hpp"

namespace qassay {

enum class RunEnd { finished, interrupted };

/// The evidence: one SQLite file, append only. Each call that writes is one transaction, so several
/// processes may write one store at the same time and a kill loses the call in hand at most.
///
/// All throw InputError for what people can mend (database.hpp; an unknown run too) and
/// std::logic_error for rows that make no sense: an unknown case, status or direction, a figure
/// that is not finite, a round without duration.
class Store {
 public:
  static constexpr std::chrono::seconds kBusyTimeout{30};

  /// Creates the file where there is none; its folder has to exist.
  static Store open_for_writing(const std::filesystem::path& path,
                                std::chrono::milliseconds busy_timeout = kBusyTimeout);
  static Store open_for_reading(const std::filesystem::path& path,
                                std::chrono::milliseconds busy_timeout = kBusyTimeout);

  /// The id of the new run. Groups come from the cases.
  std::int64_t begin_run(const RunInfo& info, const std::vector<CaseRow>& cases);
  /// Refuses (InputError) a leg that the run has already.
  void add_leg(std::int64_t run, const LegRow& leg);
  /// The figures that need all legs, all at once. Refuses (InputError) a figure of a case, metric
  /// and baseline that the run has already.
  void add_metrics(std::int64_t run, const std::vector<MetricRow>& metrics);
  /// A run may be interrupted many times, and finishes once.
  void end_run(std::int64_t run, RunEnd end);
  /// One judging of the run; a later one is added beside it.
  void add_verdicts(std::int64_t run, const std::vector<VerdictRow>& verdicts);

  std::optional<std::int64_t> latest_run() const;
  StoredRun run(std::int64_t run) const;
  std::vector<CaseRow> cases(std::int64_t run) const;
  /// (group, leg): what a resumed run need not do again.
  std::set<std::pair<std::string, int>> finished_legs(std::int64_t run) const;
  /// The legs of a group, in the order of their numbers, with all that is in them.
  std::vector<LegRow> legs(std::int64_t run, const std::string& group) const;
  /// Whether add_metrics was done.
  bool has_metrics(std::int64_t run) const;

  /// One record a case, metric and baseline; a case without figures has one whose metric is empty.
  /// A figure that several legs found is that of the first. A case is `failed`, `mistrusted` or
  /// `skipped` when it was so in any leg (the earlier word wins), with the reason of the first such
  /// leg; `skipped` too while legs are missing.
  std::vector<Record> records(std::int64_t run) const;
  /// Those of the last judging, in its order; none when there was no judging.
  std::vector<VerdictRow> verdicts(std::int64_t run) const;

 private:
  explicit Store(Database database) : database_(std::move(database)) {}
  void require_run(std::int64_t run) const;

  Database database_;
};

}  // namespace qassay
