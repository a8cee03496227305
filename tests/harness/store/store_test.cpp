#include "harness/store/store.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "harness/store/machine_json.hpp"
#include "tests/harness/store/fixture.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class StoreTest : public ::testing::Test {
 protected:
  /// "metric value status reason implementation" of each record of a case.
  std::vector<std::string> lines(std::int64_t run, const std::string& key) const {
    std::vector<std::string> lines;
    for (const Record& row : store_.records(run)) {
      if (row.case_key != key) continue;
      lines.push_back(fmt::format("{}={} {}:{}:{}", row.metric, row.value, row.status, row.reason,
                                  row.implementation));
    }
    return lines;
  }

  MetricRow metric(const std::string& key, double value, const std::string& baseline = "") const {
    return {key, "a", "latency", value, value, value, 4, "seconds", "lower", baseline};
  }

  TempFolder folder_;
  Store store_ = Store::open_for_writing(folder_ / "a.db");
};

TEST_F(StoreTest, RunReadsBack) {
  const RunInfo info = sample_run();
  const auto id = store_.begin_run(info, {});
  const StoredRun run = store_.run(id);
  EXPECT_EQ(run.id, id);
  EXPECT_EQ(run.uuid.size(), 36U);
  EXPECT_GT(run.started, 1.7e9);
  EXPECT_EQ(run.status, "open");
  EXPECT_EQ(run.info.suite, info.suite);
  EXPECT_EQ(run.info.suite_hash, info.suite_hash);
  EXPECT_EQ(run.info.program_hash, info.program_hash);
  EXPECT_EQ(run.info.revision, info.revision);
  EXPECT_EQ(run.info.build, info.build);
  EXPECT_EQ(run.info.command, info.command);
  EXPECT_EQ(run.info.threads, info.threads);
  EXPECT_EQ(run.info.isa, info.isa);
  EXPECT_EQ(run.info.quick, info.quick);
  EXPECT_EQ(run.info.settings, info.settings);
  EXPECT_EQ(run.info.machine.fingerprint, info.machine.fingerprint);
  EXPECT_EQ(run.info.machine.cpu, info.machine.cpu);
  EXPECT_EQ(run.info.machine.isas, info.machine.isas);
  EXPECT_EQ(run.info.machine.cores, info.machine.cores);
  EXPECT_EQ(run.info.machine.last_level_cache_bytes, info.machine.last_level_cache_bytes);
  EXPECT_EQ(run.info.machine.memory_bytes, info.machine.memory_bytes);
  EXPECT_EQ(facts_to_json(run.info.machine.facts), R"([["governor","unknown"],["load","0.5"]])");
}

TEST_F(StoreTest, RunsDifferAndTheLatestIsKnown) {
  EXPECT_EQ(store_.latest_run(), std::nullopt);
  const auto first = store_.begin_run(sample_run(), {});
  const auto second = store_.begin_run(sample_run(), {});
  EXPECT_EQ(store_.latest_run(), second);
  EXPECT_NE(store_.run(first).uuid, store_.run(second).uuid);
  EXPECT_THAT(input_error([&] { store_.records(7); }),
              HasSubstr("run 7: is not in the store; the latest there is 2"));
}

TEST_F(StoreTest, RunMayBeInterruptedOftenAndFinishesOnce) {
  const auto run = store_.begin_run(sample_run(), {});
  store_.end_run(run, RunEnd::interrupted);
  store_.end_run(run, RunEnd::interrupted);
  EXPECT_EQ(store_.run(run).status, "interrupted");
  store_.end_run(run, RunEnd::finished);
  EXPECT_EQ(store_.run(run).status, "finished");
  EXPECT_THROW(store_.end_run(run, RunEnd::finished), InputError);
}

TEST_F(StoreTest, CasesReadBack) {
  std::vector<CaseRow> cases = sample_cases(3, "g", 4);
  cases[1].arm = "b";
  cases[2].status = "unsupported";
  cases[2].reason = "needs AVX-512";
  cases[2].group = "whole";
  cases[2].legs = 1;
  cases[2].layer = "";
  cases[2].cache = "";
  const auto run = store_.begin_run(sample_run(), cases);
  store_.begin_run(sample_run(), sample_cases(1, "g", 2));
  EXPECT_EQ(store_.cases(run), cases);
}

