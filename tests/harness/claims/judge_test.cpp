#include "harness/claims/judge.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/harness/claims/fixtures.hpp"

namespace qassay {
namespace {

using namespace test;
using ::testing::AllOf;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

VerdictRow only(const std::vector<VerdictRow>& rows) {
  EXPECT_EQ(rows.size(), 1U);
  return rows.empty() ? VerdictRow{} : rows.front();
}

VerdictRow judge_one(const Claim& claim, const std::vector<Record>& records, bool quick = false) {
  return only(judge(claim, records, {quick}));
}

auto says(const std::string& verdict, const std::string& reason = "") {
  return AllOf(Field("verdict", &VerdictRow::verdict, verdict),
               Field("reason", &VerdictRow::reason, reason));
}

const Claim kTwoToFour = claim_of("speedup", {"W8A8"}, 2, 4);

TEST(JudgeSpeedTest, GivesOneVerdictPerSchemeRegimeAndBackend) {
  Claim claim = claim_of("speedup", {"W8A8", "W8A16"}, 2, 4);
  claim.regimes = {ClaimRegime::decode, ClaimRegime::batch};
  const std::vector<Record> records{
      speedup({}, 3, 2.9, 3.1),
      speedup({.backend = "onednn"}, 1.5, 1.4, 1.6),
      speedup({.m = 128}, 5, 4.9, 5.1),
      speedup({.scheme = "W8A16"}, 2, 1.9, 2.1),
      speedup({.scheme = "W4A16"}, 3, 2.9, 3.1),  // not of this claim
  };
  const auto rows = judge(claim, records, {});
  ASSERT_EQ(rows.size(), 5U);
  const auto is = [&](std::size_t i, const char* scheme, const char* regime, const char* backend) {
    EXPECT_EQ(rows[i].scheme, scheme) << i;
    EXPECT_EQ(rows[i].regime, regime) << i;
    EXPECT_EQ(rows[i].backend, backend) << i;
  };
  is(0, "W8A16", "decode", "cpu");
  EXPECT_THAT(rows[0], says("inconclusive"));
  is(1, "W8A8", "decode", "cpu");
  EXPECT_THAT(rows[1], says("confirmed"));
  is(2, "W8A8", "decode", "onednn");
  EXPECT_THAT(rows[2], says("refuted"));
  is(3, "W8A8", "batch", "cpu");
  EXPECT_THAT(rows[3], says("better_than_claimed"));
  is(4, "W8A16", "batch", "");
  EXPECT_THAT(rows[4], says("not_testable", "not_comparable"));

  EXPECT_EQ(rows[1].kind, "measured");
  EXPECT_EQ(rows[1].baseline, "best-fp32");
  EXPECT_EQ(rows[1].unit, "x");
  EXPECT_EQ(rows[1].better, "higher");
  EXPECT_EQ(rows[1].claimed_low, 2);
  EXPECT_EQ(rows[1].claimed_high, 4);
  EXPECT_EQ(rows[1].statement, "it is so");
  EXPECT_EQ(rows[1].source, "somewhere");
}

TEST(JudgeSpeedTest, TakesTheGeometricMeanOverTheLayers) {
  const double reach = std::exp(0.2);
  const VerdictRow row =
      judge_one(kTwoToFour, {speedup({.layer = "a"}, 1.5, 1.5 / reach, 1.5 * reach),
                             speedup({.layer = "b"}, 6, 6 / reach, 6 * reach)});
  EXPECT_NEAR(row.estimate, 3, 1e-12);
  // Equal errors from 4 legs each: t(0.975, 6) / t(0.975, 3) / sqrt(2) of one interval's width.
  EXPECT_NEAR(std::log(row.high / row.estimate), 0.2 * 2.446912 / 3.182446 / std::sqrt(2.0), 1e-6);
  EXPECT_EQ(row.covered, 0) << "neither layer is in the range, though their mean is";
  EXPECT_EQ(row.cells, 2);
  EXPECT_THAT(row, says("confirmed"));
}

TEST(JudgeSpeedTest, CountsLayersWhoseOwnEstimateIsInside) {
  const VerdictRow row = judge_one(
      kTwoToFour, {speedup({.layer = "a"}, 2, 2, 2), speedup({.layer = "b"}, 3, 3, 3),
                   speedup({.layer = "c"}, 4, 4, 4), speedup({.layer = "d"}, 4.1, 4.1, 4.1),
                   speedup({.layer = "e"}, 1.9, 1.9, 1.9)});
  EXPECT_EQ(row.covered, 3) << "both ends belong to the range";
  EXPECT_EQ(row.cells, 5);
}

TEST(JudgeSpeedTest, NamesTheCellsThatAreMissing) {
  Record mistrusted = speedup({.layer = "c"}, 9, 8, 10);
  mistrusted.status = "mistrusted";
  mistrusted.reason = "above its ceiling";
  Record fell_back = speedup({.layer = "d"}, 0.1, 0.1, 0.1);
  fell_back.implementation = "gemm:ref";
  const VerdictRow row =
      judge_one(kTwoToFour,
                {speedup({.layer = "a"}, 3, 2.9, 3.1), silent({.layer = "b"}, "failed", "timeout"),
                 mistrusted, fell_back, silent({.layer = "e"}, "failed", "timeout")});
  EXPECT_THAT(row, says("confirmed"));
  EXPECT_NEAR(row.estimate, 3, 1e-12);
  EXPECT_EQ(row.covered, 1);
  EXPECT_EQ(row.cells, 5);
  EXPECT_EQ(row.note,
            "left out: decoder/b 64x32, decoder/e 64x32 (failed: timeout); "
            "decoder/c 64x32 (mistrusted: above its ceiling); decoder/d 64x32 (ran gemm:ref)");
}

TEST(JudgeSpeedTest, SaysWhyNothingIsTestable) {
  Record fell_back = speedup({.layer = "a"}, 3, 2.9, 3.1);
  fell_back.implementation = "ref:any";
  const Record unsupported = silent({.layer = "b"}, "unsupported", "no 4-bit type");
  const Record failed = silent({.layer = "c"}, "failed", "out of memory");

  VerdictRow row = judge_one(kTwoToFour, {unsupported});
  EXPECT_THAT(row, says("not_testable", "no_vector_kernel"));
  EXPECT_EQ(row.note, "no 4-bit type");
  EXPECT_EQ(row.cells, 1);
  EXPECT_EQ(row.covered, 0);
  EXPECT_EQ(row.estimate, 0);

  row = judge_one(kTwoToFour, {fell_back});
  EXPECT_THAT(row, says("not_testable", "fell_back"));
  EXPECT_EQ(row.note, "ran ref:any");
  EXPECT_THAT(judge_one(kTwoToFour, {unsupported, fell_back}), says("not_testable", "fell_back"));

  row = judge_one(kTwoToFour, {unsupported, fell_back, failed});
  EXPECT_THAT(row, says("not_testable", "not_comparable"));
  EXPECT_THAT(row.note, HasSubstr("decoder/c 64x32 (failed: out of memory)"));

  row = judge_one(kTwoToFour, {});
  EXPECT_THAT(row, says("not_testable", "not_comparable"));
  EXPECT_THAT(row.note, HasSubstr("no case of W8A8"));
}

TEST(JudgeSpeedTest, TheReferenceAloneFellBack) {
  const VerdictRow row = judge_one(kTwoToFour, {speedup({.backend = "reference"}, 3, 2.9, 3.1)});
  EXPECT_THAT(row, says("not_testable", "fell_back"));
  EXPECT_EQ(row.backend, "reference");
}

TEST(JudgeSpeedTest, ASuspectBaselineConfirmsAndRefutesNothing) {
  const Record bytes = exact({}, "weight_bytes", 2048);               // a quarter of FP32
  for (const Claim& claim : {claim_of("speedup", {"W8A8"}, 2, 6),     // else confirmed
                             claim_of("speedup", {"W8A8"}, 7, 9),     // else refuted
                             claim_of("speedup", {"W8A8"}, 2, 4)}) {  // else better
    const VerdictRow row = judge_one(claim, {speedup({}, 5, 4.9, 5.1), bytes});
    EXPECT_THAT(row, says("inconclusive", "baseline_suspect"));
    EXPECT_NEAR(row.estimate, 5, 1e-12);
    EXPECT_EQ(row.covered, 0);
    EXPECT_EQ(row.note,
              "left out: decoder/up 64x32 (baseline_suspect: 5 x faster with 4 x fewer "
              "bytes to read)");
  }
}

TEST(JudgeSpeedTest, ASuspectCellIsLeftToTheOthers) {
  const VerdictRow row =
      judge_one(kTwoToFour, {speedup({}, 40, 39, 41), exact({}, "weight_bytes", 2048),
                             speedup({.layer = "down"}, 3, 2.9, 3.1)});
  EXPECT_THAT(row, says("confirmed"));
  EXPECT_NEAR(row.estimate, 3, 1e-12);
  EXPECT_EQ(row.covered, 1);
  EXPECT_EQ(row.cells, 2);
  EXPECT_THAT(row.note, HasSubstr("decoder/up 64x32 (baseline_suspect"));
}

TEST(JudgeSpeedTest, OneLegDecidesNothing) {
  Record one_leg = speedup({}, 3, 3, 3);
  one_leg.count = 1;
  Record wide = speedup({.layer = "down"}, 12, 1, 144);
  wide.count = 1;
  const VerdictRow row = judge_one(kTwoToFour, {one_leg, wide});
  EXPECT_THAT(row, says("inconclusive", "underpowered"));
  EXPECT_NEAR(row.estimate, 6, 1e-12);
  EXPECT_EQ(row.low, row.high) << "no interval is made up";
}

TEST(JudgeQuickTest, ConfirmsAndRefutesNothing) {
  for (const double value : {1.0, 2.0, 3.0, 9.0}) {
    const VerdictRow row =
        judge_one(kTwoToFour, {speedup({}, value, value * 0.9, value * 1.1)}, true);
    EXPECT_THAT(row, says("inconclusive", "underpowered")) << value;
    EXPECT_NEAR(row.estimate, value, 1e-12);
  }
  const Claim saving = claim_of("weight_saving", {"W8A8"}, 74, 76);
  EXPECT_THAT(judge_one(saving, {exact({}, "weight_bytes", 2048)}, true),
              says("inconclusive", "underpowered"));
  EXPECT_THAT(judge_one(kTwoToFour, {silent({}, "unsupported", "no kernel")}, true),
              says("not_testable", "no_vector_kernel"));
}

TEST(JudgeArmsTest, TheSecondArmNeverFeedsAVerdict) {
  Record second = speedup({}, 30, 29, 31);
  second.arm = "b";
  const VerdictRow row = judge_one(kTwoToFour, {speedup({}, 3, 2.9, 3.1), second});
  EXPECT_NEAR(row.estimate, 3, 1e-12);
  EXPECT_EQ(row.cells, 1);

  Record lost = loss("W8A8", 50, 49, 51);
  lost.arm = "b";
  EXPECT_NEAR(
      judge_one(claim_of("loss", {"W8A8"}, 1, 3), {loss("W8A8", 2, 1.5, 2.5), lost}).estimate, 2,
      1e-12);
}

TEST(JudgeBytesTest, SumsTheLayersAgainstPlainFp32) {
  const std::vector<Record> records{
      exact({.layer = "a", .n = 100, .k = 10}, "weight_bytes", 1000),  // 1 byte a weight
      exact({.layer = "b", .n = 300, .k = 10}, "weight_bytes", 6000),  // 2 bytes
      silent({.layer = "c"}, "failed", "crashed"),
  };
  const VerdictRow size = judge_one(claim_of("bytes_per_parameter", {"W8A8"}, 0.95, 1.05), records);
  EXPECT_DOUBLE_EQ(size.estimate, 7000.0 / 4000);
  EXPECT_EQ(size.low, size.high);
  EXPECT_EQ(size.unit, "bytes");
  EXPECT_EQ(size.regime, "model");
  EXPECT_EQ(size.covered, 1);
  EXPECT_EQ(size.cells, 3);
  EXPECT_THAT(size, says("refuted"));
  EXPECT_THAT(size.note, HasSubstr("decoder/c 64x32 (failed: crashed)"));

  const VerdictRow saved = judge_one(claim_of("weight_saving", {"W8A8"}, 50, 60), records);
  EXPECT_DOUBLE_EQ(saved.estimate, 100 * (1 - 7000.0 / 16000));
  EXPECT_EQ(saved.baseline, "fp32");
  EXPECT_EQ(saved.covered, 1);
  EXPECT_THAT(saved, says("confirmed"));
}

TEST(JudgeAccuracyTest, AModelThatWasOnlyTimedIsNoCell) {
  Record timed = row({"W8A8", "cpu", "", 0, 0, 1}, "latency");
  timed.model = "images";
  timed.case_key = "images/m1/W8A8";
  const VerdictRow verdict =
      judge_one(claim_of("loss", {"W8A8"}, 1, 3), {loss("W8A8", 2, 1.5, 2.5), timed});
  EXPECT_EQ(verdict.cells, 1);
  EXPECT_EQ(verdict.note, "");
}

class JudgeOrderTest : public ::testing::Test {
 protected:
  JudgeOrderTest() {
    claim_.metric = find_claim_metric("loss_growth");
    claim_.regimes = {ClaimRegime::images};
    claim_.order = {{{"FP16", "BF16"}}, {{"W8A8"}}, {{"W4*"}}};
  }

