#include "models/train/augmentation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace qassay {
namespace {

constexpr std::int64_t kHeight = 5, kWidth = 7, kFeatures = kHeight * kWidth;
constexpr std::int64_t kCount = 400;

/// Images of 35 different numbers that are not 0, other ones in each image: any change that is a
/// shift or a flip can be told from the result.
TrainingSet images() {
  TrainingSet set;
  set.count = kCount;
  set.height = kHeight;
  set.width = kWidth;
  set.features = kFeatures;
  for (std::int64_t i = 0; i < kCount * kFeatures; ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(1 + (i % kFeatures * 7 + i / kFeatures) % 251));
  return set;
}

std::vector<float> augmented(const TrainingSet& set, const std::vector<std::int64_t>& order,
                             const Augmentation& augmentation, std::uint64_t seed) {
  std::vector<float> out(order.size() * kFeatures, -1.0F);
  fill_augmented(set, order, augmentation, seed,
                 {out.data(), static_cast<std::int64_t>(order.size()), kFeatures});
  return out;
}

std::vector<std::int64_t> all_samples() {
  std::vector<std::int64_t> order(kCount);
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

float original(const TrainingSet& set, std::int64_t sample, std::int64_t y, std::int64_t x) {
  if (y < 0 || y >= kHeight || x < 0 || x >= kWidth) return 0;
  return static_cast<float>(
             set.pixels[static_cast<std::size_t>(sample * kFeatures + y * kWidth + x)]) /
         255.0F;
}

struct Change {
  std::int64_t down, right;
  bool flip;
  auto operator<=>(const Change&) const = default;
};

/// The one change, of all that are allowed, that makes `image` from the sample, by its definition:
/// flipped or not, then moved, zeros moved in.
std::optional<Change> change_of(const TrainingSet& set, std::int64_t sample, const float* image,
                                std::int64_t reach) {
  for (std::int64_t down = -reach; down <= reach; ++down) {
    for (std::int64_t right = -reach; right <= reach; ++right) {
      for (const bool flip : {false, true}) {
        bool equal = true;
        for (std::int64_t y = 0; y < kHeight; ++y) {
          for (std::int64_t x = 0; x < kWidth; ++x) {
            const std::int64_t from = x - right;
            const std::int64_t column = flip ? kWidth - 1 - from : from;
            const bool inside = from >= 0 && from < kWidth;
            const float wanted = inside ? original(set, sample, y - down, column) : 0.0F;
            equal = equal && image[y * kWidth + x] == wanted;
          }
        }
        if (equal) return Change{down, right, flip};
      }
    }
  }
  return std::nullopt;
}

TEST(AugmentationTest, NothingIsChangedUnlessAsked) {
  const TrainingSet set = images();
  const std::vector<float> out = augmented(set, {3, 0, 3}, {}, 5);
  for (std::int64_t i = 0; i < kFeatures; ++i) {
    const std::int64_t y = i / kWidth, x = i % kWidth;
    EXPECT_EQ(out[static_cast<std::size_t>(i)], original(set, 3, y, x));
    EXPECT_EQ(out[static_cast<std::size_t>(kFeatures + i)], original(set, 0, y, x));
    EXPECT_EQ(out[static_cast<std::size_t>(2 * kFeatures + i)], original(set, 3, y, x));
  }
}

TEST(AugmentationTest, EveryChangeIsAShiftAndAFlipAndAllOccur) {
  const TrainingSet set = images();
  const std::vector<float> out = augmented(set, all_samples(), {.max_shift = 2, .flip = true}, 9);
  std::map<Change, int> seen;
  int flips = 0;
  for (std::int64_t sample = 0; sample < kCount; ++sample) {
    const auto change = change_of(set, sample, out.data() + sample * kFeatures, 2);
    ASSERT_TRUE(change) << sample;
    ++seen[*change];
    flips += change->flip;
  }
  // 50 changes, of which 400 draws miss any one with a chance of 3e-4, and half are flips.
  EXPECT_GE(seen.size(), 48U);
  EXPECT_NEAR(flips, kCount / 2, 50);  // five deviations
}

TEST(AugmentationTest, AFlipIsItsOwnInverse) {
  const TrainingSet set = images();
  const std::vector<float> once = augmented(set, all_samples(), {.flip = true}, 4);
  TrainingSet flipped = set;
  for (std::size_t i = 0; i < once.size(); ++i)
    flipped.pixels[i] = static_cast<std::uint8_t>(once[i] * 255.0F + 0.5F);
  EXPECT_NE(flipped.pixels, set.pixels);
  EXPECT_EQ(augmented(flipped, all_samples(), {.flip = true}, 4),
            augmented(set, all_samples(), {}, 4));
}

TEST(AugmentationTest, AShiftKeepsThePixelsThatStayInTheImage) {
  const TrainingSet set = images();
  const std::vector<float> out = augmented(set, all_samples(), {.max_shift = 3}, 8);
  for (std::int64_t sample = 0; sample < kCount; ++sample) {
    const auto change = change_of(set, sample, out.data() + sample * kFeatures, 3);
    ASSERT_TRUE(change && !change->flip) << sample;
    const auto moved_in =
        std::count(out.begin() + sample * kFeatures, out.begin() + (sample + 1) * kFeatures, 0.0F);
    const std::int64_t kept =
        (kHeight - std::abs(change->down)) * (kWidth - std::abs(change->right));
    EXPECT_EQ(moved_in, kFeatures - kept);
  }
}

TEST(AugmentationTest, DependsOnSeedAndSampleAlone) {
  const TrainingSet set = images();
  const Augmentation augmentation{.max_shift = 2, .flip = true};
  const std::vector<float> all = augmented(set, all_samples(), augmentation, 6);
  EXPECT_EQ(augmented(set, all_samples(), augmentation, 6), all);
  EXPECT_NE(augmented(set, all_samples(), augmentation, 7), all);
  const std::vector<float> some = augmented(set, {17, 2, 17}, augmentation, 6);
  const auto image = [](const std::vector<float>& from, std::int64_t i) {
    return std::vector<float>(from.begin() + i * kFeatures, from.begin() + (i + 1) * kFeatures);
  };
  EXPECT_EQ(image(some, 0), image(all, 17));
  EXPECT_EQ(image(some, 1), image(all, 2));
  EXPECT_EQ(image(some, 2), image(all, 17));
}

}  // namespace
}  // namespace qassay