TEST_F(StoreTest, LegsReadBack) {
  std::vector<CaseRow> cases = sample_cases(3, "g", 2);
  const std::vector<CaseRow> others = sample_cases(2, "h", 1);
  cases.insert(cases.end(), others.begin(), others.end());
  const auto run = store_.begin_run(sample_run(), cases);
  LegRow second = sample_leg(3, "g", 1);
  second.cases[2].status = "failed";
  second.cases[2].reason = "killed by signal 9";
  second.cases[2].rounds.clear();
  const LegRow first = sample_leg(3, "g", 0);
  store_.add_leg(run, second);
  store_.add_leg(run, first);
  store_.add_leg(run, sample_leg(2, "h", 0));
  EXPECT_THAT(store_.legs(run, "g"), ElementsAre(first, second));
  EXPECT_THAT(store_.legs(run, "none"), IsEmpty());
  EXPECT_THAT(store_.finished_legs(run),
              UnorderedElementsAre(Pair("g", 0), Pair("g", 1), Pair("h", 0)));
}

TEST_F(StoreTest, LegIsStoredOnceAndWholeOrNotAtAll) {
  const auto run = store_.begin_run(sample_run(), sample_cases(2, "g", 2));
  store_.add_leg(run, sample_leg(2, "g", 0));
  EXPECT_THAT(input_error([&] { store_.add_leg(run, sample_leg(2, "g", 0)); }),
              HasSubstr("already holds this row (UNIQUE constraint failed: legs.run"));

  LegRow twice = sample_leg(2, "g", 1);
  twice.cases[1].rounds[1].round = 0;
  EXPECT_THROW(store_.add_leg(run, twice), InputError);
  LegRow not_a_number = sample_leg(2, "g", 1);
  not_a_number.cases[1].rounds[9].seconds = std::nan("");
  EXPECT_THROW(store_.add_leg(run, not_a_number), std::logic_error);
  LegRow infinite = sample_leg(2, "g", 1);
  infinite.metrics[1].high = HUGE_VAL;
  EXPECT_THROW(store_.add_leg(run, infinite), std::logic_error);
  LegRow no_time = sample_leg(2, "g", 1);
  no_time.cases[0].rounds[0].seconds = 0;
  EXPECT_THROW(store_.add_leg(run, no_time), std::logic_error);
  LegRow stranger = sample_leg(2, "g", 1);
  stranger.samples[1].case_key = "g/c9";
  EXPECT_THROW(store_.add_leg(run, stranger), std::logic_error);
  LegRow silent = sample_leg(2, "g", 1);
  silent.cases[0].status = "failed";
  EXPECT_THROW(store_.add_leg(run, silent), std::logic_error);

  EXPECT_THAT(store_.legs(run, "g"), ElementsAre(sample_leg(2, "g", 0)));
  store_.add_leg(run, sample_leg(2, "g", 1));
  EXPECT_EQ(store_.legs(run, "g").size(), 2U);
}

TEST_F(StoreTest, CasesOfAGroupAgreeOnItsLegs) {
  std::vector<CaseRow> cases = sample_cases(2, "g", 4);
  cases[1].legs = 6;
  EXPECT_THROW(store_.begin_run(sample_run(), cases), std::logic_error);
  EXPECT_EQ(store_.latest_run(), std::nullopt);
}

TEST_F(StoreTest, MetricsOfARunAreStoredOnce) {
  const auto run = store_.begin_run(sample_run(), sample_cases(2, "g", 1));
  EXPECT_FALSE(store_.has_metrics(run));
  store_.add_leg(run, sample_leg(2, "g", 0));
  EXPECT_FALSE(store_.has_metrics(run)) << "those of a leg are not those of the run";
  store_.add_metrics(run, {metric("g/c0", 1e-3), metric("g/c0", 2.0, "own-fp32")});
  EXPECT_TRUE(store_.has_metrics(run));
  EXPECT_THROW(store_.add_metrics(run, {metric("g/c1", 1e-3), metric("g/c0", 3e-3)}), InputError);
  EXPECT_THAT(lines(run, "g/c0"),
              ElementsAre("sqnr=40.1 passed::jit:avx512", "latency=0.001 passed::jit:avx512",
                          "latency=2 passed::jit:avx512"));
  EXPECT_THAT(lines(run, "g/c1"), ElementsAre("sqnr=40.1 passed::jit:avx512"));
}

