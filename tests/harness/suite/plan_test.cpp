#include "harness/suite/plan.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/error.hpp"
#include "tests/harness/suite/plan_fixture.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using ::testing::SizeIs;

constexpr const char* kTwoLayers = R"(
shapes = ["64x64", "64x128"]
schemes = ["FP32", "W8A8"]
backends = ["reference"]
regimes = [{ m = 1, cache = "cold" }, { m = 64, cache = "hot" }]
)";

TEST_F(PlanTest, CrossesTheAxes) {
  const Plan planned = plan(kTwoLayers);
  EXPECT_THAT(planned.groups, SizeIs(4));  // a layer and a regime each
  const auto cases = planned.cases();
  EXPECT_THAT(cases, SizeIs(8));
  EXPECT_THAT(cases, Each(Field(&CaseRow::status, "planned")));
  EXPECT_THAT(cases, Each(Field(&CaseRow::legs, 4)));
  EXPECT_THAT(cases, Contains(Field(&CaseRow::key, "m/64x128:m1:cold:t2:W8A8:rtn:reference")));
  EXPECT_THAT(cases, Contains(Field(&CaseRow::key, "m/64x64:m64:hot:t2:FP32:none:reference")));
}

TEST_F(PlanTest, FiltersKeepTheBaseline) {
  const Plan planned =
      plan(kTwoLayers, {.schemes = {"W8A8"}, .backends = {}, .layers = {"m/64x1*"}});
  EXPECT_THAT(planned.groups, SizeIs(2));
  EXPECT_THAT(planned.cases(), Contains(Field(&CaseRow::scheme, "FP32")));
  EXPECT_THAT(planned.cases(), Each(Field(&CaseRow::layer, "64x128")));
}

TEST_F(PlanTest, FiltersThatMatchNothingAreRefused) {
  EXPECT_THROW(plan(kTwoLayers, {.schemes = {}, .backends = {}, .layers = {"other/*"}}),
               InputError);
  EXPECT_THROW(plan(kTwoLayers, {.schemes = {"W4A8"}, .backends = {}, .layers = {}}), InputError);
  EXPECT_THROW(plan(kTwoLayers, {.schemes = {}, .backends = {"nobody"}, .layers = {}}), InputError);
}

TEST_F(PlanTest, BothArmsRepeatEveryCase) {
  const auto cases = plan(kTwoLayers, {}, true).cases();
  EXPECT_EQ(std::ranges::count(cases, "a", &CaseRow::arm), 8);
  EXPECT_EQ(std::ranges::count(cases, "b", &CaseRow::arm), 8);
}

TEST_F(PlanTest, WhatNoKernelTakesIsUnsupportedWithAReason) {
  const auto cases = plan(R"(
shapes = ["64x64"]
schemes = ["FP32", "W4A8"]
backends = ["reference", "cpu"]
regimes = [{ m = 1, cache = "hot" }]
)")
                         .cases();
  const auto row = std::ranges::find_if(
      cases, [](const CaseRow& c) { return c.backend == "cpu" && c.scheme == "W4A8"; });
  ASSERT_NE(row, cases.end());
  EXPECT_EQ(row->status, "unsupported");
  EXPECT_FALSE(row->reason.empty());
}

TEST_F(PlanTest, ColdGroupsThatDoNotFitAreSplitWithTheBaselineInEachPart) {
  machine_.memory_bytes = std::int64_t{225}
                          << 20;  // a third holds little more than two rings of 17 MiB
  const Plan planned = plan(R"(
shapes = ["1024x1024"]
schemes = ["FP32", "FP16", "BF16", "W8A8", "W8A16"]
backends = ["reference"]
regimes = [{ m = 1, cache = "cold" }]
)");
  ASSERT_GT(planned.groups.size(), 1U);
  std::set<std::string> keys;
  for (const Group& group : planned.groups) {
    EXPECT_THAT(group.cases, Contains(Field(&CaseRow::scheme, "FP32")));
    EXPECT_THAT(group.cases, Each(Field(&CaseRow::group, group.key)));
    for (const CaseRow& row : group.cases) EXPECT_TRUE(keys.insert(row.key).second) << row.key;
  }
  EXPECT_THAT(planned.cases(), SizeIs(4 + planned.groups.size()));
}

