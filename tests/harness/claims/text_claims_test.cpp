// Claims about language models: their regimes, protocols and gaps.

#include <gmock/gmock.h>

#include <limits>

#include "harness/claims/claim_reader.hpp"
#include "harness/claims/evidence.hpp"
#include "harness/claims/judge.hpp"
#include "tests/harness/claims/fixtures.hpp"

namespace qassay {
namespace {

using test::claim_of;
using test::loss;
using test::speedup;
using test::text_figure;
using ::testing::AllOf;
using ::testing::HasSubstr;

Claim on_text(const char* metric, double low, double high) {
  Claim claim = claim_of(metric, {"W8A8"}, low, high);
  claim.regimes = {ClaimRegime::text};
  return claim;
}

std::vector<VerdictRow> judged(const Claim& claim, const std::vector<Record>& records) {
  return judge(claim, records, {false});
}

TEST(TextClaimsTest, ImagesAndTextAreJudgedApart) {
  Claim claim = claim_of("loss", {"W8A8"}, 1, 3);
  claim.regimes = {ClaimRegime::images, ClaimRegime::text};
  const auto rows =
      judged(claim, {loss("W8A8", 2, 1.5, 2.5), text_figure("loss", "W8A8", 5, 4, 6)});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].regime, "images");
  EXPECT_EQ(rows[0].verdict, "confirmed");
  EXPECT_EQ(rows[1].regime, "text");
  EXPECT_EQ(rows[1].verdict, "refuted");
}

TEST(TextClaimsTest, WhatKeepsItsValuesOtherwiseIsNoEvidence) {
  Record record = text_figure("kl_mean", "W8A8", 0.001, 0.0009, 0.0011);
  const Claim claim = on_text("kl_mean", 0, 0.01);
  EXPECT_EQ(judged(claim, {record}).front().verdict, "confirmed");
  record.kv_cache = "INT8";
  EXPECT_EQ(judged(claim, {record}).front().reason, "not_comparable");
}

TEST(TextClaimsTest, AnotherProtocolIsNotComparableAndTheFieldIsNamed) {
  Claim claim = on_text("perplexity", 0, 6);
  const std::vector<Record> records{text_figure("perplexity", "W8A8", 5.5, 5.4, 5.6)};
  claim.protocol = {{"context", "256"}};
  EXPECT_EQ(judged(claim, records).front().verdict, "confirmed");
  claim.protocol = {{"context", "256"}, {"stride", "128"}};
  const VerdictRow row = judged(claim, records).front();
  EXPECT_EQ(row.verdict, "not_testable");
  EXPECT_EQ(row.reason, "not_comparable");
  EXPECT_EQ(row.note, "the evaluation protocols differ: stride is 256, and 128 is claimed");
}

TEST(TextClaimsTest, ProtocolsOfOneModelAreNeverMixed) {
  Record other = text_figure("perplexity", "W8A8", 5.5, 5.4, 5.6);
  other.case_key += "/other";
  other.protocol = "text=t context=512 stride=256";
  const VerdictRow row =
      judged(on_text("perplexity", 0, 6), {text_figure("perplexity", "W8A8", 5.5, 5.4, 5.6), other})
          .front();
  EXPECT_EQ(row.reason, "not_comparable");
  EXPECT_THAT(row.note, HasSubstr("context is 256 and 512"));
}

TEST(TextClaimsTest, AClaimedProtocolPicksItsEvaluationsOfAModelThatHasSeveral) {
  Record other = text_figure("perplexity", "W8A8", 9, 8.9, 9.1);
  other.case_key += "/other";
  other.protocol = "text=t context=512 stride=256";
  Claim claim = on_text("perplexity", 0, 6);
  claim.protocol = {{"context", "256"}};
  const VerdictRow row =
      judged(claim, {text_figure("perplexity", "W8A8", 5.5, 5.4, 5.6), other}).front();
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_NEAR(row.estimate, 5.5, 1e-9);
  EXPECT_THAT(row.note, HasSubstr("context is 512, and 256 is claimed"));
}

TEST(TextClaimsTest, AProtocolThatIsNotKnownIsNotTheClaimedOne) {
  Record record = text_figure("perplexity", "W8A8", 5.5, 5.4, 5.6);
  Claim claim = on_text("perplexity", 0, 6);
  claim.protocol = {{"bos", "none"}};
  const VerdictRow row = judged(claim, {record}).front();
  EXPECT_EQ(row.reason, "not_comparable");
  EXPECT_EQ(row.note, "the evaluation protocols differ: bos is not recorded, and none is claimed");
  record.protocol = "";
  EXPECT_EQ(judged(claim, {record}).front().reason, "not_comparable");
}

