#include <gmock/gmock.h>

#include "models/fmnist_features.hpp"

namespace qassay {
namespace {

// Only in builds without OpenBLAS.
TEST(FmnistFeaturesTest, RefusesWhereItCannotFit) {
  const auto result = fmnist_features(find_dataset("fashion-mnist"), {}, 1);
  EXPECT_THAT(std::get<Refusal>(result).reason, ::testing::HasSubstr("OpenBLAS"));
}

}  // namespace
}  // namespace qassay