  std::vector<VerdictRow> judged(const std::vector<Record>& records, bool quick = false) const {
    return judge(claim_, records, {quick});
  }

  Claim claim_;
};

TEST_F(JudgeOrderTest, GivesOneVerdictAStepOnTheMeansOfTheGroups) {
  const auto rows = judged({loss("FP16", 0, -0.1, 0.1), loss("BF16", 0.2, 0.1, 0.3),
                            loss("W8A8", 0.5, 0.4, 0.6), loss("W4A8-g32", 3, 2, 4)});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0], says("confirmed"));
  EXPECT_EQ(rows[0].scheme, "FP16, BF16 < W8A8");
  EXPECT_NEAR(rows[0].estimate, 0.4, 1e-12);
  EXPECT_NEAR(rows[0].low, 0.4 - 0.2, 1e-12);  // the farthest that both means allow
  EXPECT_NEAR(rows[0].high, 0.6 - 0.0, 1e-12);
  EXPECT_EQ(rows[0].cells, 3);
  EXPECT_THAT(rows[1], says("confirmed"));
  EXPECT_NEAR(rows[1].estimate, 2.5, 1e-12);
}

TEST_F(JudgeOrderTest, StepsThatOverlapDecideNothingAndStepsDownRefute) {
  const auto rows = judged({loss("FP16", 0.1, 0, 0.2), loss("W8A8", 0.15, 0.05, 0.25),
                            loss("W4A8-g32", -0.5, -0.6, -0.4)});
  EXPECT_THAT(rows[0], says("inconclusive"));
  EXPECT_THAT(rows[1], says("refuted"));
  EXPECT_THAT(judged({loss("FP16", 0, 0, 0), loss("W8A8", 1, 0.9, 1.1)}, true)[0],
              says("inconclusive", "underpowered"));
}

