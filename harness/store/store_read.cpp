#include <fmt/format.h>

#include "core/error.hpp"
#include "harness/store/machine_json.hpp"
#include "harness/store/open.hpp"
#include "harness/store/store.hpp"

namespace qassay {
namespace {

// Each of these reads what one committed leg holds. Legs are whole and never change, so several
// queries see the same leg without a common snapshot.

std::vector<RoundRow> rounds_of(Statement& select, std::int64_t leg_case) {
  std::vector<RoundRow> rows;
  select.bind(leg_case);
  while (select.next()) {
    RoundRow& row = rows.emplace_back();
    select.read(row.round, row.position, row.seconds, row.median_seconds, row.batches,
                row.iterations);
  }
  return rows;
}

std::vector<LegCaseRow> cases_of(const Database& database, std::int64_t leg) {
  Statement select = database.prepare(
      "SELECT lc.id, c.case_key, c.arm, lc.status, lc.reason, lc.implementation, lc.packed_bytes, "
      "lc.workspace_bytes FROM leg_cases lc JOIN cases c ON c.id = lc.case_id "
      "WHERE lc.leg = ?1 ORDER BY lc.id");
  Statement rounds = database.prepare(
      "SELECT round, position, seconds, median_seconds, batches, iterations FROM rounds "
      "WHERE leg_case = ?1 ORDER BY round");
  std::vector<LegCaseRow> rows;
  select.bind(leg);
  while (select.next()) {
    LegCaseRow& row = rows.emplace_back();
    std::int64_t id = 0;
    select.read(id, row.case_key, row.arm, row.status, row.reason, row.implementation,
                row.packed_bytes, row.workspace_bytes);
    row.rounds = rounds_of(rounds, id);
  }
  return rows;
}

std::vector<MetricRow> metrics_of(const Database& database, std::int64_t leg) {
  Statement select = database.prepare(
      "SELECT c.case_key, c.arm, f.metric, f.value, f.low, f.high, f.count, f.unit, f.direction, "
      "f.baseline FROM metrics f JOIN cases c ON c.id = f.case_id WHERE f.leg = ?1 ORDER BY f.id");
  std::vector<MetricRow> rows;
  select.bind(leg);
  while (select.next()) {
    MetricRow& row = rows.emplace_back();
    select.read(row.case_key, row.arm, row.metric, row.value, row.low, row.high, row.count,
                row.unit, row.direction, row.baseline);
  }
  return rows;
}

std::vector<SampleScoresRow> samples_of(const Database& database, std::int64_t leg) {
  Statement select = database.prepare(
      "SELECT c.case_key, c.arm, s.dataset, s.dataset_hash, s.predictions "
      "FROM sample_scores s JOIN cases c ON c.id = s.case_id WHERE s.leg = ?1 ORDER BY s.id");
  std::vector<SampleScoresRow> rows;
  select.bind(leg);
  while (select.next()) {
    SampleScoresRow& row = rows.emplace_back();
    select.read(row.case_key, row.arm, row.dataset, row.dataset_hash, row.predictions);
  }
  return rows;
}

}  // namespace

Store Store::open_for_reading(const std::filesystem::path& path,
                              std::chrono::milliseconds busy_timeout) {
  return Store(open_store_for_reading(path, busy_timeout));
}

void Store::require_run(std::int64_t run) const {
  Statement find = database_.prepare("SELECT 1 FROM runs WHERE id = ?1");
  if (find.bind(run).next()) return;
  const std::optional<std::int64_t> latest = latest_run();
  throw InputError(fmt::format("run {}", run), "is not in the store",
                   latest ? fmt::format("the latest there is {}", *latest)
                          : "make one with `qassay run`; the store holds none");
}

std::optional<std::int64_t> Store::latest_run() const {
  Statement select = database_.prepare("SELECT id FROM runs ORDER BY id DESC LIMIT 1");
  if (!select.next()) return std::nullopt;
  return select.value<std::int64_t>();
}

StoredRun Store::run(std::int64_t run) const {
  require_run(run);
  Statement select = database_.prepare(
      "SELECT r.id, r.uuid, r.started, s.status, r.suite, r.suite_hash, r.program_hash, "
      "r.revision, r.build, r.command, r.threads, r.isa, r.quick, r.settings, m.fingerprint, "
      "m.cpu, m.isas, m.cores, m.last_level_cache_bytes, m.memory_bytes, m.facts "
      "FROM runs r JOIN run_states s ON s.run = r.id JOIN machines m ON m.id = r.machine "
      "WHERE r.id = ?1");
  select.bind(run).next();
  StoredRun stored;
  RunInfo& info = stored.info;
  Machine& machine = info.machine;
  std::string isas;
  std::string cores;
  std::string facts;
  select.read(stored.id, stored.uuid, stored.started, stored.status, info.suite, info.suite_hash,
              info.program_hash, info.revision, info.build, info.command, info.threads, info.isa,
              info.quick, info.settings, machine.fingerprint, machine.cpu, isas, cores,
              machine.last_level_cache_bytes, machine.memory_bytes, facts);
  machine.isas = isas_from_json(isas);
  machine.cores = cores_from_json(cores);
  machine.facts = facts_from_json(facts);
  return stored;
}

std::vector<CaseRow> Store::cases(std::int64_t run) const {
  require_run(run);
  Statement select = database_.prepare(
      "SELECT c.case_key, c.arm, c.group_name, g.legs, m.name, l.name, l.n, l.k, c.m, c.cache, "
      "c.threads, c.protocol, c.kv_cache, a.scheme, a.method, c.backend, c.kernel, c.status, "
      "c.reason "
      "FROM cases c JOIN groups g ON g.run = c.run AND g.name = c.group_name "
      "JOIN artifacts a ON a.id = c.artifact JOIN layers l ON l.id = a.layer "
      "JOIN models m ON m.id = l.model WHERE c.run = ?1 ORDER BY c.id");
  std::vector<CaseRow> rows;
  select.bind(run);
  while (select.next()) {
    CaseRow& row = rows.emplace_back();
    select.read(row.key, row.arm, row.group, row.legs, row.model, row.layer, row.n, row.k, row.m,
                row.cache, row.threads, row.protocol, row.kv_cache, row.scheme, row.method,
                row.backend, row.kernel, row.status, row.reason);
  }
  return rows;
}

std::set<std::pair<std::string, int>> Store::finished_legs(std::int64_t run) const {
  require_run(run);
  Statement select = database_.prepare("SELECT group_name, leg FROM legs WHERE run = ?1");
  std::set<std::pair<std::string, int>> legs;
  select.bind(run);
  while (select.next()) {
    std::pair<std::string, int> leg;
    select.read(leg.first, leg.second);
    legs.insert(std::move(leg));
  }
  return legs;
}

std::vector<LegRow> Store::legs(std::int64_t run, const std::string& group) const {
  require_run(run);
  Statement select = database_.prepare(
      "SELECT id, group_name, leg, started, seconds, peak_rss_bytes, environment FROM legs "
      "WHERE run = ?1 AND group_name = ?2 ORDER BY leg");
  std::vector<LegRow> rows;
  select.bind(run, group);
  while (select.next()) {
    LegRow& row = rows.emplace_back();
    std::int64_t id = 0;
    select.read(id, row.group, row.leg, row.started, row.seconds, row.peak_rss_bytes,
                row.environment);
    row.cases = cases_of(database_, id);
    row.metrics = metrics_of(database_, id);
    row.samples = samples_of(database_, id);
  }
  return rows;
}

bool Store::has_metrics(std::int64_t run) const {
  require_run(run);
  Statement find = database_.prepare(
      "SELECT 1 FROM metrics f JOIN cases c ON c.id = f.case_id "
      "WHERE c.run = ?1 AND f.leg IS NULL LIMIT 1");
  return find.bind(run).next();
}

std::vector<Record> Store::records(std::int64_t run) const {
  require_run(run);
  Statement select = database_.prepare(
      "SELECT run, case_key, arm, model, layer, n, k, m, cache, threads, protocol, kv_cache, "
      "scheme, group_name, method, backend, kernel, implementation, status, reason, metric, value, "
      "low, high, count, "
      "unit, baseline FROM results WHERE run = ?1 ORDER BY case_id, metric_id");
  std::vector<Record> rows;
  select.bind(run);
  while (select.next()) {
    Record& row = rows.emplace_back();
    select.read(row.run, row.case_key, row.arm, row.model, row.layer, row.n, row.k, row.m,
                row.cache, row.threads, row.protocol, row.kv_cache, row.scheme, row.group,
                row.method, row.backend, row.kernel, row.implementation, row.status, row.reason,
                row.metric, row.value, row.low, row.high, row.count, row.unit, row.baseline);
  }
  return rows;
}

std::vector<VerdictRow> Store::verdicts(std::int64_t run) const {
  require_run(run);
  Statement select = database_.prepare(
      "SELECT claim, verdict, reason, kind, scheme, regime, backend, baseline, estimate, low, "
      "high, claimed_low, claimed_high, covered, cells, statement, source, unit, better, note "
      "FROM latest_verdicts WHERE run = ?1 ORDER BY place");
  std::vector<VerdictRow> rows;
  select.bind(run);
  while (select.next()) {
    VerdictRow& row = rows.emplace_back();
    select.read(row.id, row.verdict, row.reason, row.kind, row.scheme, row.regime, row.backend,
                row.baseline, row.estimate, row.low, row.high, row.claimed_low, row.claimed_high,
                row.covered, row.cells, row.statement, row.source, row.unit, row.better, row.note);
  }
  return rows;
}

}  // namespace qassay
