#include "harness/store/schema.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace qassay {
namespace {

// Every column is NOT NULL: SQLite stores NaN as NULL, and a figure that is missing has no row.
constexpr std::string_view kTables = R"sql(
CREATE TABLE machines (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL,               -- equal: timings may be compared
  cpu TEXT NOT NULL,
  isas TEXT NOT NULL,                      -- JSON array of names
  cores TEXT NOT NULL,                     -- JSON array of logical CPUs
  last_level_cache_bytes INTEGER NOT NULL, -- 0: unknown
  memory_bytes INTEGER NOT NULL,
  facts TEXT NOT NULL,                     -- JSON array of [name, value]
  UNIQUE (fingerprint, cpu, isas, cores, last_level_cache_bytes, memory_bytes, facts)
) STRICT;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  started REAL NOT NULL,                   -- seconds since 1970
  machine INTEGER NOT NULL REFERENCES machines (id),
  suite TEXT NOT NULL,
  suite_hash TEXT NOT NULL,
  program_hash TEXT NOT NULL,
  revision TEXT NOT NULL,
  build TEXT NOT NULL,
  command TEXT NOT NULL,
  threads INTEGER NOT NULL,
  isa TEXT NOT NULL,
  quick INTEGER NOT NULL CHECK (quick IN (0, 1)),
  settings TEXT NOT NULL                   -- JSON
) STRICT;

-- A run that was interrupted and resumed ends more than once; one that was killed, never.
CREATE TABLE run_endings (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id),
  ended REAL NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('finished', 'interrupted'))
) STRICT;
CREATE INDEX run_endings_by_run ON run_endings (run);
CREATE UNIQUE INDEX run_finishes_once ON run_endings (run) WHERE status = 'finished';

CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE layers (
  id INTEGER PRIMARY KEY,
  model INTEGER NOT NULL REFERENCES models (id),
  name TEXT NOT NULL,                      -- '': the whole model
  n INTEGER NOT NULL,
  k INTEGER NOT NULL,
  UNIQUE (model, name, n, k)
) STRICT;

-- A quantized layer (or model): what kernels pack. How large it is once packed depends on the
-- kernel and stands in leg_cases.
CREATE TABLE artifacts (
  id INTEGER PRIMARY KEY,
  layer INTEGER NOT NULL REFERENCES layers (id),
  scheme TEXT NOT NULL,
  method TEXT NOT NULL,
  UNIQUE (layer, scheme, method)
) STRICT;

-- Cases that are timed together, and in how many legs.
CREATE TABLE groups (
  run INTEGER NOT NULL REFERENCES runs (id),
  name TEXT NOT NULL,
  legs INTEGER NOT NULL CHECK (legs >= 0),
  PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  case_key TEXT NOT NULL,
  arm TEXT NOT NULL,
  group_name TEXT NOT NULL,
  artifact INTEGER NOT NULL REFERENCES artifacts (id),
  m INTEGER NOT NULL,
  cache TEXT NOT NULL CHECK (cache IN ('hot', 'cold', '')),
  threads INTEGER NOT NULL,
  backend TEXT NOT NULL,
  kernel TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('planned', 'unsupported', 'skipped')),
  reason TEXT NOT NULL CHECK (status = 'planned' OR reason <> ''),
  UNIQUE (run, case_key, arm),
  FOREIGN KEY (run, group_name) REFERENCES groups (run, name)
) STRICT;

-- One fresh worker process that ran a group.
CREATE TABLE legs (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  group_name TEXT NOT NULL,
  leg INTEGER NOT NULL,
  started REAL NOT NULL,
  seconds REAL NOT NULL,
  peak_rss_bytes INTEGER NOT NULL,
  environment TEXT NOT NULL,               -- JSON
  UNIQUE (run, group_name, leg),
  FOREIGN KEY (run, group_name) REFERENCES groups (run, name)
) STRICT;

CREATE TABLE leg_cases (
  id INTEGER PRIMARY KEY,
  leg INTEGER NOT NULL REFERENCES legs (id),
  case_id INTEGER NOT NULL REFERENCES cases (id),
  status TEXT NOT NULL CHECK (status IN ('passed', 'failed', 'mistrusted', 'skipped')),
  reason TEXT NOT NULL CHECK (status = 'passed' OR reason <> ''),
  implementation TEXT NOT NULL,
  packed_bytes INTEGER NOT NULL,
  workspace_bytes INTEGER NOT NULL,
  UNIQUE (leg, case_id)
) STRICT;
CREATE INDEX leg_cases_by_case ON leg_cases (case_id);

