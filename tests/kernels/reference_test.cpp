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
  std::vector<std::int8_t> codes(static_cast<std::size_t>(c.k));
  for (std::int64_t m = 0; m < c.m; ++m) {
    const double scale = quantize_row(c.x.view().row(m), c.k, codes.data());
    for (std::int64_t k = 0; k < c.k; ++k)
      values[static_cast<std::size_t>(m * c.k + k)] = scale * codes[static_cast<std::size_t>(k)];
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
          // Integer sums: one rounding a block, one of the weight's value, two of the epilogue.
          const std::int64_t roundings =
              scheme.quantizes_input() ? 4 + blocks_per_row(scheme.weights, k) : 1;
          limits.push_back(dot_product_limit(roundings, magnitude));
        }
      }
      const Values got = run_guarded(reference_for(scheme), c);
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
                                         "W3A16-g64", "W4A16-tensor-asym", "W4A16-g128"),
                         [](const auto& scheme) {
                           std::string name = scheme.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace qassay