TEST_F(StoreTest, RecordCarriesEverythingOfItsCaseAndFigure) {
  const auto run = store_.begin_run(sample_run(), sample_cases(2, "g", 1));
  store_.add_leg(run, sample_leg(2, "g", 0));
  store_.add_metrics(
      run, {{"g/c1", "a", "speedup", 3.5, 3.25, 3.75, 4, "ratio", "higher", "best-fp32"}});
  const Record row = store_.records(run).back();
  EXPECT_EQ(row.run, run);
  EXPECT_EQ(row.case_key, "g/c1");
  EXPECT_EQ(row.arm, "a");
  EXPECT_EQ(row.model, "decoder-7b");
  EXPECT_EQ(row.layer, "4096x4096");
  EXPECT_EQ(row.n, 4096);
  EXPECT_EQ(row.k, 4097);
  EXPECT_EQ(row.m, 128);
  EXPECT_EQ(row.cache, "hot");
  EXPECT_EQ(row.threads, 2);
  EXPECT_EQ(row.protocol, "text=t context=8");
  EXPECT_EQ(row.kv_cache, "INT8");
  EXPECT_EQ(row.scheme, "W8A8");
  EXPECT_EQ(row.group, "g");
  EXPECT_EQ(row.method, "rtn");
  EXPECT_EQ(row.backend, "cpu");
  EXPECT_EQ(row.kernel, "kernel_1");
  EXPECT_EQ(row.implementation, "jit:avx512");
  EXPECT_EQ(row.status, "passed");
  EXPECT_EQ(row.reason, "");
  EXPECT_EQ(row.metric, "speedup");
  EXPECT_EQ(row.value, 3.5);
  EXPECT_EQ(row.low, 3.25);
  EXPECT_EQ(row.high, 3.75);
  EXPECT_EQ(row.count, 4);
  EXPECT_EQ(row.unit, "ratio");
  EXPECT_EQ(row.baseline, "best-fp32");
}

TEST_F(StoreTest, FigureOfSeveralLegsIsGivenOnceAndThatOfTheRunWins) {
  const auto run = store_.begin_run(sample_run(), sample_cases(2, "g", 2));
  LegRow first = sample_leg(2, "g", 0);
  LegRow second = sample_leg(2, "g", 1);
  first.metrics[0].low = first.metrics[0].value = 39.5;
  store_.add_leg(run, first);
  store_.add_leg(run, second);
  MetricRow over_legs = second.metrics[1];
  over_legs.value = over_legs.low = 38.0;
  store_.add_metrics(run, {over_legs});
  EXPECT_THAT(lines(run, "g/c0"), ElementsAre("sqnr=39.5 passed::jit:avx512"));
  EXPECT_THAT(lines(run, "g/c1"), ElementsAre("sqnr=38 passed::jit:avx512"));
}

// What a case came to, over two legs: nothing disappears.
class OutcomeTest : public StoreTest {
 protected:
  /// The lines of the one case, whose legs ended so ("failed:reason").
  std::vector<std::string> outcome(const std::vector<std::pair<std::string, std::string>>& legs) {
    const auto run = store_.begin_run(sample_run(), sample_cases(1, "g", 2));
    int number = 0;
    for (const auto& [status, reason] : legs) {
      LegRow leg = sample_leg(1, "g", number++);
      leg.metrics.clear();
      leg.cases[0].status = status;
      leg.cases[0].reason = reason;
      store_.add_leg(run, leg);
    }
    return lines(run, "g/c0");
  }
};

TEST_F(OutcomeTest, PassedWhenEveryLegIsThere) {
  EXPECT_THAT(outcome({{"passed", ""}, {"passed", ""}}), ElementsAre("=0 passed::jit:avx512"));
}

TEST_F(OutcomeTest, SkippedWhileLegsAreMissing) {
  EXPECT_THAT(outcome({}), ElementsAre("=0 skipped:not measured (interrupted):"));
  EXPECT_THAT(outcome({{"passed", ""}}),
              ElementsAre("=0 skipped:not measured (interrupted):jit:avx512"));
}

TEST_F(OutcomeTest, WorstLegSpeaksWithTheReasonOfTheFirst) {
  EXPECT_THAT(outcome({{"passed", ""}, {"failed", "crashed"}}),
              ElementsAre("=0 failed:crashed:jit:avx512"));
  EXPECT_THAT(outcome({{"failed", "crashed"}, {"failed", "timed out"}}),
              ElementsAre("=0 failed:crashed:jit:avx512"));
  EXPECT_THAT(outcome({{"mistrusted", "above its ceiling"}, {"failed", "timed out"}}),
              ElementsAre("=0 failed:timed out:jit:avx512"));
  EXPECT_THAT(outcome({{"mistrusted", "above its ceiling"}}),
              ElementsAre("=0 mistrusted:above its ceiling:jit:avx512"));
  EXPECT_THAT(outcome({{"passed", ""}, {"skipped", "its worker died before"}}),
              ElementsAre("=0 skipped:its worker died before:jit:avx512"));
}