CREATE TABLE rounds (
  leg_case INTEGER NOT NULL REFERENCES leg_cases (id),
  round INTEGER NOT NULL,
  position INTEGER NOT NULL,               -- in the random order of the round
  seconds REAL NOT NULL CHECK (seconds > 0),
  median_seconds REAL NOT NULL CHECK (median_seconds > 0),
  batches INTEGER NOT NULL,
  iterations INTEGER NOT NULL,
  PRIMARY KEY (leg_case, round)
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics (
  id INTEGER PRIMARY KEY,
  case_id INTEGER NOT NULL REFERENCES cases (id),
  leg INTEGER REFERENCES legs (id),        -- NULL: computed over all legs of the run
  metric TEXT NOT NULL CHECK (metric <> ''),
  baseline TEXT NOT NULL,
  value REAL NOT NULL,
  low REAL NOT NULL,
  high REAL NOT NULL CHECK (low <= high),
  count INTEGER NOT NULL,
  unit TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('higher', 'lower', 'none'))
) STRICT;
CREATE UNIQUE INDEX metrics_of_run ON metrics (case_id, metric, baseline) WHERE leg IS NULL;
CREATE UNIQUE INDEX metrics_of_leg ON metrics (leg, case_id, metric, baseline)
  WHERE leg IS NOT NULL;
CREATE INDEX metrics_by_case ON metrics (case_id, metric, baseline);

CREATE TABLE sample_scores (
  id INTEGER PRIMARY KEY,
  leg INTEGER NOT NULL REFERENCES legs (id),
  case_id INTEGER NOT NULL REFERENCES cases (id),
  dataset TEXT NOT NULL,
  dataset_hash TEXT NOT NULL,
  predictions BLOB NOT NULL,               -- one byte a sample: the predicted class
  UNIQUE (leg, case_id, dataset)
) STRICT;

CREATE TABLE claims (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  statement TEXT NOT NULL,
  source TEXT NOT NULL,
  unit TEXT NOT NULL,
  better TEXT NOT NULL CHECK (better IN ('higher', 'lower')),
  UNIQUE (name, statement, source, unit, better)
) STRICT;

-- One time that the claims were held against a run.
CREATE TABLE judgings (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id),
  judged REAL NOT NULL
) STRICT;
CREATE INDEX judgings_by_run ON judgings (run);

CREATE TABLE verdicts (
  judging INTEGER NOT NULL REFERENCES judgings (id),
  place INTEGER NOT NULL,
  claim INTEGER NOT NULL REFERENCES claims (id),
  verdict TEXT NOT NULL CHECK (verdict IN ('confirmed', 'refuted', 'better_than_claimed',
                                           'inconclusive', 'not_testable')),
  reason TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('measured', 'derived', 'predicted')),
  scheme TEXT NOT NULL,
  regime TEXT NOT NULL,
  backend TEXT NOT NULL,
  baseline TEXT NOT NULL,
  estimate REAL NOT NULL,
  low REAL NOT NULL,
  high REAL NOT NULL,
  claimed_low REAL NOT NULL,
  claimed_high REAL NOT NULL,
  covered INTEGER NOT NULL,
  cells INTEGER NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (judging, place)
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::string_view kViews = R"sql(
-- What became of each case, over its legs: the worst leg speaks for it.
CREATE VIEW case_outcomes AS
SELECT c.id AS case_id, c.run, c.case_key, c.arm,
  CASE
    WHEN c.status <> 'planned' THEN c.status
    WHEN worst.status <> 'passed' THEN worst.status
    WHEN (SELECT count(*) FROM leg_cases l WHERE l.case_id = c.id) >= max(g.legs, 1) THEN 'passed'
    ELSE 'skipped'
  END AS status,
  CASE
    WHEN c.status <> 'planned' THEN c.reason
    WHEN worst.status <> 'passed' THEN worst.reason
    WHEN (SELECT count(*) FROM leg_cases l WHERE l.case_id = c.id) >= max(g.legs, 1) THEN ''
    ELSE 'not measured (interrupted)'
  END AS reason,
  coalesce((SELECT lc.implementation FROM leg_cases lc JOIN legs l ON l.id = lc.leg
            WHERE lc.case_id = c.id AND lc.implementation <> ''
            ORDER BY l.leg LIMIT 1), '') AS implementation
FROM cases c
JOIN groups g ON g.run = c.run AND g.name = c.group_name
LEFT JOIN leg_cases worst ON worst.id =
  (SELECT lc.id FROM leg_cases lc JOIN legs l ON l.id = lc.leg
   WHERE lc.case_id = c.id
   ORDER BY CASE lc.status WHEN 'failed' THEN 0 WHEN 'mistrusted' THEN 1
                           WHEN 'skipped' THEN 2 ELSE 3 END, l.leg
   LIMIT 1);