TEST_F(JudgeOrderTest, ASideWithoutEvaluationsIsNotTestable) {
  const std::vector<Record> outer{loss("FP16", 0, 0, 0), loss("W4A8-g32", 3, 2, 4)};
  ASSERT_EQ(judged(outer).size(), 2U);
  EXPECT_THAT(judged(outer), ::testing::Each(says("not_testable", "not_comparable")));
  Record unsupported = loss("W8A8", 0, 0, 0);
  unsupported.status = "unsupported";
  unsupported.metric = "";
  const auto rows = judged({outer[0], unsupported, outer[1]});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows, ::testing::Each(says("not_testable", "no_vector_kernel")));
  EXPECT_THAT(only(judged({})), says("not_testable", "not_comparable"));
}

TEST_F(JudgeOrderTest, MethodsAreComparedLikeSchemes) {
  claim_.order = {{{"W4*"}, {}, {"gptq*", "awq"}}, {{"W4*"}}};
  Record better = loss("W4A8-g32", 1, 0.5, 1.5);
  better.method = "gptq-act";
  better.case_key += " gptq-act";
  const Record nearest = loss("W4A8-g32", 3, 2, 4);
  Record other = loss("W4A8-g32", 20, 19, 21);
  other.method = "mse";
  other.case_key += " mse";
  const auto rows = judged({better, nearest, other});
  EXPECT_THAT(only(rows), says("confirmed"));
  EXPECT_EQ(rows[0].scheme, "W4* by gptq*, awq < W4* by rtn");
  EXPECT_NEAR(rows[0].estimate, 2, 1e-12);
  EXPECT_THAT(only(judged({nearest})), says("not_testable", "not_comparable"));
}

