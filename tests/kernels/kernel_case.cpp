#include "tests/kernels/kernel_case.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>
#include <ostream>
#include <stdexcept>

#include "core/compare.hpp"
#include "core/seed.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/kernels/guarded_memory.hpp"

namespace qassay {
namespace {

constexpr std::uint32_t kPoison = 0x7FC0DEADU;  // a quiet NaN that no arithmetic makes

void poison(float* at, std::int64_t count) {
  std::fill_n(at, count, std::bit_cast<float>(kPoison));
}

/// The sums of |x_i| |w_i| over k, plus |bias|: what rounding errors are measured against.
std::vector<double> magnitudes(const KernelCase& c) {
  const std::vector<float> w = dequantize(c.weights);
  std::vector<double> sums;
  sums.reserve(static_cast<std::size_t>(c.m * c.n));
  for (std::int64_t m = 0; m < c.m; ++m) {
    for (std::int64_t n = 0; n < c.n; ++n) {
      double sum = c.bias.empty() ? 0 : std::fabs(c.bias[static_cast<std::size_t>(n)]);
      for (std::int64_t k = 0; k < c.k; ++k) {
        sum += std::fabs(static_cast<double>(c.x.view().row(m)[k]) *
                         w[static_cast<std::size_t>(n * c.k + k)]);
      }
      sums.push_back(sum);
    }
  }
  return sums;
}

/// reordered: FP32 sums of k products and a bias in any order. Three roundings more: a weight that
/// is decoded with another rounding of code * scale, the scale applied after the sum, the output.
/// approximate: activations (and outputs of pairs) rounded to BF16 besides, half a unit in the 8th
/// bit each.
/// Both: results below FLT_MIN lose bits, or are flushed to zero with the inputs below it.
std::vector<double> limits(const KernelCase& c, Contract contract) {
  std::vector<double> limits = magnitudes(c);
  float largest = 1;
  for (const float w : dequantize(c.weights)) largest = std::max(largest, std::fabs(w));
  const double rounded = contract == Contract::approximate ? 0x1p-8 : 0.0;
  const double underflow = contract == Contract::approximate
                               ? static_cast<double>(c.k) * FLT_MIN * largest
                               : static_cast<double>(c.k) * FLT_TRUE_MIN;
  for (double& limit : limits)
    limit = dot_product_limit(c.k + 4, limit) + rounded * limit + underflow;
  return limits;
}

}  // namespace

const KernelLibrary& built_kernels() {
  static const KernelLibrary library(default_kernel_library());
  return library;
}

const Kernel& reference_for(const Scheme& scheme) {
  const Kernel* kernel = built_kernels().find(
      scheme.quantizes_input() ? "linear_a8r_any_f32_reference" : "linear_f32_any_f32_reference");
  if (kernel == nullptr) throw std::logic_error("the library has no reference kernels");
  return *kernel;
}

void PrintTo(const Kernel* kernel, std::ostream* out) { *out << kernel->info().name; }

bool cpu_runs(Isa isa) {
#ifdef __x86_64__
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  switch (isa) {
    case Isa::any:
      return true;
    case Isa::avx512:
      return avx512;
    case Isa::avx512vnni:
      return avx512 && __builtin_cpu_supports("avx512vnni");
    case Isa::avx512bf16:
      return avx512 && __builtin_cpu_supports("avx512bf16");
  }
  return false;
#else
  return isa == Isa::any;
#endif
}

std::string KernelCase::describe() const {
  return fmt::format("{} m={} n={} k={}{}", to_string(scheme), m, n, k,
                     bias.empty() ? "" : " with bias");
}

KernelCase normal_case(const Scheme& scheme, std::int64_t m, std::int64_t n, std::int64_t k,
                       bool bias, float x_deviation, float w_deviation) {
  const std::uint64_t seed = seed_from_name(fmt::format("{} {} {} {}", to_string(scheme), m, n, k));
  KernelCase c{
      .m = m, .n = n, .k = k, .scheme = scheme, .x = Values(m, k), .weights = {}, .bias = {}};
  fill_normal(c.x.at, seed, x_deviation);
  Values w(n, k);
  fill_normal(w.at, seed + 1, w_deviation);
  c.weights = round_to_nearest(w.view(), scheme);
  if (bias) {
    c.bias.resize(static_cast<std::size_t>(n));
    fill_normal(c.bias, seed + 2, x_deviation * w_deviation);
  }
  return c;
}

Values run_guarded(Prepared& prepared, const KernelCase& c, bool last) {
  const std::int64_t x_stride = c.k + 3;
  const std::int64_t y_stride = c.n + 5;
  const auto floats = [](std::int64_t count) {
    return static_cast<std::size_t>(count) * sizeof(float);
  };
  const GuardedMemory x(floats((c.m - 1) * x_stride + c.k), sizeof(float), last);
  const GuardedMemory y(floats((c.m - 1) * y_stride + c.n), sizeof(float), last);
  const GuardedMemory workspace(prepared.workspace_bytes(), 64, last);
  poison(x.as<float>(), static_cast<std::int64_t>(x.size() / sizeof(float)));
  poison(y.as<float>(), static_cast<std::int64_t>(y.size() / sizeof(float)));
  std::fill_n(workspace.data(), workspace.size(), std::byte{0xFF});
  for (std::int64_t m = 0; m < c.m; ++m)
    std::copy_n(c.x.view().row(m), c.k, x.as<float>() + m * x_stride);

  prepared.run({x.as<float>(), c.m, c.k, x_stride}, {workspace.data(), workspace.size()},
               {y.as<float>(), c.m, c.n, y_stride});

  Values got(c.m, c.n);
  std::int64_t stray = 0;
  for (std::int64_t m = 0; m < c.m; ++m) {
    const float* row = y.as<float>() + m * y_stride;
    std::copy_n(row, c.n, got.view().row(m));
    for (std::int64_t i = c.n; m + 1 < c.m && i < y_stride; ++i)
      stray += std::bit_cast<std::uint32_t>(row[i]) != kPoison;
  }
  EXPECT_EQ(stray, 0) << "values between the rows of y were written: " << c.describe();
  EXPECT_TRUE(x.surroundings_untouched()) << c.describe();
  EXPECT_TRUE(y.surroundings_untouched()) << c.describe();
  EXPECT_TRUE(workspace.surroundings_untouched()) << c.describe();
  return got;
}

Values run_guarded(const Kernel& kernel, const KernelCase& c, int threads) {
  const auto prepared = kernel.prepare(c.problem(c.m), c.weights, c.bias, {threads});
  return run_guarded(*prepared, c, c.n % 2 == 1);
}

void expect_contract(const Kernel& kernel, const KernelCase& c, const Values& got) {
  const Values expected = run_guarded(reference_for(c.scheme), c);
  if (kernel.info().contract == Contract::bit_exact) {
    EXPECT_EQ(different_bits(got, expected), 0) << c.describe();
    return;
  }
  const std::vector<double> limit = limits(c, kernel.info().contract);
  const Comparison comparison =
      compare(got.view(), expected.view(),
              {.absolute = 0, .relative = 0, .per_element = {limit.data(), c.m, c.n}});
  EXPECT_TRUE(comparison.passed()) << c.describe() << ": " << comparison.describe();
}

std::int64_t different_bits(const Values& a, const Values& b) {
  if (a.at.size() != b.at.size()) return std::numeric_limits<std::int64_t>::max();
  std::int64_t count = 0;
  for (std::size_t i = 0; i < a.at.size(); ++i)
    count += std::bit_cast<std::uint32_t>(a.at[i]) != std::bit_cast<std::uint32_t>(b.at[i]);
  return count;
}

}  // namespace qassay