TEST(TextClaimsTest, NamesOfTextsMayHoldBlanks) {
  Record record = text_figure("perplexity", "W8A8", 5.5, 5.4, 5.6);
  record.protocol = "text=my%20100%25%20text context=256";
  Claim claim = on_text("perplexity", 0, 6);
  claim.protocol = {{"text", "my 100% text"}};
  EXPECT_EQ(judged(claim, {record}).front().verdict, "confirmed");
}

TEST(TextClaimsTest, TimesAreOfNoProtocol) {
  Claim claim = claim_of("speedup", {"W8A8"}, 2, 4);
  claim.regimes = {ClaimRegime::generation};
  Record one = speedup({.layer = "", .n = 0, .k = 0, .m = 1}, 3, 2.9, 3.1);
  one.kv_cache = "FP32";
  one.protocol = "text=t context=256";
  Record other = one;
  other.threads = 1;
  other.protocol = "text=t context=512";
  const VerdictRow row = judged(claim, {one, other}).front();
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_EQ(row.cells, 2);
}

TEST(TextClaimsTest, StepsOfAnOrderAreOfOneProtocol) {
  Claim claim = claim_of("loss_growth", {}, 0, 0);
  claim.regimes = {ClaimRegime::text};
  claim.order = {{{"FP16"}}, {{"W8A8"}}};
  const Record before = text_figure("loss", "FP16", 0.1, 0, 0.2);
  Record after = text_figure("loss", "W8A8", 2, 1.9, 2.1);
  EXPECT_EQ(judged(claim, {before, after}).front().verdict, "confirmed");
  after.protocol = "text=t context=512 stride=256";
  const VerdictRow row = judged(claim, {before, after}).front();
  EXPECT_EQ(row.reason, "not_comparable");
  EXPECT_THAT(row.note, HasSubstr("context is 256 and 512"));
}

TEST(TextClaimsTest, GenerationIsAWholeLanguageModelTokenByToken) {
  Claim claim = claim_of("speedup", {"W8A8"}, 2, 4);
  claim.regimes = {ClaimRegime::generation};
  Record layer = speedup({}, 9, 8.9, 9.1);
  Record token = speedup({.layer = "", .n = 0, .k = 0, .m = 1}, 3, 2.9, 3.1);
  token.kv_cache = "FP32";
  token.cache = "hot";
  Record prefill = token;
  prefill.m = 256;
  prefill.case_key += "/prefill";
  const VerdictRow row = judged(claim, {layer, token, prefill}).front();
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_EQ(row.cells, 1);
  EXPECT_NEAR(row.estimate, 3, 1e-9);
}

TEST(TextClaimsTest, AClaimOfSomeModelsSpeaksOfThoseAlone) {
  Claim claim = claim_of("latency", {"W8A8"}, 0, 30);
  claim.regimes = {ClaimRegime::network};
  claim.models = {"shape:whisper-*"};
  Record encoder = speedup({.layer = "", .n = 0, .k = 0, .m = 1500}, 4, 3.9, 4.1);
  encoder.metric = "latency";
  encoder.baseline = "";
  Record other = encoder;
  other.value = other.low = other.high = 50;
  other.case_key = "other";
  encoder.model = "shape:whisper-medium";
  const VerdictRow row = judged(claim, {encoder, other}).front();
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_NEAR(row.estimate, 4, 1e-9);
  EXPECT_EQ(row.cells, 1);
}

class GapTest : public ::testing::Test {
 protected:
  VerdictRow gap(const char* metric, const std::vector<Record>& records, bool quick = false) {
    Claim claim = claim_of(metric, {"W8A8", "W4*"}, 0, 10);
    claim.regimes = {ClaimRegime::images, ClaimRegime::text};
    const auto rows = judge(claim, records, {quick});
    EXPECT_EQ(rows.size(), 1U);
    return rows.front();
  }
};

TEST_F(GapTest, OfTasksIsTextMinusImagesWithBothUncertainties) {
  const VerdictRow row =
      gap("task_gap", {loss("W8A8", 1, 0.7, 1.3), text_figure("loss", "W8A8", 3, 2.6, 3.4)});
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_EQ(row.regime, "images, text");
  EXPECT_NEAR(row.estimate, 2, 1e-9);
  EXPECT_NEAR(row.low, 1.5, 1e-9);
  EXPECT_NEAR(row.high, 2.5, 1e-9);
  EXPECT_EQ(row.note, "the loss is 1 % on images and 3 % on text");
  EXPECT_EQ(gap("task_gap", {loss("W8A8", 3, 2.7, 3.3), text_figure("loss", "W8A8", 1, 0.6, 1.4)})
                .verdict,
            "refuted");
  EXPECT_EQ(gap("task_gap", {loss("W8A8", 1, 0.7, 1.3), text_figure("loss", "W8A8", 1.2, 0.8, 1.6)})
                .verdict,
            "inconclusive");
}

