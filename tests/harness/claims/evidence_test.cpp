#include "harness/claims/evidence.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "tests/harness/claims/fixtures.hpp"

namespace qassay {
namespace {

using namespace test;
using ::testing::ElementsAre;

std::vector<CellEvidence> speed_evidence(const std::vector<Record>& records) {
  const Claim claim = claim_of("speedup", {"W8A8"}, 2, 4);
  return collect_evidence(claim, claim.parts[0], ClaimRegime::decode, records);
}

TEST(PatternTest, AStarStandsForAnything) {
  EXPECT_TRUE(matches_pattern("W4*", "W4A16-g128"));
  EXPECT_TRUE(matches_pattern("W4*", "W4"));
  EXPECT_TRUE(matches_pattern("*-g32*", "W4A8-g32"));
  EXPECT_TRUE(matches_pattern("W*A16*asym", "W4A16-g128-asym"));
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_FALSE(matches_pattern("W4*", "W8A8"));
  EXPECT_FALSE(matches_pattern("W4A16", "W4A16-g128")) << "without a star it is the whole name";
  EXPECT_FALSE(matches_pattern("*-g32", "W4A8-g32-asym"));
  EXPECT_FALSE(matches_pattern("", "W8A8"));
}

TEST(FallbackTest, IsKnownByItsWord) {
  const auto ran = [](const std::string& implementation) {
    Record record;
    record.backend = "onednn";
    record.implementation = implementation;
    return is_fallback(record);
  };
  EXPECT_TRUE(ran("ref:any"));
  EXPECT_TRUE(ran("ref_int8:any"));
  EXPECT_TRUE(ran("gemm:ref"));
  EXPECT_TRUE(ran("reference, double sums"));
  EXPECT_TRUE(ran("linear_f32_scalar"));
  EXPECT_FALSE(ran("brgemm:avx512_core_vnni"));
  EXPECT_FALSE(ran("prefetch_refill"));
  EXPECT_FALSE(ran(""));
  Record record;
  record.backend = "reference";
  EXPECT_TRUE(is_fallback(record));
}

TEST(EvidenceTest, RegimesTakeTheirRowsAlone) {
  const Claim claim = claim_of("speedup", {"W8A8"}, 2, 4);
  Record hot_decode = speedup({.layer = "hot1"}, 3, 2.9, 3.1);
  hot_decode.cache = "hot";
  Record cold_batch = speedup({.layer = "cold128", .m = 128}, 3, 2.9, 3.1);
  cold_batch.cache = "cold";
  const std::vector<Record> records{speedup({.layer = "one"}, 3, 2.9, 3.1),
                                    hot_decode,
                                    cold_batch,
                                    speedup({.layer = "m63", .m = 63}, 3, 2.9, 3.1),
                                    speedup({.layer = "m64", .m = 64}, 3, 2.9, 3.1),
                                    speedup({.layer = "m128", .m = 128}, 3, 2.9, 3.1),
                                    speedup({.layer = "", .m = 1}, 3, 2.9, 3.1),
                                    speedup({.layer = "", .m = 128}, 3, 2.9, 3.1)};
  const auto cells = [&](ClaimRegime regime) {
    std::vector<std::string> names;
    for (const auto& group : collect_evidence(claim, claim.parts[0], regime, records)) {
      for (const auto& figure : group.figures) names.push_back(figure.cell);
    }
    return names;
  };
  EXPECT_THAT(cells(ClaimRegime::decode), ElementsAre("decoder/one 64x32"));
  EXPECT_THAT(cells(ClaimRegime::network), ElementsAre("decoder rtn m=128"));
  EXPECT_THAT(cells(ClaimRegime::batch),
              ElementsAre("decoder/m64 64x32 m=64", "decoder/m128 64x32 m=128"));
}

TEST(EvidenceTest, ABackendIsAsFastAsItsBestKernel) {
  Record slow = speedup({}, 2, 1.9, 2.1);
  slow.case_key += "/avx2";
  const auto groups = speed_evidence({slow, speedup({}, 3, 2.9, 3.1)});
  ASSERT_EQ(groups.size(), 1U);
  ASSERT_EQ(groups[0].figures.size(), 1U);
  EXPECT_EQ(groups[0].figures[0].raw.value, 3);
}

TEST(EvidenceTest, TheSecondArmAndOtherBaselinesStayOut) {
  Record second = speedup({}, 9, 8, 10);
  second.arm = "b";
  Record a_over_b = speedup({}, 9, 8, 10);
  a_over_b.baseline = "arm-a";
  EXPECT_TRUE(speed_evidence({second, a_over_b}).empty());

  Record own = speedup({}, 9, 8, 10);
  own.baseline = "own-fp32";
  const auto groups = speed_evidence({own});
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_TRUE(groups[0].figures.empty());
  EXPECT_EQ(groups[0].silent.at(0).text, "no speedup against best-fp32");
}

TEST(EvidenceTest, ACheckpointAgainstItsOwnWeightsShowsNoLoss) {
  const Claim claim = claim_of("loss", {"W8A8"}, 0, 1);
  Record lost = loss("W8A8", 0.1, 0, 0.2);
  const auto figures = [&] {
    const auto groups =
        collect_evidence(claim, claim.parts[0], ClaimRegime::images, std::vector{lost});
    return groups.empty() ? 0 : groups.front().figures.size();
  };
  EXPECT_EQ(figures(), 1U);
  lost.baseline = kDequantized;
  EXPECT_EQ(figures(), 0U);
}

TEST(EvidenceTest, BrokenNumbersAreNoFigures) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const Record& broken :
       {speedup({}, kNan, 1, 2), speedup({}, 2, kNan, 3), speedup({}, 2, 1, kNan),
        speedup({}, 2, 1, kInfinity), speedup({}, 2, 3, 4), speedup({}, 5, 3, 4),
        speedup({}, 1, 0, 2), speedup({}, -1, -2, 3)}) {
    const auto groups = speed_evidence({broken});
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_TRUE(groups[0].figures.empty()) << broken.low << ' ' << broken.value;
    EXPECT_EQ(groups[0].silent.size(), 1U);
  }
}

