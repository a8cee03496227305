// The kernels for CUDA themselves, run on the host over awkward shapes and compared with the
// reference. Their memory lies at guarded pages.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "core/grid.hpp"
#include "core/half.hpp"
#include "kernels/cuda/packed_codes.hpp"
#include "tests/kernels/cuda_on_host.hpp"
#include "tests/kernels/guarded_memory.hpp"
#include "tests/kernels/kernel_case.hpp"
// What was replaced above.
#include "kernels/cuda/rows.cu"
#include "kernels/cuda/stream_codes.cu"
#include "kernels/cuda/tile_codes.cu"

namespace qassay {
namespace {

using namespace cuda;

constexpr std::uint16_t kHalfNan = 0x7E00;

/// Numbers between guarded pages, as wide loads want them.
template <typename T>
class OnDevice {
 public:
  explicit OnDevice(const std::vector<T>& numbers)
      : memory_(numbers.size() * sizeof(T), std::max<std::size_t>(sizeof(T), 16), true) {
    std::copy(numbers.begin(), numbers.end(), at());
  }
  OnDevice(std::int64_t count, T value)
      : OnDevice(std::vector<T>(static_cast<std::size_t>(count), value)) {}

  T* at() const { return memory_.as<T>(); }
  bool surroundings_untouched() const { return memory_.surroundings_untouched(); }

 private:
  GuardedMemory memory_;
};

/// Runs a kernel on codes in the format that fits.
struct HostLaunch {
  const CodesArgs& args;
  bool tiles;

  template <int kBits, int kSpan, bool kZeros>
  int go() const {
    const auto blocks = static_cast<unsigned>(args.blocks);
    if (tiles) {
      const auto row_blocks = static_cast<unsigned>(divide_up(args.m, kRows));
      simt::run({blocks / kPaddedBlocks, row_blocks, 1}, kTileThreads,
                [this] { tile_kernel<kBits, kSpan, kZeros>(args); });
    } else if (args.m <= kRowsOfTile) {
      simt::run({blocks, 1, 1}, kWarps * kWarp,
                [this] { stream_kernel<kBits, kSpan, kZeros, 1>(args); });
    } else {
      simt::run({blocks, 1, 1}, kWarps * kWarp,
                [this] { stream_kernel<kBits, kSpan, kZeros, 2>(args); });
    }
    return 0;
  }
};

/// The case with x as FP16 has it: what kernel and reference are both given.
KernelCase fp16_case(const char* scheme, std::int64_t m, std::int64_t n, std::int64_t k,
                     bool bias) {
  KernelCase c = normal_case(parse_scheme(scheme), m, n, k, bias);
  for (float& x : c.x.at) x = f16_to_f32(f32_to_f16(x));
  return c;
}

/// x as the kernels get it. Rows behind the last are NaN: none may come into others.
std::vector<std::uint16_t> half_rows(const KernelCase& c, std::int64_t stride) {
  std::vector<std::uint16_t> rows(static_cast<std::size_t>(divide_up(c.m, 64) * 64 * stride),
                                  kHalfNan);
  for (std::int64_t row = 0; row < c.m; ++row) {
    for (std::int64_t k = 0; k < stride; ++k)
      rows[static_cast<std::size_t>(row * stride + k)] =
          k < c.k ? f32_to_f16(c.x.view().row(row)[k]) : std::uint16_t{0};
  }
  return rows;
}

Values multiply(const KernelCase& c, bool tiles) {
  const PackedCodes packed = pack_codes(c.weights, 2);
  const std::int64_t channels = packed.blocks * kBlock;
  const OnDevice<std::uint32_t> words(packed.words);
  const OnDevice<std::uint16_t> scales(packed.scales);
  const OnDevice<std::uint8_t> zeros(packed.zeros);
  const OnDevice<std::uint16_t> x(half_rows(c, packed.lines * kLine));
  const OnDevice<float> y(c.m * channels, std::numeric_limits<float>::quiet_NaN());
  std::vector<float> all_bias = c.bias;
  all_bias.resize(static_cast<std::size_t>(channels));
  const OnDevice<float> bias(all_bias);
  const CodesArgs args{.words = words.at(),
                       .scales = scales.at(),
                       .zeros = packed.zeros.empty() ? nullptr : zeros.at(),
                       .bias = c.bias.empty() ? nullptr : bias.at(),
                       .blocks = packed.blocks,
                       .lines = packed.lines,
                       .groups = packed.groups,
                       .group = static_cast<int>(c.scheme.weights.block),
                       .x = x.at(),
                       .y = y.at(),
                       .m = c.m};
  with_format(c.scheme.weights.bits, args, HostLaunch{args, tiles});
  EXPECT_TRUE(y.surroundings_untouched());
  Values got(c.m, c.n);
  for (std::int64_t row = 0; row < c.m; ++row)
    std::copy_n(y.at() + row * channels, c.n, got.view().row(row));
  return got;
}

/// A kernel that sums in FP32, in its order, and rounds neither weights nor the x that it is given.
class Reordered final : public Kernel {
 public:
  const KernelInfo& info() const override { return info_; }
  std::optional<Refusal> accepts(const Problem&) const override { return std::nullopt; }
  std::unique_ptr<Prepared> prepare(const Problem&, const QuantMatrix&, std::span<const float>,
                                    const Device&) const override {
    return nullptr;
  }

