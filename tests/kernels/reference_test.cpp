// The reference kernels, which all others are compared with, against the plain sum of dequantized
// numbers in double.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/compare.hpp"
#include "core/grid.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/kernels/kernel_case.hpp"

namespace qassay {
namespace {

/// x as the scheme's kernels see it.
std::vector<double> activations(const KernelCase& c) {
  std::vector<double> values(c.x.at.begin(), c.x.at.end());
  if (!c.scheme.quantizes_input()) return values;
  const NumberFormat& format = c.scheme.input.number;
  const bool blocked = c.scheme.blocks_input();
  std::vector<std::int8_t> codes(static_cast<std::size_t>(c.k));
  std::vector<float> scales(static_cast<std::size_t>(blocks_per_row(format, c.k)));
  for (std::int64_t m = 0; m < c.m; ++m) {
    const float* row = c.x.view().row(m);
    if (blocked) {
      quantize_row_blocked(row, c.k, format.block, codes.data(), scales.data());
    } else {
      scales[0] = quantize_row(row, c.k, codes.data());
    }
    for (std::int64_t k = 0; k < c.k; ++k) {
      const double scale = scales[static_cast<std::size_t>(blocked ? k / format.block : 0)];
      values[static_cast<std::size_t>(m * c.k + k)] = scale * codes[static_cast<std::size_t>(k)];
    }
  }
  return values;
}

class ReferenceTest : public testing::TestWithParam<const char*> {};

TEST_P(ReferenceTest, EqualsThePlainSum) {
  const Scheme scheme = parse_scheme(GetParam());
  for (const std::int64_t k : {1, 31, 128, 200}) {
    for (const bool bias : {false, true}) {
      const KernelCase c = normal_case(scheme, 3, 19, k, bias);
      const std::vector<double> x = activations(c);
      const std::vector<float> w = dequantize(c.weights);
      Values expected(c.m, c.n);
      std::vector<double> limits;
      for (std::int64_t m = 0; m < c.m; ++m) {
        for (std::int64_t n = 0; n < c.n; ++n) {
          double sum = bias ? c.bias[static_cast<std::size_t>(n)] : 0.0;
          double magnitude = std::fabs(sum);
          for (std::int64_t i = 0; i < k; ++i) {
            const double product =
                x[static_cast<std::size_t>(m * k + i)] * w[static_cast<std::size_t>(n * k + i)];
            sum += product;
            magnitude += std::fabs(product);
          }
          expected.view().row(m)[n] = static_cast<float>(sum);
          // Integer sums: one rounding a block, one of the weight's value, two of the epilogue
          // (in blocks: one of the product of scales, one of the bias).
          const std::int64_t roundings =
              scheme.quantizes_input() ? 4 + blocks_per_row(scheme.weights, k) : 1;
          limits.push_back(dot_product_limit(roundings, magnitude));
        }
      }
      const Values got = run_guarded(reference_for(c.problem(c.m)), c);
      const Comparison comparison =
          compare(got.view(), expected.view(),
                  {.absolute = 0, .relative = 0, .per_element = {limits.data(), c.m, c.n}});
      EXPECT_TRUE(comparison.passed()) << c.describe() << ": " << comparison.describe();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Schemes, ReferenceTest,
                         testing::Values("FP32", "FP16", "BF16", "W8A8", "W8A8-tensor", "W8A8-asym",
                                         "W4A8-g32", "W4A8-g32-asym", "W2A8-g8", "W8A16",
                                         "W3A16-g64", "W4A16-tensor-asym", "W4A16-g128",
                                         "W8A8-g32-blocked", "W4A8-g128-blocked",
                                         "W5A8-g48-asym-blocked"),
                         [](const auto& scheme) {
                           std::string name = scheme.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

// k = 5 in blocks of 2 (a group that no text can name, but the arithmetic knows): by hand.
TEST(BlockedReferenceTest, WorkedExample) {
  KernelCase c = normal_case(parse_scheme("W8A8-g8-blocked"), 1, 1, 5, true);
  c.scheme.weights.block = 2;
  c.scheme.input.number.block = 2;
  c.weights.scheme = c.scheme;
  c.weights.codes = {129, 130, 128, 118, 131};  // 1, 2 | 0, -10 | 3
  c.weights.scales = {0.5F, 2.0F, 0.25F};
  c.bias = {100.0F};
  c.x.at = {127.0F, -63.0F, 254.0F, -254.0F, 0.0F};  // scales 1, 2 and 0
  // (127 - 126) * 0.5 * 1 + (127 * 10) * 2 * 2 + 0 + 100
  EXPECT_EQ(run_guarded(reference_for(c.problem(1)), c).at.front(), 0.5F + 5080.0F + 100.0F);
}

TEST(BlockedReferenceTest, IsForBlockedSchemesAlone) {
  const auto refusal_of = [](const char* kernel, const char* scheme, bool convolution = false) {
    Problem problem{.m_max = 1, .n = 16, .k = 64, .scheme = parse_scheme(scheme)};
    if (convolution)
      problem.convolution = Convolution{
          .height = 8, .width = 8, .channels = 64, .kernel_height = 1, .kernel_width = 1};
    const auto refusal = built_kernels().find(kernel)->accepts(problem);
    return refusal ? refusal->reason : "";
  };
  EXPECT_EQ(refusal_of("linear_a8g_any_f32_reference", "W4A8-g32-blocked"), "");
  EXPECT_EQ(refusal_of("linear_a8g_any_f32_reference", "W4A8-g32"),
            "takes activations in blocks only");
  EXPECT_EQ(refusal_of("linear_a8r_any_f32_reference", "W4A8-g32"), "");
  EXPECT_EQ(refusal_of("linear_a8r_any_f32_reference", "W4A8-g32-blocked"),
            "takes activations without blocks only");
  for (const Kernel* kernel : rows_named("linear_a8r"))
    EXPECT_NE(refusal_of(kernel->info().name.data(), "W4A8-g32-blocked"), "")
        << kernel->info().name;
  for (const Kernel* kernel : rows_named(""))
    EXPECT_NE(refusal_of(kernel->info().name.data(), "W4A8-g32-blocked", true), "")
        << kernel->info().name;
}

/// Written out from the definition, without patches: number by number, outside of the image zero.
TEST_P(ReferenceTest, ConvolutionEqualsThePlainSum) {
  const Convolution geometries[] = {
      {.height = 5, .width = 4, .channels = 3, .kernel_height = 3, .kernel_width = 2},
      {.height = 6,
       .width = 7,
       .channels = 8,
       .kernel_height = 3,
       .kernel_width = 3,
       .stride = 2,
       .padding = 1,
       .groups = 2},
      {.height = 2,
       .width = 3,
       .channels = 6,
       .kernel_height = 5,
       .kernel_width = 3,
       .padding = 2,
       .groups = 6}};
  for (const Convolution& g : geometries) {
    const KernelCase c =
        normal_convolution(parse_scheme(GetParam()), 2, 12, g, g.groups != 2, 0.3F);
    const std::vector<float> w = dequantize(c.weights);
    const bool codes = c.scheme.quantizes_input();
    const Grid& input = c.weights.input;
    Values expected(c.m, c.problem(c.m).outputs());
    std::vector<double> limits;
    for (std::int64_t at = 0; at < c.m * c.problem(c.m).outputs(); ++at) {
      const std::int64_t n = at % c.n;
      const std::int64_t column = at / c.n % g.out_width();
      const std::int64_t row = at / c.n / g.out_width() % g.out_height();
      const float* image = c.x.view().row(at / expected.cols);
      double sum = c.bias.empty() ? 0.0 : c.bias[static_cast<std::size_t>(n)];
      double magnitude = std::fabs(sum);
      for (std::int64_t k = 0; k < c.k; ++k) {
        const std::int64_t channel =
            k % g.group_channels() + n / (c.n / g.groups) * g.group_channels();
        const std::int64_t x =
            column * g.stride + k / g.group_channels() % g.kernel_width - g.padding;
        const std::int64_t y = row * g.stride + k / g.group_channels() / g.kernel_width - g.padding;
        const double weight = w[static_cast<std::size_t>(n * c.k + k)];
        // What the reference adds up is as large as this, also where the image is zero.
        if (codes) magnitude += std::fabs(weight) * input.scale * 256;
        if (x < 0 || x >= g.width || y < 0 || y >= g.height) continue;
        const float pixel = image[(y * g.width + x) * g.channels + channel];
        const double product = weight * (codes ? input.value(input.code(pixel)) : pixel);
        sum += product;
        magnitude += std::fabs(product);
      }
      expected.at[static_cast<std::size_t>(at)] = static_cast<float>(sum);
      // Codes: one rounding a block, one of a weight's value, one of the offset, two of the
      // epilogue.
      limits.push_back(
          dot_product_limit(codes ? 6 + blocks_per_row(c.scheme.weights, c.k) : 1, magnitude));
    }
    const Values got = run_guarded(reference_for(c.problem(c.m)), c);
    const Comparison comparison =
        compare(got.view(), expected.view(),
                {.absolute = 0, .relative = 0, .per_element = {limits.data(), got.rows, got.cols}});
    EXPECT_TRUE(comparison.passed()) << c.describe() << ": " << comparison.describe();
  }
}

}  // namespace
}  // namespace qassay