TEST(JudgeAccuracyTest, OtherMethodsAreNoEvidence) {
  Record clipped = loss("W8A8", 50, 49, 51);
  clipped.method = "mse";
  clipped.case_key += " mse";
  const Claim claim = claim_of("loss", {"W8A8"}, 1, 3);
  EXPECT_NEAR(judge(claim, std::vector{loss("W8A8", 2, 1.9, 2.1), clipped}, {}).front().estimate, 2,
              1e-12);
}

TEST(JudgeAccuracyTest, TakesTheLossWithItsInterval) {
  const Claim claim = claim_of("loss", {"W8A8"}, 1, 3);
  EXPECT_THAT(judge_one(claim, {loss("W8A8", 2, 1.5, 2.5)}), says("confirmed"));
  EXPECT_THAT(judge_one(claim, {loss("W8A8", 2.9, 2.5, 3.3)}), says("inconclusive"));
  EXPECT_THAT(judge_one(claim, {loss("W8A8", 4, 3.5, 4.5)}), says("refuted"));
  const VerdictRow gain = judge_one(claim, {loss("W8A8", -0.1, -0.2, 0)});
  EXPECT_THAT(gain, says("better_than_claimed"));
  EXPECT_EQ(gain.low, -0.2);
  EXPECT_EQ(gain.high, 0);
  EXPECT_EQ(gain.baseline, "own-fp32");
  EXPECT_EQ(gain.backend, "cpu");
  EXPECT_EQ(gain.unit, "%");
}

