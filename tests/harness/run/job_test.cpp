#include "harness/run/job.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace qassay {
namespace {

TEST(JobTest, ALegSurvivesTheWayToTheParent) {
  LegRow leg;
  leg.group = "g";
  leg.leg = 3;
  leg.started = 1.5;
  leg.seconds = 2.25;
  leg.peak_rss_bytes = 7;
  leg.environment = R"({"a": 1})";
  leg.cases = {{"key", "b", "failed", "why", "impl", 5, 6, {{1, 2, 0.1, 0.2, 3, 4}}}};
  leg.metrics = {{"key", "b", "sqnr", 1, 0.5, 2, 9, "dB", "higher", "FP32"}};
  leg.samples = {{"key", "b", "set", "hash", {0, 255, 7}}};
  const auto back = nlohmann::json::parse(nlohmann::json(leg).dump()).get<LegRow>();
  EXPECT_EQ(back, leg);
}

TEST(JobTest, AStepSurvivesTheWayToTheParent) {
  const Step step{"key", "a", "quantizing", "gptq W4A16: 1 of 2 steps, 0:03 left"};
  const auto back = nlohmann::json::parse(nlohmann::json(step).dump()).get<Step>();
  EXPECT_EQ(back.case_key, step.case_key);
  EXPECT_EQ(back.arm, step.arm);
  EXPECT_EQ(back.doing, step.doing);
  EXPECT_EQ(back.how_far, step.how_far);
}

TEST(JobTest, AJobSurvivesTheWayToTheWorker) {
  Job job;
  job.group.key = "g";
  job.group.regime = {7, Cache::cold};
  job.group.checkpoint = "folder";
  job.group.baseline = "dequantized";
  job.group.layers = {{"l", 3, 4}};
  job.group.cases.resize(1);
  job.group.cases.front().key = "case";
  job.leg = 2;
  job.timing.round_seconds = 0.5;
  job.group.choice = {"a text", "", 3, Bos::first_window};
  job.group.protocol = {"t", 8, 3, Bos::first_window, Join::none, Tail::kept, "hash"};
  job.kernel_libraries = {"/a.so"};
  job.threads = 2;
  job.machine.isas = {Isa::any, Isa::avx512vnni};
  job.machine.facts = {{"name", "value"}};
  const auto back = nlohmann::json::parse(nlohmann::json(job).dump()).get<Job>();
  EXPECT_EQ(nlohmann::json(back), nlohmann::json(job));
  EXPECT_EQ(back.group.regime, job.group.regime);
  EXPECT_EQ(back.group.checkpoint, job.group.checkpoint);
  EXPECT_EQ(back.group.baseline, job.group.baseline);
  EXPECT_EQ(back.group.choice, job.group.choice);
  EXPECT_EQ(back.group.protocol, job.group.protocol);
  EXPECT_EQ(back.machine.isas, job.machine.isas);
}

}  // namespace
}  // namespace qassay