-- Each figure of a case once: the one over all legs; else that of the first leg that found it.
CREATE VIEW figures AS
SELECT f.*
FROM metrics f
WHERE f.leg IS NULL
   OR NOT EXISTS (SELECT 1 FROM metrics other
                  WHERE other.case_id = f.case_id AND other.metric = f.metric
                    AND other.baseline = f.baseline
                    AND (other.leg IS NULL OR other.id < f.id));

-- 'open': running, or killed.
CREATE VIEW run_states AS
SELECT r.id AS run, r.suite, r.started,
  coalesce((SELECT e.status FROM run_endings e WHERE e.run = r.id ORDER BY e.id DESC LIMIT 1),
           'open') AS status
FROM runs r;

-- The verdicts of each run's last judging.
CREATE VIEW latest_verdicts AS
SELECT j.run, v.place, c.name AS claim, v.verdict, v.reason, v.kind, v.scheme, v.regime, v.backend,
  v.baseline, v.estimate, v.low, v.high, v.claimed_low, v.claimed_high, v.covered, v.cells,
  c.statement, c.source, c.unit, c.better, v.note
FROM judgings j
JOIN verdicts v ON v.judging = j.id
JOIN claims c ON c.id = v.claim
WHERE j.id = (SELECT max(id) FROM judgings last WHERE last.run = j.run);
)sql";

/// Cases say how a text is evaluated, and how keys and values are kept.
constexpr std::string_view kTextCases = R"sql(
ALTER TABLE cases ADD COLUMN protocol TEXT NOT NULL DEFAULT '';  -- text=... context=... tokens=HASH
ALTER TABLE cases ADD COLUMN kv_cache TEXT NOT NULL DEFAULT ''
  CHECK (kv_cache IN ('', 'FP32', 'FP16', 'INT8'));

-- One row a figure; a case without figures has one row whose figure is NULL.
DROP VIEW IF EXISTS results;
CREATE VIEW results AS
SELECT c.run, c.case_key, c.arm, m.name AS model, l.name AS layer, l.n, l.k, c.m, c.cache,
  c.threads, c.protocol, c.kv_cache, a.scheme, c.group_name, a.method, c.backend, c.kernel, o.implementation, o.status,
  o.reason, f.metric, f.value, f.low, f.high, f.count, f.unit, f.baseline, f.direction,
  c.id AS case_id, f.id AS metric_id
FROM cases c
JOIN artifacts a ON a.id = c.artifact
JOIN layers l ON l.id = a.layer
JOIN models m ON m.id = l.model
JOIN case_outcomes o ON o.case_id = c.id
LEFT JOIN figures f ON f.case_id = c.id;
)sql";

constexpr std::array kAppendOnly = {"machines",      "runs",      "run_endings", "models",
                                    "layers",        "artifacts", "groups",      "cases",
                                    "legs",          "leg_cases", "rounds",      "metrics",
                                    "sample_scores", "claims",    "judgings",    "verdicts"};

std::string version_1() {
  std::string sql(kTables);
  sql += kViews;
  for (const std::string_view table : kAppendOnly) {
    for (const std::string_view change : {"UPDATE", "DELETE"}) {
      sql += fmt::format(
          "CREATE TRIGGER {0}_no_{1} BEFORE {1} ON {0} "
          "BEGIN SELECT raise(ABORT, '{0} is append only'); END;\n",
          table, change);
    }
  }
  return sql;
}

}  // namespace

std::span<const std::string> store_migrations() {
  static const std::array<std::string, 2> steps = {version_1(), std::string(kTextCases)};
  return steps;
}

void migrate(Database& database, std::span<const std::string> steps) {
  const auto newest = static_cast<std::int64_t>(steps.size());
  constexpr std::string_view kVersion = "PRAGMA user_version";
  if (database.value<std::int64_t>(kVersion) >= newest) return;

  Transaction transaction(database);
  // Read again: another process may have migrated the file while this one waited for the lock.
  const auto version = database.value<std::int64_t>(kVersion);
  if (version >= newest) return;
  for (const std::string& step : steps.subspan(static_cast<std::size_t>(version))) {
    database.execute(step);
  }
  database.execute(fmt::format("PRAGMA application_id = {}", kStoreApplicationId));
  database.execute(fmt::format("PRAGMA user_version = {}", newest));
  transaction.commit();
}

}  // namespace qassay