TEST_F(PlanTest, LibrariesWithThreadsOfTheirOwnAreNamed) {
  const Plan planned = plan(R"(
shapes = ["16x32"]
schemes = ["FP32"]
backends = ["reference", "ggml", "onnxruntime"]
regimes = [{ m = 1, cache = "hot" }]
)");
  ASSERT_EQ(planned.groups.size(), 1U);
  EXPECT_THAT(planned.groups.front().own_threads, testing::ElementsAre("ggml", "onnxruntime"));
}

TEST_F(PlanTest, AModelIsOneGroupWithACaseOfTheWhole) {
  const Plan planned = plan_of(R"(
name = "s"
description = "d"
[[sweep]]
model = "fmnist-features"
evaluate = true
schemes = ["FP32", "W8A8"]
backends = ["reference"]
regimes = [{ m = 32, cache = "hot" }]
)");
  ASSERT_THAT(planned.groups, SizeIs(1));
  EXPECT_TRUE(planned.groups.front().evaluate);
  const auto cases = planned.cases();
  EXPECT_EQ(std::ranges::count(cases, "", &CaseRow::layer), 2);
  EXPECT_THAT(cases, SizeIs(2 * (model_info("fmnist-features").layers.size() + 1)));
}

TEST_F(PlanTest, WhatIsNotTimedHasOneLeg) {
  const std::string sweep = R"(
name = "s"
description = "d"
[[sweep]]
model = "fmnist-cnn"
evaluate = true
TIMED
schemes = ["FP32", "W8A8"]
methods = ["rtn", "gptq-act@64"]
backends = ["reference"]
regimes = [{ m = 32, cache = "hot" }]
)";
  const auto planned = [&](const char* timed) {
    std::string text = sweep;
    return plan_of(text.replace(text.find("TIMED"), 5, timed).c_str());
  };
  const Plan scored = planned("timed = false");
  const Timing of_run{.legs = 4, .rounds = 10, .round_seconds = 0.02, .warmup_seconds = 0.01};
  EXPECT_EQ(scored.groups.front().timing(of_run).legs, 1);
  EXPECT_EQ(scored.groups.front().timing(of_run).rounds, 0);
  EXPECT_THAT(scored.cases(), Each(Field(&CaseRow::legs, 1)));
  EXPECT_THAT(scored.cases(),
              Contains(Field(&CaseRow::key, "fmnist-cnn:m32:hot:t1:W8A8:gptq-act@64:reference")));
  const Plan timed = planned("");
  EXPECT_EQ(timed.groups.front().timing(of_run).legs, 4);
  EXPECT_EQ(timed.groups.front().timing(of_run).rounds, 10);
  EXPECT_THAT(timed.cases(), Each(Field(&CaseRow::legs, 4)));
}

TEST_F(PlanTest, ANetworkIsScoredWhereItHasTheMostRowsAndTimesItsLayersThere) {
  const Plan planned = plan_of(R"(
name = "s"
description = "d"
[[sweep]]
model = "fmnist-cnn"
evaluate = true
schemes = ["FP32", "W8A8"]
backends = ["reference", "openblas"]
regimes = [{ m = 1, cache = "hot" }, { m = 32, cache = "hot" }]
round_seconds = 0.003
)");
  ASSERT_THAT(planned.groups, SizeIs(2));
  EXPECT_THAT(planned.groups,
              Each(AllOf(Field(&Group::whole, true), Field(&Group::round_seconds, 0.003),
                         Field(&Group::layers, model_info("fmnist-cnn").layers))));
  const Timing own = planned.groups[0].timing(
      {.legs = 4, .rounds = 10, .round_seconds = 0.012, .warmup_seconds = 0.004});
  EXPECT_EQ(own.round_seconds, 0.003);
  EXPECT_DOUBLE_EQ(own.warmup_seconds, 0.001);
  EXPECT_FALSE(planned.groups[0].evaluate);
  EXPECT_FALSE(planned.groups[0].times_layers());
  EXPECT_TRUE(planned.groups[1].evaluate);
  EXPECT_TRUE(planned.groups[1].times_layers());
  for (const CaseRow& row : planned.cases()) {
    // One layer that a backend refuses is enough for the whole network.
    const bool is_linear = row.layer == "classes";
    const bool runs = row.backend == "reference" || (is_linear && row.scheme == "FP32");
    EXPECT_EQ(row.status, runs ? "planned" : "unsupported") << row.key << row.reason;
  }
}

}  // namespace
}  // namespace qassay
