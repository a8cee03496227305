// Figures of models that are not here: analogues, and tables that become real with a checkpoint.
// The files of claims that ship.

#include <gmock/gmock.h>

#include <set>

#include "core/error.hpp"
#include "harness/claims/claim_reader.hpp"
#include "harness/claims/judge.hpp"
#include "tests/harness/claims/fixtures.hpp"

namespace qassay {
namespace {

using namespace test;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(AnalogueTest, SaysOfWhichModelTheFigureIs) {
  Claim claim = claim_of("loss", {"W8A8"}, 1, 3);
  claim.published_for = "Llama-2-7B";
  const VerdictRow row = judge(claim, std::vector{loss("W8A8", 2, 1.5, 2.5)}, {}).front();
  EXPECT_EQ(row.verdict, "confirmed");
  EXPECT_EQ(row.statement, "it is so (published of Llama-2-7B)");
  EXPECT_EQ(row.note, "an analogue: not the models that the figure was published of");
  const VerdictRow none = judge(claim, {}, {}).front();
  EXPECT_EQ(none.verdict, "not_testable");
  EXPECT_EQ(none.statement, row.statement);
  EXPECT_EQ(none.note, "the run has no case of W8A8 in this regime");
}

/// Of the folder of a model, evaluated as the table of GPTQ says.
Record opt(const std::string& model, const std::string& scheme, const std::string& method,
           double value) {
  Record record = text_figure("perplexity", scheme, value, value * 0.999, value * 1.001);
  record.model = model;
  record.method = method;
  record.baseline = "";
  record.protocol =
      "text=wikitext2-test.txt context=2048 stride=2048 bos=first-window join=none tail=dropped "
      "tokens=0";
  return record;
}

VerdictRow verdict_on(const std::string& id, const std::vector<Record>& records) {
  for (const Claim& claim : load_claims("gptq-opt")) {
    if (claim.id != id) continue;
    for (VerdictRow& row : judge(claim, records, {})) {
      if (row.scheme != "FP32") return row;
    }
  }
  ADD_FAILURE() << "no claim " << id;
  return {};
}

TEST(PublishedTableTest, WithoutTheCheckpointSaysHowToMeasureIt) {
  const VerdictRow row = verdict_on("opt-125m.gptq-w4", {opt("gcide-lm", "W4A16-asym", "gptq", 3)});
  EXPECT_EQ(row.verdict, "not_testable");
  EXPECT_EQ(row.reason, "needs_checkpoint");
  EXPECT_THAT(row.note, StartsWith("to measure it: qassay quantize opt-125m --method gptq"));
  EXPECT_THAT(row.note, HasSubstr("&& qassay run language --model opt-125m-gptq-w4 "));
}

TEST(PublishedTableTest, BecomesRealWithTheModelTheProtocolAndTheMethod) {
  EXPECT_EQ(verdict_on("opt-125m.fp16", {opt("opt-125m", "FP16", "none", 27.66)}).verdict,
            "confirmed");
  EXPECT_EQ(verdict_on("opt-125m.fp16", {opt("opt-125m", "FP16", "none", 28.5)}).verdict,
            "refuted");
  const std::string made = "opt-125m-gptq-w4", beside = "opt-125m-gptq-w4-of-opt-125m";
  for (const std::string& model : {made, beside}) {
    const auto with = [&](double value) {
      return verdict_on("opt-125m.gptq-w4", {opt(model, "W4A16-asym", "checkpoint", value)})
          .verdict;
    };
    EXPECT_EQ(with(31.5), "confirmed");
    EXPECT_EQ(with(40), "refuted");
    EXPECT_EQ(with(29), "better_than_claimed");
  }
}

TEST(PublishedTableTest, AnotherProtocolNamesTheFieldAndTheCommand) {
  Record record = opt("opt-125m", "FP16", "none", 27.66);
  record.protocol = "text=wikitext2-test.txt context=512 stride=512 bos=none";
  const VerdictRow row = verdict_on("opt-125m.fp16", {record});
  EXPECT_EQ(row.verdict, "not_testable");
  EXPECT_EQ(row.reason, "not_comparable");
  EXPECT_THAT(row.note, StartsWith("the evaluation protocols differ: context is 512"));
  EXPECT_THAT(row.note, HasSubstr("to measure it: qassay run language --model opt-125m "));
}

TEST(PublishedTableTest, AnotherMethodIsNoEvidence) {
  const VerdictRow row =
      verdict_on("opt-125m.gptq-w4", {opt("opt-125m-gptq-w4", "W4A16-asym", "rtn", 31.5)});
  EXPECT_EQ(row.reason, "not_comparable");
}

TEST(ShippedClaimsTest, AllAreReadWithIdsOfTheirOwn) {
  std::set<std::string> ids;
  std::size_t claims = 0;
  for (const std::string& name : shipped_claims()) {
    for (const Claim& claim : load_claims(name)) {
      ++claims;
      EXPECT_TRUE(ids.insert(claim.id).second) << claim.id << " in " << name;
    }
  }
  EXPECT_GT(claims, 100U);
}

TEST(ShippedClaimsTest, AnEmptyRunTestsNothingThatIsMeasured) {
  for (const std::string& name : shipped_claims()) {
    for (const VerdictRow& row : judge_all(load_claims(name), {}, {})) {
      if (row.kind != "measured") continue;
      EXPECT_EQ(row.verdict, "not_testable") << row.id;
      EXPECT_NE(row.reason, "") << row.id;
    }
  }
}

TEST(ShippedClaimsTest, SourcesThatContradictThemselvesAreKnown) {
  std::set<std::string> found;
  for (const std::string& name : shipped_claims()) {
    for (const VerdictRow& row : judge_all(load_claims(name), {}, {})) {
      if (row.reason == "inconsistent_source") found.insert(row.id);
    }
  }
  EXPECT_THAT(found, ::testing::ElementsAre("cost.gpu", "fit.vram", "fit.whisper",
                                            "llama-2-13b.baseline", "torchao.smoothquant-speed"));
}

TEST(ShippedClaimsTest, AreNamedOrAreAFile) {
  EXPECT_EQ(load_claims("seed").size(), seed_claims().size());
  try {
    load_claims("sead");
    ADD_FAILURE() << "read what is not there";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("name one of seed, published, gptq-opt"));
  }
}

}  // namespace
}  // namespace qassay