TEST_F(OutcomeTest, UnsupportedAndSkippedCasesKeepTheirReason) {
  std::vector<CaseRow> cases = sample_cases(2, "g", 2);
  cases[0].status = "unsupported";
  cases[0].reason = "k is not a multiple of 32";
  cases[1].status = "skipped";
  cases[1].reason = "filtered out";
  const auto run = store_.begin_run(sample_run(), cases);
  EXPECT_THAT(lines(run, "g/c0"), ElementsAre("=0 unsupported:k is not a multiple of 32:"));
  EXPECT_THAT(lines(run, "g/c1"), ElementsAre("=0 skipped:filtered out:"));
}

TEST_F(StoreTest, VerdictsOfTheLastJudgingReadBack) {
  const auto run = store_.begin_run(sample_run(), {});
  EXPECT_THAT(store_.verdicts(run), IsEmpty());
  VerdictRow row;
  row.id = "speed.int8";
  row.verdict = "inconclusive";
  row.reason = "underpowered";
  row.kind = "measured";
  row.scheme = "W8A8";
  row.regime = "decode";
  row.backend = "onednn";
  row.baseline = "best-fp32";
  row.estimate = 2.5;
  row.low = 1.75;
  row.high = 3.25;
  row.claimed_low = 2;
  row.claimed_high = 4;
  row.covered = 3;
  row.cells = 5;
  row.statement = "INT8 is 2 to 4 times faster";
  row.source = "article 1, table 2";
  row.unit = "ratio";
  row.better = "higher";
  row.note = "two layers failed";
  store_.add_verdicts(run, {row, row});
  row.verdict = "confirmed";
  VerdictRow other = row;
  other.id = "loss.int8";
  other.better = "lower";
  store_.add_verdicts(run, {other, row});

  const std::vector<VerdictRow> rows = store_.verdicts(run);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].id, "loss.int8");
  EXPECT_EQ(rows[0].better, "lower");
  const VerdictRow& got = rows[1];
  EXPECT_EQ(got.id, row.id);
  EXPECT_EQ(got.verdict, row.verdict);
  EXPECT_EQ(got.reason, row.reason);
  EXPECT_EQ(got.kind, row.kind);
  EXPECT_EQ(got.scheme, row.scheme);
  EXPECT_EQ(got.regime, row.regime);
  EXPECT_EQ(got.backend, row.backend);
  EXPECT_EQ(got.baseline, row.baseline);
  EXPECT_EQ(got.estimate, row.estimate);
  EXPECT_EQ(got.low, row.low);
  EXPECT_EQ(got.high, row.high);
  EXPECT_EQ(got.claimed_low, row.claimed_low);
  EXPECT_EQ(got.claimed_high, row.claimed_high);
  EXPECT_EQ(got.covered, row.covered);
  EXPECT_EQ(got.cells, row.cells);
  EXPECT_EQ(got.statement, row.statement);
  EXPECT_EQ(got.source, row.source);
  EXPECT_EQ(got.unit, row.unit);
  EXPECT_EQ(got.better, row.better);
  EXPECT_EQ(got.note, row.note);
}

TEST_F(StoreTest, UnknownWordsAreRefused) {
  const auto run = store_.begin_run(sample_run(), sample_cases(1, "g", 1));
  MetricRow sideways = metric("g/c0", 1);
  sideways.direction = "sideways";
  EXPECT_THROW(store_.add_metrics(run, {sideways}), std::logic_error);
  VerdictRow vague;
  vague.verdict = "plausible";
  vague.kind = "measured";
  vague.better = "lower";
  EXPECT_THROW(store_.add_verdicts(run, {vague}), std::logic_error);
  EXPECT_FALSE(store_.has_metrics(run));
  EXPECT_THAT(store_.verdicts(run), IsEmpty());
}

TEST_F(StoreTest, ReaderSeesWhatAWriterCommits) {
  const auto run = store_.begin_run(sample_run(), sample_cases(1, "g", 1));
  const Store reader = Store::open_for_reading(folder_ / "a.db");
  EXPECT_THAT(reader.finished_legs(run), IsEmpty());
  store_.add_leg(run, sample_leg(1, "g", 0));
  EXPECT_THAT(reader.finished_legs(run), ElementsAre(Pair("g", 0)));
}

TEST_F(StoreTest, ReaderDoesNotWrite) {
  const auto run = store_.begin_run(sample_run(), sample_cases(1, "g", 1));
  Store reader = Store::open_for_reading(folder_ / "a.db");
  EXPECT_THROW(reader.add_leg(run, sample_leg(1, "g", 0)), InputError);
  EXPECT_THAT(store_.finished_legs(run), IsEmpty());
}

}  // namespace
}  // namespace qassay