TEST(JudgeAccuracyTest, EvaluationsAreAveragedEndByEnd) {
  Record other = loss("W8A8", 4, 3, 5);
  other.case_key = "images/other kernel";
  const VerdictRow row =
      judge_one(claim_of("loss", {"W8A8"}, 1, 3), {loss("W8A8", 2, 1, 3), other});
  EXPECT_DOUBLE_EQ(row.estimate, 3);
  EXPECT_DOUBLE_EQ(row.low, 2);
  EXPECT_DOUBLE_EQ(row.high, 4);
  EXPECT_EQ(row.covered, 1);
  EXPECT_EQ(row.cells, 2);
}

TEST(JudgeAccuracyTest, WhatIsKeptIsTheRestOfWhatIsLost) {
  const VerdictRow row =
      judge_one(claim_of("accuracy_kept", {"W8A8"}, 97, 98), {loss("W8A8", 2, 1, 4)});
  EXPECT_DOUBLE_EQ(row.estimate, 98);
  EXPECT_DOUBLE_EQ(row.low, 96);
  EXPECT_DOUBLE_EQ(row.high, 99);
  EXPECT_THAT(row, says("inconclusive"));
}

TEST(JudgeNotTestableTest, StatesTheOwnModelsAsAnAnalogue) {
  Claim claim = claim_of("accuracy_kept", {"W8A8", "W8A16"}, 97, 98);
  claim.not_testable = ReasonCode::needs_checkpoint;
  claim.explanation = "not published";
  VerdictRow row = judge_one(claim, {loss("W8A8", 2, 1, 4), loss("W8A16", 0.5, 0.4, 0.6)});
  EXPECT_THAT(row, says("not_testable", "needs_checkpoint"));
  EXPECT_EQ(row.scheme, "W8A8, W8A16");
  EXPECT_EQ(row.estimate, 0);
  EXPECT_EQ(row.cells, 0);
  EXPECT_EQ(row.note,
            "not published; an analogue, not the claim's model: accuracy_kept of images rtn: 98 to "
            "99.5 % in W8A16, W8A8");
  EXPECT_THAT(judge_one(claim, {loss("W8A8", 2, 1, 4)}).note, HasSubstr(": 98 % in W8A8"));
  EXPECT_EQ(judge_one(claim, {}).note, "not published");
}

