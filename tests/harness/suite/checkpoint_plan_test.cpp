// Checkpoints that others quantized, from the user's choice to the plan.

#include <gmock/gmock.h>

#include <algorithm>

#include "core/record.hpp"
#include "harness/suite/user_choice.hpp"
#include "models/import/gptq_folder.hpp"
#include "models/model_folder.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/harness/suite/plan_fixture.hpp"
#include "tests/models/quantized_folder_sample.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kLanguage = R"(
name = "s"
description = "d"
[[sweep]]
model = "gcide-lm"
evaluate = true
tokens = "TOKENS"
schemes = ["FP32", "W8A8", "FP16"]
methods = ["rtn", "hqq"]
backends = ["reference"]
regimes = [{ m = 8, cache = "hot" }]
)";

class CheckpointPlanTest : public PlanTest {
 protected:
  CheckpointPlanTest() {
    write_hugging_face(even_llama(false), original());
    write_text(folder_.path() / "ids.txt", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18");
    write_checkpoint("W4A16-g16-asym");
  }
  void write_checkpoint(const std::string& scheme) const {
    const Model model = load_model_folder(original());
    std::map<std::string, QuantMatrix> layers;
    for (const LayerShape& shape : layer_shapes(model.graph)) {
      if (shape.name == "lm_head") continue;
      layers.emplace(shape.name,
                     round_to_nearest(layer_of(model, shape).matrix(), parse_scheme(scheme)));
    }
    write_gptq_folder(original(), model, layers, checkpoint());
  }
  std::string original() const { return (folder_.path() / "llama").string(); }
  std::string checkpoint() const { return (folder_.path() / "llama-gptq").string(); }

  Suite chosen(const UserChoice& choice) const {
    std::string text = kLanguage;
    text.replace(text.find("TOKENS"), 6, (folder_.path() / "ids.txt").string());
    Suite suite = parse_suite(text, "suite.toml");
    apply(choice, suite);
    return suite;
  }
  Group group_of(const Suite& suite) const {
    const KernelChoice kernels({QASSAY_KERNEL_LIBRARY}, machine_, std::nullopt);
    return make_plan(suite, {.filters = {}, .threads = 1, .legs = 4}, kernels, machine_)
        .groups.front();
  }
  std::string fault(const UserChoice& choice) const {
    return qassay::fault_of([&] { chosen(choice); });
  }

  TemporaryFolder folder_;
};

TEST_F(CheckpointPlanTest, ItsMatricesRunInItsSchemeBesideItsOwnValues) {
  const Suite suite = chosen({.model = checkpoint()});
  const Sweep& sweep = suite.sweeps.front();
  EXPECT_EQ(sweep.model, checkpoint());
  EXPECT_EQ(sweep.checkpoint, checkpoint());
  EXPECT_THAT(sweep.methods, ElementsAre("checkpoint"));
  std::vector<std::string> schemes;
  for (const Scheme& scheme : sweep.schemes) schemes.push_back(to_string(scheme));
  EXPECT_THAT(schemes, ElementsAre("FP32", "W4A16-g16-asym", "W4A8-g16-asym"));

  const Group group = group_of(suite);
  EXPECT_EQ(group.model, "llama-gptq");
  EXPECT_EQ(group.baseline, kDequantized);
  EXPECT_EQ(group.source, group.checkpoint);
  write_checkpoint("W8A16");
  EXPECT_NE(chosen({.model = checkpoint()}).hash, suite.hash);
}

TEST_F(CheckpointPlanTest, WhatItHasInFloatingPointIsNoCaseOfItsScheme) {
  const Group group = group_of(chosen({.model = checkpoint()}));
  int heads = 0;
  for (const CaseRow& row : group.cases) {
    SCOPED_TRACE(row.key);
    const bool head = row.layer == "lm_head" && row.method == "checkpoint";
    EXPECT_EQ(row.status, head ? "skipped" : "planned");
    // The kernel of those layers is one of the whole model's.
    if (row.layer.empty() && row.method == "checkpoint") {
      EXPECT_THAT(row.kernel, HasSubstr("+"));
      EXPECT_THAT(row.kernel, HasSubstr("linear_f32_f32_f32"));
    }
    if (!head) continue;
    EXPECT_EQ(row.reason, "the checkpoint has it in floating point");
    ++heads;
  }
  EXPECT_EQ(heads, 2);
}

TEST_F(CheckpointPlanTest, ItsOriginalIsTheBaseline) {
  const Suite suite = chosen({.model = checkpoint(), .original = original()});
  const Group group = group_of(suite);
  EXPECT_EQ(group.model, "llama-gptq-of-llama");
  EXPECT_EQ(group.baseline, "fp32");
  EXPECT_EQ(group.source, original());
  EXPECT_EQ(group.checkpoint, checkpoint());
  EXPECT_NE(suite.hash, chosen({.model = checkpoint()}).hash);
}

TEST_F(CheckpointPlanTest, AnOriginalThatIsNoneIsRefused) {
  EXPECT_THAT(fault({.original = original()}), HasSubstr("--original: stands without --model"));
  EXPECT_THAT(fault({.model = original(), .original = original()}),
              HasSubstr("llama' is not quantized"));
  EXPECT_THAT(fault({.model = "gcide-lm", .original = original()}),
              HasSubstr("the model is one of the suite"));
  EXPECT_THAT(fault({.model = checkpoint(), .original = checkpoint()}),
              HasSubstr("is quantized itself"));
  EXPECT_THAT(fault({.model = checkpoint(), .original = "gcide-lm"}),
              HasSubstr("'gcide-lm' is another network than 'llama-gptq'"));
  EXPECT_THAT(fault({.model = checkpoint(), .original = "nowhere"}), HasSubstr("'nowhere'"));
}

}  // namespace
}  // namespace qassay
