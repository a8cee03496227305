// Layouts, index maps and arithmetic of the kernels for CUDA, one by one; cuda_kernels_test.cpp
// runs them whole.

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "core/grid.hpp"
#include "core/half.hpp"
#include "kernels/cuda/int8_rows.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/packed_codes.hpp"
#include "tests/kernels/kernel_case.hpp"

namespace qassay {
namespace {

using namespace cuda;

template <int kBits>
void expect_exact_codes() {
  constexpr int kCodes = 1 << kBits;
  for (int reg = 0; reg < 4; ++reg) {
    for (int low = 0; low < kCodes; ++low) {
      // The neighbours hold all ones: none of their bits may come along.
      std::uint32_t word = 0xFFFFFFFFU;
      const int high = kCodes - 1 - low;
      for (const auto& [half, code] : {std::pair(0, low), std::pair(1, high)}) {
        word &= ~(static_cast<std::uint32_t>(kCodes - 1) << shift_of<kBits>(reg, half));
        word |= static_cast<std::uint32_t>(code) << shift_of<kBits>(reg, half);
      }
      const std::uint32_t raised = raised_codes<kBits>(word, reg);
      EXPECT_EQ(f16_to_f32(static_cast<std::uint16_t>(raised)), 1024.0F + static_cast<float>(low));
      EXPECT_EQ(f16_to_f32(static_cast<std::uint16_t>(raised >> 16)),
                1024.0F + static_cast<float>(high));
    }
  }
  for (int zero = 0; zero < kCodes; ++zero) {
    for (const int shift : {0, 16}) {
      EXPECT_EQ(f16_to_f32(static_cast<std::uint16_t>(raised_zero(zero) >> shift)),
                1024.0F + static_cast<float>(zero));
    }
  }
}

TEST(CudaCodesTest, CodesDecodeExactly) {
  expect_exact_codes<4>();
  expect_exact_codes<8>();
  for (int difference = -255; difference <= 255; ++difference) {
    const auto exact = static_cast<float>(difference);
    EXPECT_EQ(f16_to_f32(f32_to_f16(exact)), exact);
  }
}

template <int kBits>
void expect_every_code_once() {
  std::set<std::pair<int, int>> bits;    // of a lane's words: word, shift
  std::set<std::pair<int, int>> places;  // of a line: channel, k
  for (int lane = 0; lane < kWarp; ++lane) {
    bits.clear();
    for (int tile = 0; tile < 2 * kTilesOfHalf; ++tile) {
      for (int reg = 0; reg < 4; ++reg) {
        for (int half = 0; half < 2; ++half) {
          bits.emplace(word_of<kBits>(tile, reg), shift_of<kBits>(reg, half));
          places.emplace(channel_of_weights(lane, reg),
                         k_of_tile(tile, lane, i_of_weights(reg, half)));
        }
      }
    }
    EXPECT_EQ(bits.size(), 32U);
    EXPECT_EQ(bits.rbegin()->first, kVectorsOf<kBits> * kWordsOfVector - 1);
    EXPECT_LE(bits.rbegin()->second, 32 - kBits);
  }
  EXPECT_EQ(places.size(), static_cast<std::size_t>(kBlock * kLine));
  EXPECT_EQ(places.begin()->first, 0);
  EXPECT_EQ(*places.rbegin(), std::pair(kBlock - 1, kLine - 1));
}

TEST(CudaCodesTest, EveryCodeOfALineHasItsPlace) {
  expect_every_code_once<4>();
  expect_every_code_once<8>();
}

TEST(CudaCodesTest, AHalfOfALineStaysWithinItsGroup) {
  for (int lane = 0; lane < kWarp; ++lane) {
    for (int tile = 0; tile < 2 * kTilesOfHalf; ++tile) {
      for (int i = 0; i < 4; ++i)
        EXPECT_EQ(k_of_tile(tile, lane, i) / kHalfLine, tile / kTilesOfHalf);
    }
  }
}

TEST(CudaCodesTest, EverySumIsFoundAgain) {
  for (int channel = 0; channel < kBlock; ++channel) {
    for (int row = 0; row < kRowsOfTile; ++row) {
      const int lane = lane_of_sum(channel, row);
      const int sum = number_of_sum(channel, row);
      EXPECT_EQ(channel_of_sum(lane, sum), channel);
      EXPECT_EQ(row_of_sum(lane, sum), row);
    }
  }
}

TEST(CudaCodesTest, SharedMemoryIsReadWithoutConflicts) {
  constexpr int kChunksOfBanks = 8;  // 128 bytes: all banks, once
  std::set<int> all;
  for (int row = 0; row < 64; ++row) {
    for (int chunk = 0; chunk < kLine / kChunk; ++chunk) all.insert(shared_chunk(row, chunk));
  }
  EXPECT_EQ(all.size(), 512U);
  EXPECT_EQ(*all.rbegin(), 511);
  // 16 bytes a lane: eight lanes are served at once.
  for (int half = 0; half < 2; ++half) {
    for (int first = 0; first < kWarp; first += 8) {
      std::set<int> banks;
      for (int lane = first; lane < first + 8; ++lane)
        banks.insert(shared_chunk(row_of_input(lane), k_of_chunk(half, lane) / kChunk) %
                     kChunksOfBanks);
      EXPECT_EQ(banks.size(), 8U);
    }
  }
}

TEST(CudaCodesTest, PacksNoMoreThanItMust) {
  const KernelCase c = normal_case(parse_scheme("W4A16-g128-asym"), 1, 128, 1024, false);
  EXPECT_EQ(pack_codes(c.weights, 1).bytes(), 128U * 1024 / 2 + 128 * 8 * 3);
  const KernelCase wide = normal_case(parse_scheme("W8A16-g32"), 1, 64, 256, false);
  EXPECT_EQ(pack_codes(wide.weights, 1).bytes(), 64U * 256 + 64 * 8 * 2);
}

TEST(CudaInt8RowsTest, CodesAndScalesAreThoseOfTheGrid) {
  for (const float deviation : {1.0F, 1e30F, 1e-30F, 1e-40F, 0.0F}) {
    KernelCase c = normal_case(parse_scheme("W8A8"), 9, 1, 381, false, deviation);
    // Halves of a step and their neighbours.
    float* const ties = c.x.view().row(0);
    for (int i = 0; i < 127; ++i) {
      const float tie = (static_cast<float>(i) - 0.5F) * (deviation / 127);
      ties[3 * i] = i == 0 ? deviation : tie;
      ties[3 * i + 1] = std::nextafter(tie, 0.0F);
      ties[3 * i + 2] = -tie;
    }
    for (std::int64_t row = 0; row < c.m; ++row) {
      std::vector<std::int8_t> codes(static_cast<std::size_t>(c.k));
      const float* const x = c.x.view().row(row);
      const float scale = quantize_row(x, c.k, codes.data());
      std::uint32_t largest = 0;
      for (std::int64_t k = 0; k < c.k; ++k)
        largest = std::max(largest, std::bit_cast<std::uint32_t>(x[k]) & kMagnitudeBits);
      ASSERT_TRUE(takes_row(std::bit_cast<float>(largest)));
      ASSERT_EQ(scale_of_row(std::bit_cast<float>(largest)), scale);
      for (std::int64_t k = 0; k < c.k; ++k)
        ASSERT_EQ(code_of_number(x[k], scale), codes[static_cast<std::size_t>(k)]) << x[k];
    }
  }
}

TEST(CudaInt8RowsTest, RowsThatTheGridRefusesAreNotTaken) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kInfinity, std::numeric_limits<float>::quiet_NaN(), FLT_MAX}) {
    std::int8_t code = 0;
    EXPECT_ANY_THROW(quantize_row(&bad, 1, &code));
    EXPECT_FALSE(takes_row(bad));
  }
  for (const float good : {0.0F, FLT_TRUE_MIN, 1.0F, 0.99F * FLT_MAX}) {
    std::int8_t code = 0;
    EXPECT_NO_THROW(quantize_row(&good, 1, &code));
    EXPECT_TRUE(takes_row(good));
  }
}

TEST(CudaInt8RowsTest, SumsAreScaledAsTheReferenceDoes) {
  const KernelCase c = normal_case(parse_scheme("W8A8"), 5, 17, 129, true);
  const Values expected = run_guarded(reference_for(c.problem(c.m)), c);
  for (std::int64_t row = 0; row < c.m; ++row) {
    std::vector<std::int8_t> codes(static_cast<std::size_t>(c.k));
    const float row_scale = quantize_row(c.x.view().row(row), c.k, codes.data());
    for (std::int64_t n = 0; n < c.n; ++n) {
      std::int32_t sum = 0;
      for (std::int64_t k = 0; k < c.k; ++k)
        sum += codes[static_cast<std::size_t>(k)] *
               (c.weights.codes[static_cast<std::size_t>(n * c.k + k)] - 128);
      const auto at = static_cast<std::size_t>(n);
      EXPECT_EQ(scaled_sum(sum, c.weights.scales[at], row_scale, c.bias[at]),
                expected.view().row(row)[n]);
    }
  }
}

}  // namespace
}  // namespace qassay
