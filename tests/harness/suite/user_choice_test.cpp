#include "harness/suite/user_choice.hpp"

#include <gmock/gmock.h>

#include <string>

#include "models/catalogue.hpp"
#include "models/model_folder.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kSuite = R"(
name = "s"
description = "d"
[[sweep]]
model = "gcide-lm"
evaluate = true
schemes = ["FP32"]
backends = ["cpu"]
regimes = [{ m = 256, cache = "hot" }, { m = 64, cache = "hot" }, { m = 1, cache = "hot" }]
[[sweep]]
model = "fmnist-cnn"
evaluate = true
schemes = ["FP32", "W8A8"]
backends = ["cpu"]
regimes = [{ m = 128, cache = "hot" }]
[[sweep]]
model = "layers"
shapes = ["8x8"]
schemes = ["FP32"]
backends = ["cpu"]
regimes = [{ m = 1, cache = "cold" }]
)";

Suite applied(const UserChoice& choice) {
  Suite suite = parse_suite(kSuite, "suite.toml");
  apply(choice, suite);
  return suite;
}

std::string fault(const UserChoice& choice) {
  return qassay::fault_of([&] { applied(choice); });
}

TEST(UserChoiceTest, NothingChosenLeavesTheSuite) {
  const Suite suite = parse_suite(kSuite, "suite.toml");
  EXPECT_EQ(applied({}).hash, suite.hash);
  EXPECT_THAT(applied({}).sweeps, SizeIs(3));
}

TEST(UserChoiceTest, AModelOfTheSuiteLeavesTheOthersOut) {
  const Suite suite = applied({.model = "layers"});
  ASSERT_THAT(suite.sweeps, SizeIs(1));
  EXPECT_EQ(suite.sweeps.front().model, "layers");
}

TEST(UserChoiceTest, AFolderTakesThePlaceOfAModelOfItsKind) {
  const TemporaryFolder folder;
  save_model_folder(load_model("gcide-lm", 1), folder.path());
  const Suite text = applied({.model = folder.path().string()});
  ASSERT_THAT(text.sweeps, SizeIs(1));
  EXPECT_EQ(text.sweeps.front().model, folder.path().string());
  EXPECT_THAT(text.sweeps.front().schemes, SizeIs(1));
  EXPECT_NE(text.hash, applied({}).hash);
  save_model_folder(load_model("fmnist-cnn", 1), folder.path());
  EXPECT_THAT(applied({.model = folder.path().string()}).sweeps.front().schemes, SizeIs(2));
}

TEST(UserChoiceTest, WordsOnTextsGoToTheScoredLanguageModels) {
  const UserChoice choice{.text = "a.txt",
                          .bos = "first-window",
                          .context = 128,
                          .stride = 32,
                          .samples = 7,
                          .kv_caches = {"FP16", "INT8"}};
  const Suite suite = applied(choice);
  const Sweep& sweep = suite.sweeps.front();
  EXPECT_EQ(sweep.text, (TextChoice{"a.txt", "", 32, Bos::first_window}));
  EXPECT_EQ(sweep.samples, 7);
  EXPECT_THAT(sweep.kv_caches, ElementsAre(KvFormat::fp16, KvFormat::int8));
  EXPECT_THAT(sweep.regimes,
              ElementsAre(Regime{128, Cache::hot}, Regime{64, Cache::hot}, Regime{1, Cache::hot}));
  EXPECT_EQ(suite.sweeps[1].samples, 0);
  EXPECT_NE(suite.hash, applied({}).hash);
  EXPECT_NE(suite.hash, applied({.text = "b.txt"}).hash);
  // A window that is shorter than another regime takes its place.
  EXPECT_THAT(applied({.context = 64}).sweeps.front().regimes,
              ElementsAre(Regime{64, Cache::hot}, Regime{1, Cache::hot}));
}

TEST(UserChoiceTest, WhatMakesNoSenseIsRefused) {
  EXPECT_THAT(fault({.model = "nobody"}), HasSubstr("neither a model of suite 's' nor a folder"));
  EXPECT_THAT(fault({.text = "a", .tokens = "b"}), HasSubstr("--tokens"));
  EXPECT_THAT(fault({.bos = "always"}), AllOf(HasSubstr("--bos"), HasSubstr("'always'")));
  EXPECT_THAT(fault({.context = 1}), HasSubstr("--context"));
  EXPECT_THAT(fault({.stride = -1}), HasSubstr("--stride"));
  EXPECT_THAT(fault({.samples = 1}), HasSubstr("--samples"));
  EXPECT_THAT(fault({.kv_caches = {"FP8"}}), AllOf(HasSubstr("--kv-cache"), HasSubstr("'FP8'")));
  EXPECT_THAT(fault({.model = "fmnist-cnn", .text = "a"}),
              HasSubstr("evaluates no language model on a text"));
}

}  // namespace
}  // namespace qassay