 private:
  KernelInfo info_{.name = "on the host", .backend = "cuda"};
};

const char* const kSchemes[] = {
    "W4A16-g32", "W4A16-g64", "W4A16-g128", "W4A16-g32-asym", "W4A16-g64-asym", "W4A16-g128-asym",
    "W8A16-g32", "W8A16-g64", "W8A16-g128", "W8A16-g32-asym", "W8A16-g64-asym", "W8A16-g128-asym"};

TEST(CudaKernelsOnHostTest, StreamAgreesOverAwkwardShapes) {
  int number = 0;
  for (const char* const scheme : kSchemes) {
    for (const std::int64_t m : {1, 3, 8, 9, 16}) {
      for (const std::int64_t n : {1, 17, 65}) {
        for (const std::int64_t k : {1, 32, 33, 64, 129, 600, 2400}) {
          if (number++ % 13 != 0) continue;
          const KernelCase c = fp16_case(scheme, m, n, k, number % 2 == 0);
          expect_contract(Reordered(), c, multiply(c, false));
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(CudaKernelsOnHostTest, TilesAgreeOverAwkwardShapes) {
  int number = 0;
  for (const char* const scheme : kSchemes) {
    for (const std::int64_t m : {17, 64, 65}) {
      for (const std::int64_t n : {1, 64, 65}) {
        for (const std::int64_t k : {1, 33, 64, 129, 300}) {
          if (number++ % 19 != 0) continue;
          const KernelCase c = fp16_case(scheme, m, n, k, number % 2 == 0);
          expect_contract(Reordered(), c, multiply(c, true));
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(CudaKernelsOnHostTest, RowsAreQuantizedAsByTheGrid) {
  for (const std::int64_t k : {1, 31, 255, 256, 300, 1000}) {
    const KernelCase c = normal_case(parse_scheme("W8A8"), 3, 1, k, false);
    const std::int64_t stride = divide_up(k, 16) * 16;
    const OnDevice<float> x(c.x.at);
    const OnDevice<std::int8_t> codes(c.m * stride, 77);
    const OnDevice<float> scales(c.m, -1);
    const OnDevice<int> not_finite(1, 0);
    simt::run({3, 1, 1}, kRowThreads,
              [&] { quantize_rows(x.at(), k, codes.at(), stride, scales.at(), not_finite.at()); });
    EXPECT_EQ(*not_finite.at(), 0);
    for (std::int64_t row = 0; row < c.m; ++row) {
      std::vector<std::int8_t> wanted(static_cast<std::size_t>(stride));
      EXPECT_EQ(scales.at()[row], quantize_row(c.x.view().row(row), k, wanted.data()));
      const std::int8_t* const got = codes.at() + row * stride;
      EXPECT_EQ(std::vector<std::int8_t>(got, got + stride), wanted) << "k " << k;
    }
  }
}

TEST(CudaKernelsOnHostTest, ANumberThatIsNotFiniteIsSeenWhereverItIs) {
  for (const std::size_t place : {std::size_t{0}, std::size_t{255}, std::size_t{599}}) {
    std::vector<float> numbers(600, 1.0F);
    numbers[place] = std::numeric_limits<float>::quiet_NaN();
    const OnDevice<float> x(numbers);
    const OnDevice<std::int8_t> codes(608 * 2, 0);
    const OnDevice<float> scales(2, 0);
    const OnDevice<int> not_finite(1, 0);
    simt::run({2, 1, 1}, kRowThreads,
              [&] { quantize_rows(x.at(), 300, codes.at(), 304, scales.at(), not_finite.at()); });
    EXPECT_EQ(*not_finite.at(), 1) << place;
  }
}

TEST(CudaKernelsOnHostTest, RowsAreRoundedAndFilledUp) {
  const KernelCase c = normal_case(parse_scheme("FP32"), 2, 1, 300, false);
  const OnDevice<float> x(c.x.at);
  const OnDevice<std::uint16_t> halves(2 * 320, kHalfNan);
  const OnDevice<std::uint16_t> brain(2 * 320, kHalfNan);
  simt::run({2, 1, 1}, kRowThreads, [&] { round_rows<ToF16>(x.at(), 300, halves.at(), 320); });
  simt::run({2, 1, 1}, kRowThreads, [&] { round_rows<ToBf16>(x.at(), 300, brain.at(), 320); });
  for (std::int64_t row = 0; row < 2; ++row) {
    for (std::int64_t k = 0; k < 320; ++k) {
      const float number = k < 300 ? c.x.view().row(row)[k] : 0.0F;
      EXPECT_EQ(halves.at()[row * 320 + k], f32_to_f16(number));
      EXPECT_EQ(brain.at()[row * 320 + k], f32_to_bf16(number));
    }
  }
}

TEST(CudaKernelsOnHostTest, WhatEmptiesTheCacheStaysWithinItAndWritesNothing) {
  constexpr std::int64_t kWords = 2000;  // more than the threads, and no multiple of them
  for (const std::uint32_t bits : {0U, ~0U}) {
    const OnDevice<uint4> memory(kWords, uint4{bits, bits, bits, bits});
    const OnDevice<std::uint32_t> sink(1, 7);
    simt::run({2, 1, 1}, kRowThreads, [&] { read_all(memory.at(), kWords, sink.at()); });
    EXPECT_EQ(*sink.at(), bits == 0 ? 7U : bits);  // which says that it was read
  }
}

TEST(CudaKernelsOnHostTest, SumsAreScaledAndBiasesAdded) {
  constexpr std::int64_t kN = 300;
  std::vector<float> sums;
  std::vector<float> channel_scales, bias;
  for (int i = 0; i < 2 * kN; ++i)
    sums.push_back(float_of_bits(static_cast<std::uint32_t>(7919 * i - 9999)));
  for (int i = 0; i < kN; ++i) {
    channel_scales.push_back(1e-3F * static_cast<float>(i + 1));
    bias.push_back(0.1F * static_cast<float>(i));
  }
  const std::vector<float> row_scales{0.01F, 3};
  const OnDevice<float> y(sums), of_channels(channel_scales), of_rows(row_scales), added(bias);
  simt::run({2, 1, 1}, kRowThreads,
            [&] { scale_rows(y.at(), kN, of_channels.at(), of_rows.at(), added.at()); });
  simt::run({2, 1, 1}, kRowThreads, [&] { add_to_rows(y.at(), kN, added.at()); });
  for (std::int64_t i = 0; i < 2 * kN; ++i) {
    const auto channel = static_cast<std::size_t>(i % kN);
    const auto sum = static_cast<float>(7919 * i - 9999);
    const float scaled = std::fma(std::fma(sum, channel_scales[channel], 0.0F),
                                  row_scales[static_cast<std::size_t>(i / kN)], bias[channel]);
    EXPECT_EQ(y.at()[i], scaled + bias[channel]);
  }
}

}  // namespace
}  // namespace qassay
