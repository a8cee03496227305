// Groups of schemes and methods against each other: by differences, ratios and what tuning wins.

#include "harness/claims/order.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/harness/claims/fixtures.hpp"

namespace qassay {
namespace {

using namespace test;
using ::testing::HasSubstr;

ClaimPart group(const std::string& scheme, const std::string& method) {
  return {{scheme}, {}, {method}, {}};
}

Claim order_of(const char* metric, ClaimRegime regime, std::vector<ClaimPart> order,
               ClaimedRange step = {}) {
  Claim claim = claim_of(metric, {}, 0, 0);
  claim.regimes = {regime};
  claim.parts.clear();
  claim.order = std::move(order);
  claim.step = step;
  return claim;
}

Record by(Record record, const std::string& method) {
  record.method = method;
  record.case_key += "/" + method;
  return record;
}

Record seconds(const std::string& model, const std::string& scheme, const std::string& method,
               double value) {
  Record record = by(loss(scheme, value, value, value), method);
  record.metric = "quantize_seconds";
  record.model = model;
  record.case_key += model;
  record.count = 1;
  return record;
}

Record layer_error(const char* metric, const std::string& layer, const std::string& method,
                   double value) {
  Record record = by(exact({"W4A16", "cpu", layer, 64, 32, 128}, metric, value), method);
  return record;
}

VerdictRow step(const Claim& claim, const std::vector<Record>& records, bool quick = false) {
  const auto rows = judge(claim, records, {quick});
  EXPECT_EQ(rows.size(), 1U);
  return rows.empty() ? VerdictRow{} : rows.front();
}

const Claim kTime =
    order_of("time_growth", ClaimRegime::images, {group("W4*", "rtn"), group("W4*", "gptq")});

TEST(TimeGrowthTest, IsARatioThatTheModelsAgreeOn) {
  const VerdictRow row =
      step(kTime, {seconds("a", "W4A16", "rtn", 0.01), seconds("a", "W4A16", "gptq", 1),
                   seconds("b", "W4A16", "rtn", 0.02), seconds("b", "W4A16", "gptq", 3)});
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_NEAR(row.estimate, std::sqrt(100.0 * 150.0), 1e-6);
  // Student's t with one degree of freedom on the two logs.
  const double half = 12.7062047 * std::log(150.0 / 100.0) / 2;
  EXPECT_NEAR(std::log(row.high / row.estimate), half, 1e-6);
  EXPECT_EQ(row.cells, 2);
  EXPECT_EQ(row.covered, 2);
  EXPECT_EQ(row.unit, "x");
  EXPECT_EQ(row.claimed_low, 1);
  EXPECT_EQ(row.scheme, "W4* by rtn < W4* by gptq");
}

TEST(TimeGrowthTest, CountsTheSameWeightsOnce) {
  std::vector<Record> records;
  for (const char* scheme : {"W4A16-g32", "W4A8-g32", "W4A16-g128"}) {
    records.push_back(seconds("a", scheme, "rtn", 0.01));
    records.push_back(seconds("a", scheme, "gptq", 1));
  }
  EXPECT_EQ(step(kTime, records).cells, 2) << "W4A8-g32 has the weights of W4A16-g32";
}

TEST(TimeGrowthTest, IsRefutedInconclusiveAndNotTestable) {
  const auto two = [](double first, double second) {
    return std::vector<Record>{
        seconds("a", "W4A16", "rtn", 1), seconds("a", "W4A16", "gptq", first),
        seconds("b", "W4A16", "rtn", 1), seconds("b", "W4A16", "gptq", second)};
  };
  EXPECT_EQ(step(kTime, two(0.5, 0.5)).verdict, "refuted");
  EXPECT_EQ(step(kTime, two(0.9, 2)).verdict, "inconclusive");
  const VerdictRow large = step(kTime, two(1e5, 1e5));
  EXPECT_EQ(large.verdict, "confirmed") << "however large it is";
  EXPECT_EQ(large.covered, 2);
  EXPECT_EQ(step(kTime, two(10, 10), true).reason, "underpowered");
  const VerdictRow one =
      step(kTime, {seconds("a", "W4A16", "rtn", 1), seconds("a", "W4A16", "gptq", 100)});
  EXPECT_EQ(one.verdict, "not_testable");
  EXPECT_EQ(one.reason, "underpowered") << "nothing says how far one time may be trusted";
  const VerdictRow none = step(kTime, {seconds("a", "W4A16", "rtn", 1)});
  EXPECT_EQ(none.reason, "not_comparable");
  EXPECT_THAT(none.note, HasSubstr("has not both sides"));
}

TEST(TimeGrowthTest, ThatCannotBeTestedSaysWhy) {
  Claim claim = kTime;
  claim.not_testable = ReasonCode::needs_gpu;
  claim.explanation = "of a GPU";
  const VerdictRow row = step(claim, {seconds("a", "W4A16", "rtn", 1)});
  EXPECT_EQ(row.verdict, "not_testable");
  EXPECT_EQ(row.reason, "needs_gpu");
  EXPECT_EQ(row.note, "of a GPU");
}

TEST(ErrorGrowthTest, PairsLayersOfOneScheme) {
  const Claim claim = order_of("accumulated_error_growth", ClaimRegime::layers,
                               {group("W4*", "gptq"), group("W4*", "rtn")});
  std::vector<Record> records;
  for (const char* layer : {"a", "b", "c"}) {
    records.push_back(layer_error("accumulated_relative_error", layer, "gptq", 0.1));
    records.push_back(layer_error("accumulated_relative_error", layer, "rtn", 0.2));
  }
  records.push_back(layer_error("accumulated_relative_error", "alone", "rtn", 9));
  const VerdictRow row = step(claim, records);
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_NEAR(row.estimate, 2, 1e-9) << "a layer without its counterpart has no part";
  EXPECT_EQ(row.cells, 3);
  EXPECT_EQ(row.regime, "layers");
}

TEST(ErrorAccumulationTest, IsTheErrorBehindQuantizedLayersOverThatAlone) {
  Claim claim = claim_of("error_accumulation", {"W4*"}, 1, 1000);
  claim.regimes = {ClaimRegime::layers};
  std::vector<Record> records;
  const auto add = [&](const char* layer, double alone, double behind) {
    records.push_back(layer_error("relative_error", layer, "rtn", alone));
    records.push_back(layer_error("accumulated_relative_error", layer, "rtn", behind));
  };
  add("a", 0.1, 0.2);
  add("b", 0.1, 0.3);
  add("c", 0.1, 0.25);
  // Has no error alone to be set against.
  records.push_back(layer_error("accumulated_relative_error", "d", "rtn", 0.5));
  const VerdictRow row = step(claim, records);
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_NEAR(row.estimate, std::cbrt(2.0 * 3.0 * 2.5), 1e-9);
  EXPECT_LT(row.low, row.estimate);
  EXPECT_EQ(row.cells, 4);
  EXPECT_EQ(row.covered, 3);
  EXPECT_THAT(row.note, HasSubstr("decoder/d 64x32 rtn"));

  records.clear();
  add("a", 0.1, 0.05);
  add("b", 0.1, 0.05);
  EXPECT_EQ(step(claim, records).verdict, "refuted");
  records.clear();
  add("a", 0.1, 0.2);
  EXPECT_EQ(step(claim, records).reason, "underpowered") << "one layer shows no spread";
}

TEST(LossChangeTest, StaysInsideOrNot) {
  const Claim claim = order_of("loss_change", ClaimRegime::images,
                               {group("W4A16", "gptq@512"), group("W4A16", "gptq")}, {-1, 1});
  const auto change = [&](double low, double high) {
    const double middle = (low + high) / 2;
    return step(claim, {by(loss("W4A16", 2, 2, 2), "gptq@512"),
                        by(loss("W4A16", 2 + middle, 2 + low, 2 + high), "gptq")});
  };
  EXPECT_EQ(change(-0.5, 0.5).verdict, "confirmed");
  EXPECT_EQ(change(0.5, 1.5).verdict, "inconclusive");
  EXPECT_EQ(change(1.5, 2.5).verdict, "refuted");
  EXPECT_EQ(change(-3, -2).verdict, "better_than_claimed");
  EXPECT_EQ(change(0, 0.5).note, "the loss is 2 % and then 2.25 %");
}

TEST(LossChangeTest, LeavesModelsAwayThatOneSideLacks) {
  const Claim claim = order_of("loss_change", ClaimRegime::images,
                               {group("W4A16", "gptq@512"), group("W4A16", "gptq")}, {-1, 1});
  Record other = by(loss("W4A16", 50, 49, 51), "gptq");
  other.model = "others";
  other.case_key += "others";
  const VerdictRow row = step(claim, {by(loss("W4A16", 2, 1.9, 2.1), "gptq@512"),
                                      by(loss("W4A16", 2, 1.9, 2.1), "gptq"), other});
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_NEAR(row.estimate, 0, 1e-9);
  EXPECT_EQ(row.cells, 2);
}

TEST(TuningGrowthTest, ComparesWhatMethodsWinBackOfPlainRounding) {
  const Claim claim = order_of("tuning_growth", ClaimRegime::images,
                               {group("W8A8", "gptq"), group("W4A16", "gptq")});
  const auto at = [](const char* scheme, double plain, double tuned) {
    return std::vector{loss(scheme, plain, plain - 0.1, plain + 0.1),
                       by(loss(scheme, tuned, tuned - 0.1, tuned + 0.1), "gptq")};
  };
  const auto both = [&](double plain8, double tuned8, double plain4, double tuned4) {
    std::vector<Record> records = at("W8A8", plain8, tuned8);
    for (const Record& record : at("W4A16", plain4, tuned4)) records.push_back(record);
    return records;
  };
  const VerdictRow row = step(claim, both(1, 0.9, 5, 3));
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_NEAR(row.estimate, 1.9, 1e-9);
  EXPECT_NEAR(row.low, 1.5, 1e-9) << "the farthest that four intervals allow";
  EXPECT_EQ(row.note, "the methods win back 0.1 points of loss and then 2");
  EXPECT_EQ(step(claim, both(5, 3, 1, 0.9)).verdict, "refuted");
  EXPECT_EQ(step(claim, both(1, 0.9, 1, 0.9)).verdict, "inconclusive");
  EXPECT_EQ(step(claim, {at("W8A8", 1, 0.9)[0], at("W4A16", 5, 3)[1]}).reason, "not_comparable");
}

TEST(SpeedChangeTest, DividesSpeedupsAgainstOneBaselineLayerByLayer) {
  const Claim claim = order_of("speed_change", ClaimRegime::decode,
                               {group("FP16", "rtn"), group("W4A16", "rtn")}, {2, 3});
  const auto at = [](const char* layer, double fp16, double int4) {
    return std::vector{speedup({"FP16", "cpu", layer}, fp16, fp16 * 0.9, fp16 * 1.1),
                       speedup({"W4A16", "cpu", layer}, int4, int4 * 0.9, int4 * 1.1)};
  };
  std::vector<Record> records = at("a", 2, 4);
  for (const Record& record : at("b", 1, 4)) records.push_back(record);
  const VerdictRow row = step(claim, records);
  EXPECT_NEAR(row.estimate, std::sqrt(2.0 * 4.0), 1e-9);
  EXPECT_NEAR(row.low, row.estimate * 0.9 / 1.1, 1e-9) << "no part of an error is taken as shared";
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_EQ(row.baseline, "best-fp32");
  EXPECT_EQ(row.covered, 1);
  EXPECT_EQ(row.scheme, "FP16 then W4A16");
  EXPECT_EQ(step(claim, at("a", 2, 2)).verdict, "refuted");
}

TEST(KlGrowthTest, IsARatioOfDivergences) {
  const Claim claim =
      order_of("kl_growth", ClaimRegime::text, {group("W8A16", "rtn"), group("W4A16", "rtn")});
  const Record less = text_figure("kl_mean", "W8A16", 0.001, 0.0009, 0.0011);
  EXPECT_EQ(step(claim, {less, text_figure("kl_mean", "W4A16", 0.01, 0.009, 0.011)}).verdict,
            "confirmed");
  EXPECT_EQ(step(claim, {less, text_figure("kl_mean", "W4A16", 0.0001, 0, 0.0002)}).verdict,
            "not_testable")
      << "no ratio with what may be nothing";
}

}  // namespace
}  // namespace qassay
