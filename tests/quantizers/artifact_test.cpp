#include "quantizers/artifact.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "models/linear_algebra.hpp"
#include "models/scale_folding.hpp"
#include "tests/models/sample_decoders.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

class ArtifactTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / "qassay-artifact-test" /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// With a parameter that a method changed, numbers that print badly, and notes in their order.
  Artifact make(const Scheme& scheme) const {
    Artifact artifact{.quantized = quantize_model(model_, {}, scheme, nullptr, 1),
                      .seconds = 0.1 + 0.2,
                      .peak_bytes = 123'456'789'012};
    artifact.quantized.model.parameters.at("norm.weight").values[3] = 1.0F / 3;
    for (int i = 0; i < 12; ++i) artifact.quantized.notes.push_back(std::to_string(i));
    return artifact;
  }

  std::filesystem::path folder_;
  const Model model_ = drawn_decoder(gated_decoder(4, 2));
};

void expect_equal(const Artifact& got, const Artifact& wanted) {
  EXPECT_EQ(got.quantized.model, wanted.quantized.model);
  EXPECT_EQ(got.quantized.notes, wanted.quantized.notes);
  EXPECT_EQ(got.seconds, wanted.seconds);
  EXPECT_EQ(got.peak_bytes, wanted.peak_bytes);
  ASSERT_EQ(got.quantized.layers.size(), wanted.quantized.layers.size());
  for (std::size_t i = 0; i < wanted.quantized.layers.size(); ++i) {
    const QuantMatrix& a = got.quantized.layers[i];
    const QuantMatrix& b = wanted.quantized.layers[i];
    EXPECT_EQ(a.scheme, b.scheme);
    EXPECT_EQ(a.codes, b.codes);
    EXPECT_EQ(a.scales, b.scales);
    EXPECT_EQ(a.zero_points, b.zero_points);
  }
}

// P24
TEST_F(ArtifactTest, ComesBackBitForBit) {
  for (const char* text : {"W4A16-g32-asym", "W8A8", "W3A16-g32", "W4A16-tensor-asym"}) {
    const Scheme scheme = parse_scheme(text);
    const Artifact artifact = make(scheme);
    save_artifact(artifact, model_, "key", folder_ / "a");
    expect_equal(load_artifact(model_, scheme, "key", folder_ / "a"), artifact);
  }
}

// Scales that nothing takes are operators of the model, which a file brings back.
TEST_F(ArtifactTest, InsertedScalesComeBackToo) {
  const Model model = drawn_decoder(gated_decoder(4, 2));
  Artifact artifact = make(parse_scheme("W4A16-g32"));
  artifact.quantized = quantize_model(model, {}, parse_scheme("W4A16-g32"), nullptr, 1);
  for (const SharedInput& input : shared_inputs(model.graph)) {
    if (!input.refusal) continue;
    insert_scales(artifact.quantized.model, input, normal_numbers(32, "scales", 1.0F));
  }
  EXPECT_EQ(artifact.quantized.model.graph.nodes.size(), model.graph.nodes.size() + 2);
  save_artifact(artifact, model, "key", folder_ / "a");
  expect_equal(load_artifact(model, parse_scheme("W4A16-g32"), "key", folder_ / "a"), artifact);
}

TEST_F(ArtifactTest, AnothersFileIsRefused) {
  const Scheme scheme = parse_scheme("W4A16-g32");
  save_artifact(make(scheme), model_, "key", folder_ / "a");
  EXPECT_THROW(load_artifact(model_, scheme, "other key", folder_ / "a"), InputError);
  try {
    load_artifact(model_, parse_scheme("W4A16-g16"), "key", folder_ / "a");
    FAIL() << "groups of another size were read";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("layers.0.q_proj.scales"));
  }
  try {
    load_artifact(model_, parse_scheme("W3A16-g32"), "key", folder_ / "a");
    FAIL() << "codes of four bits were read as three";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("more bits"));
  }
}

TEST_F(ArtifactTest, IsMadeOnce) {
  const Scheme scheme = parse_scheme("W4A16-g32");
  int made = 0;
  const auto take = [&](const std::string& key) {
    return cached_artifact(folder_, key, model_, scheme, [&] {
      ++made;
      return make(scheme);
    });
  };
  const Artifact first = take("one");
  expect_equal(take("one"), first);
  EXPECT_EQ(made, 1);
  take("two");
  EXPECT_EQ(made, 2);
  for (const auto& file : std::filesystem::directory_iterator(folder_))
    std::ofstream(file.path()) << "damaged";
  expect_equal(take("one"), first);
  EXPECT_EQ(made, 3);
  expect_equal(take("one"), first);
  EXPECT_EQ(made, 3);
}

}  // namespace
}  // namespace qassay
