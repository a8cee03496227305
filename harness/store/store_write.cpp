#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include "harness/store/machine_json.hpp"
#include "harness/store/open.hpp"
#include "harness/store/store.hpp"

namespace qassay {
namespace {

double now() {
  using std::chrono::duration;
  return duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string random_uuid() {
  std::random_device random;
  const auto bits32 = [&] { return static_cast<std::uint32_t>(random()); };
  const std::uint32_t b = bits32();
  const std::uint32_t c = bits32();
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", bits32(), b >> 16U,
                     0x4000U | (b & 0x0fffU), 0x8000U | ((c >> 16U) & 0x3fffU), c & 0xffffU,
                     bits32());
}

/// The id of the row with these values in a table that says each thing once; added when missing.
template <typename... Values>
std::int64_t intern(const Database& database, std::string_view table, std::string_view columns,
                    const Values&... values) {
  std::string places;
  for (std::size_t i = 1; i <= sizeof...(values); ++i) {
    places += fmt::format("{}?{}", i == 1 ? "" : ", ", i);
  }
  database
      .prepare(fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING", table, columns,
                           places))
      .bind(values...)
      .run();
  Statement find =
      database.prepare(fmt::format("SELECT id FROM {} WHERE ({}) = ({})", table, columns, places));
  find.bind(values...).next();
  return find.value<std::int64_t>();
}

/// Finds the ids of a run's cases.
class CaseIds {
 public:
  CaseIds(const Database& database, std::int64_t run)
      : run_(run),
        find_(database.prepare("SELECT id FROM cases WHERE run = ?1 AND case_key = ?2 AND arm = ?3 "
                               "AND (?4 = '' OR group_name = ?4)")) {}

  /// In any group when `group` is empty.
  std::int64_t id(const std::string& key, const std::string& arm, const std::string& group) {
    find_.bind(run_, key, arm, group);
    if (!find_.next()) {
      throw std::logic_error(
          fmt::format("run {} has no case {} (arm {}, group '{}')", run_, key, arm, group));
    }
    return find_.value<std::int64_t>();
  }

 private:
  std::int64_t run_;
  Statement find_;
};

class MetricWriter {
 public:
  explicit MetricWriter(const Database& database)
      : insert_(database.prepare(
            "INSERT INTO metrics (case_id, leg, metric, baseline, value, low, high, count, unit, "
            "direction) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")) {}

  /// `leg`: the leg that found it, or std::nullopt.
  template <typename Leg>
  void add(std::int64_t case_id, const Leg& leg, const MetricRow& row) {
    insert_
        .bind(case_id, leg, row.metric, row.baseline, row.value, row.low, row.high, row.count,
              row.unit, row.direction)
        .run();
  }