TEST_F(GapTest, OfModelsIsTheClearestDifferenceAndNeverRefuted) {
  const Record images = loss("W8A8", 1, 0.9, 1.1);
  const VerdictRow apart = gap("model_gap", {images, text_figure("loss", "W8A8", 3, 2.9, 3.1)});
  EXPECT_EQ(apart.verdict, "confirmed");
  EXPECT_EQ(apart.note, "letters loses 3 % and images 1 %");
  EXPECT_EQ(gap("model_gap", {images, text_figure("loss", "W8A8", 1, 0.9, 1.1)}).verdict,
            "inconclusive");
}

TEST_F(GapTest, MoreModelsNeedWiderIntervals) {
  // Two intervals that are just apart: by themselves, but not as one of three pairs.
  const Record images = loss("W8A8", 1, 0.9, 1.1);
  const Record letters = text_figure("loss", "W8A8", 1.15, 1.05, 1.25);
  EXPECT_EQ(gap("model_gap", {images, letters}).verdict, "confirmed");
  Record third = loss("W8A8", 1.05, 0.9, 1.2);
  third.model = "others";
  third.case_key = "others/W8A8";
  EXPECT_EQ(gap("model_gap", {images, letters, third}).verdict, "inconclusive");
}

TEST_F(GapTest, OfModelsIsWithinATaskWhereItHasTwo) {
  Record second = text_figure("loss", "W8A8", 3, 2.9, 3.1);
  second.model = "words";
  second.case_key = "words/W8A8";
  const VerdictRow row = gap("model_gap", {loss("W8A8", 50, 49.9, 50.1),
                                           text_figure("loss", "W8A8", 1, 0.9, 1.1), second});
  EXPECT_EQ(row.regime, "text");
  EXPECT_NEAR(row.estimate, 2, 1e-9) << "the images are another task";
  EXPECT_EQ(row.cells, 2);
}

TEST_F(GapTest, OfModelsIsOfOneMethodAtATime) {
  Claim claim = claim_of("model_gap", {"W8A8"}, 0, 100);
  claim.parts.front().methods = {"rtn", "gptq"};
  claim.regimes = {ClaimRegime::images, ClaimRegime::text};
  std::vector<Record> records{loss("W8A8", 1, 0.9, 1.1), text_figure("loss", "W8A8", 3, 2.9, 3.1)};
  for (const double value : {5.0, 5.1}) {
    Record record =
        value == 5.0 ? loss("W8A8", 5, 4.9, 5.1) : text_figure("loss", "W8A8", 5.1, 5, 5.2);
    record.method = "gptq";
    record.case_key += "/gptq";
    records.push_back(record);
  }
  const auto rows = judge(claim, records, {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].scheme, "W8A8 by gptq");
  EXPECT_EQ(rows[0].verdict, "inconclusive");
  EXPECT_EQ(rows[0].regime, "images, text");
  EXPECT_EQ(rows[1].scheme, "W8A8 by rtn");
  EXPECT_EQ(rows[1].verdict, "confirmed");
}

TEST_F(GapTest, IsConfirmedHoweverLargeItIs) {
  const std::vector<Record> records{loss("W8A8", 1, 0.7, 1.3),
                                    text_figure("loss", "W8A8", 40, 39, 41)};
  for (const Claim& claim : seed_claims()) {
    if (claim.id != "order.task" && claim.id != "model.differs") continue;
    const auto rows = judge(claim, records, {false});
    ASSERT_FALSE(rows.empty());
    EXPECT_EQ(rows.front().verdict, "confirmed") << claim.id;
  }
}

TEST_F(GapTest, AcrossProtocolsOfAModelIsNotComparableAndTheFieldIsNamed) {
  Record other = text_figure("loss", "W8A8", 3, 2.6, 3.4);
  other.case_key += "/other";
  other.protocol = "text=t context=512 stride=256";
  const VerdictRow row =
      gap("task_gap", {loss("W8A8", 1, 0.7, 1.3), text_figure("loss", "W8A8", 3, 2.6, 3.4), other});
  EXPECT_EQ(row.reason, "not_comparable");
  EXPECT_THAT(row.note, HasSubstr("context is 256 and 512"));
}

TEST_F(GapTest, NeedsBothSides) {
  EXPECT_EQ(gap("task_gap", {loss("W8A8", 1, 0.7, 1.3)}).reason, "not_comparable");
  EXPECT_EQ(gap("model_gap", {loss("W8A8", 1, 0.7, 1.3)}).reason, "not_comparable");
  const std::vector<Record> both{loss("W8A8", 1, 0.7, 1.3),
                                 text_figure("loss", "W8A8", 3, 2.6, 3.4)};
  EXPECT_EQ(gap("task_gap", both, true).reason, "underpowered");
}

}  // namespace
}  // namespace qassay
