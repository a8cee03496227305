#include "kernels/own/blocking.hpp"

#include <gtest/gtest.h>

#include "kernels/own/args.h"

namespace qassay::own {
namespace {

constexpr CacheSizes kCaches{.l1 = 32 << 10, .l2 = 1 << 20};
constexpr std::int64_t kStepBytes = kPanelBlocks * kLine;

TEST(BlockingTest, ChunksOfManyTilesFitInAQuarterOfL2) {
  for (const std::int64_t steps : {1, 7, 1024, 1025, 4096, 11008}) {
    const Blocking blocking = choose_blocking(kCaches, steps, 8, 128, true);
    EXPECT_LE(blocking.chunk_steps * kStepBytes, kCaches.l2 / 4);
    EXPECT_EQ(blocking.chunk_steps % 8, 0);
  }
}

TEST(BlockingTest, ChunksAreEven) {
  constexpr std::int64_t kFitting = kCaches.l2 / 4 / kStepBytes;
  EXPECT_EQ(choose_blocking(kCaches, kFitting + 1, 1, 128, false).chunk_steps, kFitting / 2 + 1);
}

TEST(BlockingTest, OneTileReadsInPlaceWithoutChunksAndDecodesIntoL1) {
  EXPECT_EQ(choose_blocking(kCaches, 5000, 1, 6, false).chunk_steps, 5000);
  EXPECT_LE(choose_blocking(kCaches, 5000, 8, 6, true).chunk_steps * kStepBytes, kCaches.l1);
}

TEST(BlockingTest, AGroupIsNeverSplit) {
  const Blocking blocking = choose_blocking({.l1 = 1 << 10, .l2 = 4 << 10}, 5000, 128, 6, true);
  EXPECT_EQ(blocking.chunk_steps, 128);
}

TEST(BlockingTest, SumsOfTheTilesFitInAnEighthOfL2) {
  const Blocking blocking = choose_blocking(kCaches, 4096, 1, 100'000, false);
  EXPECT_GT(blocking.tiles_at_once, 1);
  EXPECT_LE(blocking.tiles_at_once * kTileRows * kPanel * 4, kCaches.l2 / 8);
  EXPECT_EQ(choose_blocking({.l1 = 1, .l2 = 1}, 4096, 1, 100, false).tiles_at_once, 1);
}

TEST(BlockingTest, CachesOfThisMachineAreKnownOrAssumed) {
  EXPECT_GT(cache_sizes().l1, 0);
  EXPECT_GE(cache_sizes().l2, cache_sizes().l1);
}

TEST(BlockingTest, RowsAreDealtOutEvenlyAndTheirPartsStayTogether) {
  for (const std::int64_t parts : {1, 2}) {
    for (std::int64_t rows = parts; rows < 100; rows += parts) {
      const std::int64_t tiles = tile_count(rows);
      const auto begin = [&](std::int64_t tile) { return tile_begin(tile, tiles, rows, parts); };
      EXPECT_EQ(begin(0), 0);
      EXPECT_EQ(begin(tiles), rows);
      for (std::int64_t tile = 0; tile < tiles; ++tile) {
        const std::int64_t height = begin(tile + 1) - begin(tile);
        EXPECT_GE(height, rows / parts / tiles * parts);
        EXPECT_LE(height, kTileRows);
        EXPECT_EQ(height % parts, 0);
      }
    }
  }
}

TEST(BlockingTest, BlocksThatAreReadSideBySideKeepTheirDistanceInL1) {
  if (kPanelBlocks == 1) GTEST_SKIP() << "one block is read at a time";
  for (std::int64_t lines = 0; lines < 200; ++lines) {
    const std::int64_t spread = spread_lines(lines);
    EXPECT_GE(spread, lines);
    EXPECT_LE(spread, lines + 9);
    EXPECT_GE(spread % 64, 5);
    EXPECT_LE(spread % 64, 59);
  }
}

TEST(BlockingTest, WideTilesHaveTwoBlocksOfAChunkInL1AndWholeUnits) {
  for (const std::int64_t steps : {1, 16, 83, 1024, 2752}) {
    const Blocking blocking = choose_wide_blocking(kCaches, steps, 48, 256, 16);
    EXPECT_EQ(blocking.chunk_steps % 48, 0) << steps;
    EXPECT_LE(blocking.chunk_steps * 2 * kLine, kCaches.l1) << steps;
  }
}

TEST(BlockingTest, WideTilesAreTakenInPairs) {
  EXPECT_EQ(choose_wide_blocking(kCaches, 64, 16, 10, 16).tiles_at_once, 2);
  const Blocking many = choose_wide_blocking(kCaches, 64, 16, 100'000, 16);
  EXPECT_EQ(many.tiles_at_once % 2, 0);
  EXPECT_LE(many.tiles_at_once * 16 * kPanel * 4, kCaches.l2 / 8);
}

}  // namespace
}  // namespace qassay::own