 private:
  Statement insert_;
};

std::int64_t add_machine(const Database& database, const Machine& machine) {
  return intern(database, "machines",
                "fingerprint, cpu, isas, cores, last_level_cache_bytes, memory_bytes, facts",
                machine.fingerprint, machine.cpu, isas_to_json(machine.isas),
                cores_to_json(machine.cores), machine.last_level_cache_bytes, machine.memory_bytes,
                facts_to_json(machine.facts));
}

void add_groups(const Database& database, std::int64_t run, const std::vector<CaseRow>& cases) {
  std::map<std::string, int> legs;
  for (const CaseRow& row : cases) {
    if (legs.emplace(row.group, row.legs).first->second != row.legs) {
      throw std::logic_error(
          fmt::format("the cases of group {} disagree on its number of legs", row.group));
    }
  }
  Statement insert = database.prepare("INSERT INTO groups (run, name, legs) VALUES (?1, ?2, ?3)");
  for (const auto& [group, planned] : legs) insert.bind(run, group, planned).run();
}

void add_cases(const Database& database, std::int64_t run, const std::vector<CaseRow>& cases) {
  Statement insert = database.prepare(
      "INSERT INTO cases (run, case_key, arm, group_name, artifact, m, cache, threads, backend, "
      "kernel, status, reason, protocol, kv_cache) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
  for (const CaseRow& row : cases) {
    const auto model = intern(database, "models", "name", row.model);
    const auto layer =
        intern(database, "layers", "model, name, n, k", model, row.layer, row.n, row.k);
    const auto artifact =
        intern(database, "artifacts", "layer, scheme, method", layer, row.scheme, row.method);
    insert
        .bind(run, row.key, row.arm, row.group, artifact, row.m, row.cache, row.threads,
              row.backend, row.kernel, row.status, row.reason, row.protocol, row.kv_cache)
        .run();
  }
}

}  // namespace

Store Store::open_for_writing(const std::filesystem::path& path,
                              std::chrono::milliseconds busy_timeout) {
  return Store(open_store_for_writing(path, busy_timeout));
}

std::int64_t Store::begin_run(const RunInfo& info, const std::vector<CaseRow>& cases) {
  Transaction transaction(database_);
  const std::int64_t machine = add_machine(database_, info.machine);
  database_
      .prepare(
          "INSERT INTO runs (uuid, started, machine, suite, suite_hash, program_hash, revision, "
          "build, command, threads, isa, quick, settings) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")
      .bind(random_uuid(), now(), machine, info.suite, info.suite_hash, info.program_hash,
            info.revision, info.build, info.command, info.threads, info.isa, info.quick ? 1 : 0,
            info.settings)
      .run();
  const std::int64_t run = database_.last_id();
  add_groups(database_, run, cases);
  add_cases(database_, run, cases);
  transaction.commit();
  return run;
}

void Store::add_leg(std::int64_t run, const LegRow& row) {
  Transaction transaction(database_);
  CaseIds cases(database_, run);
  MetricWriter metrics(database_);
  Statement add_case = database_.prepare(
      "INSERT INTO leg_cases (leg, case_id, status, reason, implementation, packed_bytes, "
      "workspace_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  Statement add_round = database_.prepare(
      "INSERT INTO rounds (leg_case, round, position, seconds, median_seconds, batches, "
      "iterations) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  Statement add_scores = database_.prepare(
      "INSERT INTO sample_scores (leg, case_id, dataset, dataset_hash, predictions) "
      "VALUES (?1, ?2, ?3, ?4, ?5)");

  database_
      .prepare(
          "INSERT INTO legs (run, group_name, leg, started, seconds, peak_rss_bytes, environment) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
      .bind(run, row.group, row.leg, row.started, row.seconds, row.peak_rss_bytes, row.environment)
      .run();
  const std::int64_t leg = database_.last_id();
  for (const LegCaseRow& one : row.cases) {
    add_case
        .bind(leg, cases.id(one.case_key, one.arm, row.group), one.status, one.reason,
              one.implementation, one.packed_bytes, one.workspace_bytes)
        .run();
    const std::int64_t leg_case = database_.last_id();
    for (const RoundRow& round : one.rounds) {
      add_round
          .bind(leg_case, round.round, round.position, round.seconds, round.median_seconds,
                round.batches, round.iterations)
          .run();
    }
  }
  for (const MetricRow& metric : row.metrics) {
    metrics.add(cases.id(metric.case_key, metric.arm, row.group), leg, metric);
  }
  for (const SampleScoresRow& scores : row.samples) {
    add_scores
        .bind(leg, cases.id(scores.case_key, scores.arm, row.group), scores.dataset,
              scores.dataset_hash, scores.predictions)
        .run();
  }
  transaction.commit();
}

void Store::add_metrics(std::int64_t run, const std::vector<MetricRow>& rows) {
  Transaction transaction(database_);
  require_run(run);
  CaseIds cases(database_, run);
  MetricWriter metrics(database_);
  for (const MetricRow& row : rows) {
    metrics.add(cases.id(row.case_key, row.arm, ""), std::nullopt, row);
  }
  transaction.commit();
}

void Store::end_run(std::int64_t run, RunEnd end) {
  database_.prepare("INSERT INTO run_endings (run, ended, status) VALUES (?1, ?2, ?3)")
      .bind(run, now(), end == RunEnd::finished ? "finished" : "interrupted")
      .run();
}

void Store::add_verdicts(std::int64_t run, const std::vector<VerdictRow>& verdicts) {
  Transaction transaction(database_);
  database_.prepare("INSERT INTO judgings (run, judged) VALUES (?1, ?2)").bind(run, now()).run();
  const std::int64_t judging = database_.last_id();
  Statement insert = database_.prepare(
      "INSERT INTO verdicts (judging, place, claim, verdict, reason, kind, scheme, regime, "
      "backend, baseline, estimate, low, high, claimed_low, claimed_high, covered, cells, note) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)");
  int place = 0;
  for (const VerdictRow& row : verdicts) {
    const auto claim = intern(database_, "claims", "name, statement, source, unit, better", row.id,
                              row.statement, row.source, row.unit, row.better);
    insert
        .bind(judging, place++, claim, row.verdict, row.reason, row.kind, row.scheme, row.regime,
              row.backend, row.baseline, row.estimate, row.low, row.high, row.claimed_low,
              row.claimed_high, row.covered, row.cells, row.note)
        .run();
  }
  transaction.commit();
}

}  // namespace qassay
