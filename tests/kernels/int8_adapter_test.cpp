// oneDNN's int8 product on what is hard for it: the largest codes, alternating extremes, strange
// rows.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "tests/kernels/adapter_case.hpp"

namespace qassay {
namespace {

class Int8AdapterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kernel_ = library().find("linear_a8r_s8c_f32_onednn");
    if (kernel_ == nullptr) GTEST_SKIP() << "built without oneDNN";
    if (const auto refusal = kernel_->accepts({1, 16, 16, scheme_, false}))
      GTEST_SKIP() << refusal->reason;
  }

  const Scheme scheme_ = parse_scheme("W8A8");
  const Kernel* kernel_ = nullptr;
};

// Pairs of such products leave 16 bits, and the sum comes as near to 2^31 as a layer may.
TEST_F(Int8AdapterTest, SumsTheLargestCodesExactly) {
  constexpr std::int64_t kN = 4;
  constexpr std::uint8_t kCodes[kN] = {255, 1, 0, 200};  // 127, -127, -128 and 72
  for (const std::int64_t k : {2L, 64L, 4096L, 65'793L}) {
    QuantMatrix weights = blank(scheme_, kN, k);
    for (const std::uint8_t code : kCodes)
      weights.codes.insert(weights.codes.end(), static_cast<std::size_t>(k), code);
    weights.scales.assign(kN, 1.0F);
    for (const std::int64_t m : {1, 2, 33}) {
      SCOPED_TRACE(::testing::Message() << "m " << m << ", k " << k);
      std::vector<float> x(static_cast<std::size_t>(m * k));
      for (std::int64_t i = 0; i < m; ++i)  // codes of 127 and -127
        std::fill_n(x.begin() + i * k, k, i % 2 == 0 ? 127.0F : -127.0F);
      const auto prepared = kernel_->prepare({m, kN, k, scheme_, false}, weights, {}, Device{2});
      const Rows y(m, kN, 0);
      run(*prepared, {x.data(), m, k}, y.view());
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < kN; ++j) {
          const std::int64_t sum = (i % 2 == 0 ? 127 : -127) * (kCodes[j] - 128) * k;
          EXPECT_EQ(y.view().row(i)[j], static_cast<float>(sum)) << "row " << i << ", code " << j;
        }
      }
      expect_equal_bits(y.dense(), reference(scheme_, weights, {}, x));
    }
  }
}

// Signs alternate within a pair, so saturation in one place would not cancel in another.
TEST_F(Int8AdapterTest, SumsAlternatingExtremesExactly) {
  constexpr std::int64_t kN = 65;
  constexpr std::int64_t kK = 1021;
  constexpr std::int64_t kM = 7;
  QuantMatrix weights = blank(scheme_, kN, kK);
  for (std::int64_t i = 0; i < kN * kK; ++i)
    weights.codes.push_back(i % 3 == 0 ? std::uint8_t{1} : std::uint8_t{255});
  weights.scales.assign(kN, 0.37F);
  std::vector<float> x;
  for (std::int64_t i = 0; i < kM * kK; ++i) x.push_back(i % 5 == 0 ? -2.5F : 2.5F);
  const std::vector<float> bias = normal_numbers(kN, "bias");
  const auto prepared = kernel_->prepare({kM, kN, kK, scheme_, true}, weights, bias, Device{2});
  const Rows y(kM, kN, 0);
  run(*prepared, {x.data(), kM, kK}, y.view());
  expect_equal_bits(y.dense(), reference(scheme_, weights, bias, x));
}

// Ties, zeros, subnormal and huge rows: the rows are quantized by code of our own.
TEST_F(Int8AdapterTest, QuantizesStrangeRowsAsTheReferenceDoes) {
  constexpr std::int64_t kN = 16;
  constexpr std::int64_t kK = 67;
  constexpr std::int64_t kM = 6;
  std::vector<float> x(kM * kK, 0.0F);  // row 0: zeros
  for (std::int64_t i = 0; i < kK; ++i) {
    const auto step = static_cast<float>(i);
    x[1 * kK + i] = i == 0 ? 127.0F : step - 33.5F;                           // ties
    x[2 * kK + i] = std::numeric_limits<float>::denorm_min() * step;          // subnormal
    x[3 * kK + i] = std::numeric_limits<float>::max() / 2 * (step / 66.0F);   // large
    x[4 * kK + i] = -0.0F;                                                    // zeros with a sign
    x[5 * kK + i] = i == 5 ? -1e20F : std::ldexp(1.0F, static_cast<int>(i));  // wide
  }
  const QuantMatrix weights = weights_of(scheme_, kN, kK, normal_numbers(kN * kK, "weights"));
  const auto prepared = kernel_->prepare({kM, kN, kK, scheme_, false}, weights, {}, Device{2});
  const Rows y(kM, kN, 0);
  run(*prepared, {x.data(), kM, kK}, y.view());
  expect_equal_bits(y.dense(), reference(scheme_, weights, {}, x));
}

TEST_F(Int8AdapterTest, SaysWhenActivationsAreNotFinite) {
  const QuantMatrix weights = weights_of(scheme_, 16, 20, normal_numbers(16 * 20, "weights"));
  const auto prepared = kernel_->prepare({4, 16, 20, scheme_, false}, weights, {}, Device{2});
  const Buffer workspace(prepared->workspace_bytes());
  for (const float bad : {kNan, std::numeric_limits<float>::infinity()}) {
    std::vector<float> x = normal_numbers(4 * 20, "activations");
    x[2 * 20 + 13] = bad;
    EXPECT_THROW(prepared->quantize_input({x.data(), 4, 20}, {workspace.data(), workspace.size()}),
                 InputError);
  }
}

TEST_F(Int8AdapterTest, RefusesSumsThatCanOverflow) {
  EXPECT_FALSE(kernel_->accepts({1, 16, 65'793, scheme_, false}).has_value());
  EXPECT_TRUE(kernel_->accepts({1, 16, 65'794, scheme_, false}).has_value());
}

// oneDNN 2 ends in an illegal instruction there, and the process with it.
TEST_F(Int8AdapterTest, RefusesTheShapesThatCrashOnAmx) {
  constexpr std::int64_t kN = 64;
  constexpr std::int64_t kK = 128;
  QuantMatrix weights = blank(scheme_, kN, kK);
  weights.codes.assign(kN * kK, 128);
  weights.scales.assign(kN, 1.0F);
  const std::string whole_tiles =
      kernel_->prepare({33, kN, kK, scheme_, false}, weights, {}, Device{1})->implementation();
  const bool on_amx = whole_tiles.find("amx") != std::string::npos;
  for (const std::int64_t k : {125, 126, 127}) {
    EXPECT_EQ(kernel_->accepts({33, kN, k, scheme_, false}).has_value(), on_amx) << k;
    EXPECT_FALSE(kernel_->accepts({32, kN, k, scheme_, false}).has_value()) << k;
  }
  EXPECT_FALSE(kernel_->accepts({33, kN, 124, scheme_, false}).has_value());
}

}  // namespace
}  // namespace qassay