TEST(JudgeDerivedTest, NeedsNoRecordsAndNoPower) {
  Claim claim = claim_of("footprint", {"FP32"}, 700, 700);
  claim.kind = EvidenceKind::derived;
  claim.footprint.emplace();
  claim.footprint->parameters = 175e9;
  claim.footprint->row = 12288;
  claim.parts.push_back({{"W4A16-g128", "W4A16-g32"}, {78.75, 96.25}});
  const auto rows = judge(claim, {}, {true});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_THAT(rows[0], says("confirmed"));
  EXPECT_DOUBLE_EQ(rows[0].estimate, 700);
  EXPECT_EQ(rows[0].kind, "derived");
  EXPECT_EQ(rows[0].backend, "");
  EXPECT_EQ(rows[0].covered, 1);
  EXPECT_THAT(rows[1], says("confirmed"));
  EXPECT_DOUBLE_EQ(rows[1].estimate, 90.234375);
  EXPECT_EQ(rows[1].claimed_low, 78.75);
  EXPECT_THAT(rows[1].note, HasSubstr("175 billion parameters at 4.125 bits, scales included"));
  EXPECT_EQ(rows[0].note, "175 billion parameters at 32 bits");
  EXPECT_THAT(rows[2], says("refuted"));
  EXPECT_EQ(rows[2].covered, 0);
}

TEST(JudgeDerivedTest, ReadsATotalInEachPrecision) {
  Claim claim = claim_of("footprint", {"W4A16-tensor"}, 15, 25);
  claim.kind = EvidenceKind::derived;
  claim.footprint.emplace();
  claim.footprint->total_gb = 100;
  claim.footprint->from = {"FP16", "FP32"};
  claim.footprint->row = 8192;
  const auto rows = judge(claim, {}, {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].baseline, "FP16");
  EXPECT_DOUBLE_EQ(rows[0].estimate, 25);
  EXPECT_THAT(rows[0], says("confirmed"));
  EXPECT_EQ(rows[1].baseline, "FP32");
  EXPECT_THAT(rows[1], says("better_than_claimed"));
  EXPECT_THAT(rows[0].note, HasSubstr("if the 100 GB were FP16"));

  claim.footprint->kv_cache = KvCache{64, 8, 128, 4096, 1, 16};
  const auto with_cache = judge(claim, {}, {});
  EXPECT_THAT(with_cache[0], says("refuted")) << "the cache does not shrink";
  EXPECT_THAT(with_cache[0].note, HasSubstr("1.07 GB of it KV cache"));
}

TEST(JudgeAllTest, KeepsTheOrderOfTheClaims) {
  Claim second = kTwoToFour;
  second.id = "another.claim";
  const std::vector<Claim> claims{kTwoToFour, second};
  const std::vector<Record> records{speedup({}, 3, 2.9, 3.1)};
  const auto rows = judge_all(claims, records, {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].id, "some.claim");
  EXPECT_EQ(rows[1].id, "another.claim");
  EXPECT_THAT(judge_all({}, records, {}), IsEmpty());
}

}  // namespace
}  // namespace qassay
