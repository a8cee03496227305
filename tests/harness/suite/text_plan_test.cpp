#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/harness/suite/plan_fixture.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kText = R"(
name = "s"
description = "d"
[[sweep]]
model = "gcide-lm"
evaluate = true
tokens = "TOKENS"
stride = 8
samples = 3
schemes = ["FP32", "W8A8"]
backends = ["reference"]
regimes = [{ m = 16, cache = "hot" }, { m = 1, cache = "hot" }]
kv_caches = ["FP32", "INT8"]
)";

class TextPlanTest : public PlanTest {
 protected:
  Plan text_plan() const {
    std::string suite = kText;
    suite.replace(suite.find("TOKENS"), 6, file());
    return plan_of(suite.c_str());
  }
  std::string file() const { return (folder_.path() / "tokens.txt").string(); }
  void write_tokens(int count) const {
    std::ofstream out(file());
    for (int i = 0; i < count; ++i) out << i % 250 << ' ';
  }
  TemporaryFolder folder_;
};

TEST_F(TextPlanTest, TheProtocolAndTheKvCacheArePartOfACase) {
  write_tokens(100);
  const auto cases = text_plan().cases();
  std::vector<CaseRow> scored;
  for (const CaseRow& row : cases) {
    if (!row.protocol.empty()) scored.push_back(row);
    EXPECT_EQ(row.kv_cache.empty(), !row.layer.empty());
  }
  ASSERT_THAT(scored, SizeIs(4));  // schemes, KV caches
  // Three windows of 16 that move on by 8.
  std::vector<std::int32_t> tokens(32);
  std::iota(tokens.begin(), tokens.end(), 0);
  const std::string hash = hash_tokens(tokens);
  EXPECT_THAT(scored, Each(Field(&CaseRow::protocol,
                                 "text=tokens.txt context=16 stride=8 bos=none join=none "
                                 "tail=dropped tokens=" +
                                     hash)));
  const std::string end =
      ":text=tokens.txt,context=16,stride=8,bos=none,join=none,tail=dropped,tokens=" +
      hash.substr(0, 12);
  EXPECT_EQ(scored[0].key, "gcide-lm:m16:hot:t1:FP32:none:reference" + end);
  EXPECT_EQ(scored[1].key, "gcide-lm:m16:hot:t1:FP32:none:reference:kv=INT8" + end);
  EXPECT_EQ(std::ranges::count_if(cases, [](const CaseRow& row) { return row.layer.empty(); }), 8);
}

TEST_F(TextPlanTest, ATextThatIsTooShortOrNotThereIsAnError) {
  write_tokens(15);
  EXPECT_THAT(qassay::fault_of([&] { text_plan(); }),
              HasSubstr("has 15 tokens, fewer than one window"));
  std::filesystem::remove(file());
  EXPECT_THAT(qassay::fault_of([&] { text_plan(); }), HasSubstr("tokens.txt"));
}

TEST_F(PlanTest, ShapesRunAsAWholeAndAreNotScored) {
  const Plan planned = plan_of(R"(
name = "s"
description = "d"
[[sweep]]
model = "shape:llama-160m"
whole = true
schemes = ["FP32"]
backends = ["reference"]
regimes = [{ m = 1, cache = "hot" }]
)");
  ASSERT_THAT(planned.groups, SizeIs(1));
  const Group& group = planned.groups.front();
  EXPECT_TRUE(group.whole);
  EXPECT_FALSE(group.evaluate);
  EXPECT_FALSE(group.times_layers());
  EXPECT_EQ(group.context, kTokensBefore + 1);
  EXPECT_EQ(group.cases.back().key, "shape:llama-160m:m1:hot:t1:FP32:none:reference");
}

TEST_F(PlanTest, WhatDoesNotFitIntoMemoryIsUnsupported) {
  const auto cases = plan_of(R"(
name = "s"
description = "d"
[[sweep]]
model = "shape:llama-7b"
whole = true
schemes = ["FP32", "W8A8"]
backends = ["reference"]
regimes = [{ m = 1, cache = "hot" }]
)")
                         .cases();
  EXPECT_THAT(cases, Each(AllOf(Field(&CaseRow::status, "unsupported"),
                                Field(&CaseRow::reason, HasSubstr("needs 81 GB of memory")))));
}

TEST_F(PlanTest, SoundIsRunInWholeSamples) {
  const char* const suite = R"(
name = "s"
description = "d"
[[sweep]]
model = "shape:whisper-medium"
whole = true
schemes = ["FP32"]
backends = ["reference"]
regimes = [{ m = 1000, cache = "hot" }]
)";
  EXPECT_THAT(qassay::fault_of([&] { plan_of(suite); }),
              HasSubstr("gives 1500 rows at a time, and m is 1000"));
}

}  // namespace
}  // namespace qassay