TEST(EvidenceTest, TheReferenceGivesWayToACandidate) {
  const Record reference = speedup({.backend = "reference"}, 3, 2.9, 3.1);
  const auto backends = [](const std::vector<Record>& records) {
    std::vector<std::string> names;
    for (const auto& group : speed_evidence(records)) names.push_back(group.backend);
    return names;
  };
  EXPECT_THAT(backends({reference, speedup({}, 3, 2.9, 3.1)}), ElementsAre("cpu"));
  EXPECT_THAT(backends({reference, silent({}, "unsupported", "no kernel")}), ElementsAre("cpu"));
  EXPECT_THAT(backends({reference}), ElementsAre("reference"));
}

TEST(EvidenceTest, ADecodeCannotBeatTheBytesItSaves) {
  // 64 x 32 weights in 2,048 bytes: a quarter of FP32's 8,192, so at most 4.6 times as fast.
  const Record bytes = exact({}, "weight_bytes", 2048);
  const auto doubt_at = [&](double value) {
    return speed_evidence({speedup({}, value, value, value), bytes}).at(0).figures.at(0).doubt;
  };
  EXPECT_EQ(doubt_at(4.59), std::nullopt);
  EXPECT_EQ(doubt_at(4.61), ReasonCode::baseline_suspect);

  Claim claim = claim_of("speedup", {"W8A8"}, 2, 4);
  const Place batch{.m = 128};
  const auto groups =
      collect_evidence(claim, claim.parts[0], ClaimRegime::batch,
                       std::vector{speedup(batch, 9, 8, 10), exact(batch, "weight_bytes", 2048)});
  EXPECT_EQ(groups.at(0).figures.at(0).doubt, std::nullopt) << "a batch is bound by arithmetic";
}

TEST(EvidenceTest, ABaselineThatFellBackIsSuspect) {
  const Record candidate = speedup({}, 3, 2.9, 3.1);
  Record reference = exact({.scheme = "FP32", .backend = "onednn"}, "latency", 1e-3);
  reference.implementation = "ref:any";
  Record mistrusted = exact({.scheme = "FP32", .backend = "openblas"}, "latency", 1e-4);
  mistrusted.status = "mistrusted";
  const Record sound = exact({.scheme = "FP32", .backend = "openblas"}, "latency", 1e-3);
  const Record elsewhere =
      exact({.scheme = "FP32", .backend = "onednn", .layer = "down"}, "latency", 1e-3);

  const auto doubt_with = [&](std::vector<Record> fp32) {
    fp32.push_back(candidate);
    return speed_evidence(fp32).at(0).figures.at(0).doubt;
  };
  EXPECT_EQ(doubt_with({}), std::nullopt);
  EXPECT_EQ(doubt_with({reference}), ReasonCode::baseline_suspect);
  EXPECT_EQ(doubt_with({mistrusted, elsewhere}), ReasonCode::baseline_suspect);
  EXPECT_EQ(doubt_with({reference, mistrusted, sound}), std::nullopt);
}

TEST(EvidenceTest, BytesTakeEachLayerOnceAndTheLargestPacking) {
  const Claim claim = claim_of("bytes_per_parameter", {"W8A8"}, 1, 1);
  const Place batch{.m = 128};
  const auto groups = collect_evidence(
      claim, claim.parts[0], ClaimRegime::model,
      std::vector{exact({}, "weight_bytes", 2048), exact(batch, "weight_bytes", 4096),
                  exact({.layer = "down"}, "weight_bytes", 2048)});
  ASSERT_EQ(groups.size(), 1U);
  ASSERT_EQ(groups[0].figures.size(), 2U);
  EXPECT_EQ(groups[0].figures[0].raw.value, 2);
  EXPECT_EQ(groups[0].figures[1].raw.value, 1);
}

}  // namespace
}  // namespace qassay
