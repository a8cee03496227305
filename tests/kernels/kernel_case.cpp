#include "tests/kernels/kernel_case.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdlib>
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

/// The case with |x|, |bias| and weights of FP32 |value| (or unsigned_magnitudes): its outputs are
/// what rounding errors are measured against.
KernelCase magnitudes(const KernelCase& c, bool of_unsigned_codes) {
  KernelCase all = c;
  all.scheme = parse_scheme("FP32");
  all.weights = QuantMatrix{};
  all.weights.scheme = all.scheme;
  all.weights.n = c.n;
  all.weights.k = c.k;
  all.weights.values = of_unsigned_codes ? unsigned_magnitudes(c.weights) : dequantize(c.weights);
  for (std::vector<float>* numbers : {&all.x.at, &all.weights.values, &all.bias}) {
    for (float& number : *numbers) number = std::fabs(number);
  }
  return all;
}

/// reordered: FP32 sums of k products and a bias in any order. Three roundings more: a weight that
/// is decoded with another rounding of code * scale, the scale applied after the sum, the output.
/// fine_codes: activations on a grid with 2 * 32,639 steps for each group besides.
/// approximate: activations (and outputs of pairs) rounded to BF16 besides, half a unit in the 8th
/// bit each, or of groups to that grid, which is finer but for the smallest of a group.
/// two_parts: three products for each, and what is left out.
/// All: results below FLT_MIN lose bits, or are flushed to zero with the inputs below it.
std::vector<double> limits_of_floats(const KernelCase& c, Contract contract) {
  const KernelCase all = magnitudes(c, contract == Contract::reordered && c.scheme.blocks_input());
  const Values sums = run_guarded(reference_for(all.problem(c.m)), all);
  std::vector<double> limits(sums.at.begin(), sums.at.end());
  float largest = 1;
  for (const float w : dequantize(c.weights)) largest = std::max(largest, std::fabs(w));
  const bool parts = contract == Contract::two_parts;
  const double rounded = contract == Contract::approximate ? 0x1p-8 : parts ? kTwoPartsRoundoff : 0;
  const std::int64_t products = c.k * (parts ? kTwoPartsProducts : 1);
  const double underflow = contract != Contract::reordered
                               ? static_cast<double>(products) * FLT_MIN * largest
                               : static_cast<double>(c.k) * FLT_TRUE_MIN;
  for (double& limit : limits)
    limit = dot_product_limit(products + 4, limit) + rounded * limit + underflow;
  const bool may_have_codes = contract == Contract::fine_codes || contract == Contract::approximate;
  if (may_have_codes && c.scheme.weights.per == Granularity::block) {
    KernelCase codes = all;
    codes.bias.clear();
    codes.x.at = block_largest(c.x.view(), c.scheme.weights.block);
    const Values of_codes = run_guarded(reference_for(codes.problem(c.m)), codes);
    for (std::size_t i = 0; i < limits.size(); ++i) limits[i] += kFineCodeRoundoff * of_codes.at[i];
  }
  return limits;
}

/// Static int8 activations, reordered: both kernels sum the products of codes exactly, the
/// reference c = code - 128 and others perhaps code - zero, and what is added to a channel makes up
/// for it. So nothing that is rounded is larger than
///   |bias| + sum of scale |w| (|c| + |128 - zero|)      |c| <= 128
/// and each kernel rounds it at most: the sum to FP32, the product of two scales, the product with
/// them, the bias divided by them (2: the quotient and the scales in it), the sum with the bias,
/// the value of a weight within the offset, the offset: 8 a kernel.
std::vector<double> limits_of_codes(const KernelCase& c) {
  const Grid& input = c.weights.input;
  const double largest = static_cast<double>(input.scale) * (128 + std::abs(128 - input.zero));
  const std::vector<float> w = dequantize(c.weights);
  std::vector<double> of_channel;
  for (std::int64_t n = 0; n < c.n; ++n) {
    double sum = c.bias.empty() ? 0.0 : std::fabs(c.bias[static_cast<std::size_t>(n)]);
    for (std::int64_t k = 0; k < c.k; ++k)
      sum += largest * std::fabs(w[static_cast<std::size_t>(n * c.k + k)]);
    of_channel.push_back(dot_product_limit(16, sum));
  }
  std::vector<double> limits;
  for (std::int64_t i = 0; i < c.m * c.problem(c.m).outputs(); ++i)
    limits.push_back(of_channel[static_cast<std::size_t>(i % c.n)]);
  return limits;
}

}  // namespace

const std::vector<KernelLibrary>& built_libraries() {
  static const std::vector<KernelLibrary> libraries = [] {
    constexpr int kKeep = 0;  // what the caller set
    setenv("QASSAY_PEERS", QASSAY_FETCHED_PEERS, kKeep);
    std::vector<KernelLibrary> all;
    for (const auto& path : default_kernel_libraries()) all.emplace_back(path);
    return all;
  }();
  return libraries;
}

const KernelLibrary& built_kernels() { return built_libraries().front(); }

const Kernel& reference_for(const Problem& problem) {
  const bool integer = problem.scheme.quantizes_input();
  const char* const linear = problem.scheme.blocks_input() ? "linear_a8g_any_f32_reference"
                             : integer                     ? "linear_a8r_any_f32_reference"
                                                           : "linear_f32_any_f32_reference";
  const char* const conv = integer ? "conv_a8t_any_f32_reference" : "conv_f32_any_f32_reference";
  const Kernel* kernel = built_kernels().find(problem.convolution ? conv : linear);
  if (kernel == nullptr) throw std::logic_error("the library has no reference kernels");
  return *kernel;
}

std::vector<const Kernel*> rows_named(std::string_view prefix) {
  std::vector<const Kernel*> rows;
  for (const KernelLibrary& library : built_libraries()) {
    for (const Kernel* kernel : library.table().kernels) {
      if (kernel->info().name.starts_with(prefix)) rows.push_back(kernel);
    }
  }
  return rows;
}

void PrintTo(const Kernel* kernel, std::ostream* out) { *out << kernel->info().name; }

bool cpu_runs(Isa isa) {
  static const std::vector<Isa> isas = supported_isas();
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

std::string KernelCase::describe() const {
  std::string text = fmt::format("{} m={} n={} k={}{}", to_string(scheme), m, n, k,
                                 bias.empty() ? "" : " with bias");
  if (!convolution) return text;
  const Convolution& c = *convolution;
  return text + fmt::format(", image {}x{}x{}, kernel {}x{}, stride {}, padding {}, groups {}",
                            c.height, c.width, c.channels, c.kernel_height, c.kernel_width,
                            c.stride, c.padding, c.groups);
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
  // Symmetric grids of ours leave code 0 unused; checkpoints of others do not.
  for (std::size_t i = 0; i < c.weights.codes.size(); i += 11) c.weights.codes[i] = 0;
  if (bias) {
    c.bias.resize(static_cast<std::size_t>(n));
    fill_normal(c.bias, seed + 2, x_deviation * w_deviation);
  }
  return c;
}

KernelCase normal_convolution(const Scheme& scheme, std::int64_t m, std::int64_t n,
                              const Convolution& convolution, bool bias, float x_mean) {
  KernelCase c = normal_case(convolution_scheme(scheme), m, n, convolution.k(), bias);
  c.convolution = convolution;
  c.x = Values(m, convolution.features());
  fill_normal(c.x.at, seed_from_name(c.describe()), 1);
  for (float& number : c.x.at) number += x_mean;
  if (c.scheme.quantizes_input()) {
    const auto [min, max] = std::minmax_element(c.x.at.begin(), c.x.at.end());
    c.weights.input = asymmetric_grid(0.9F * *min, 0.9F * *max, 8, DType::f32);
  }
  return c;
}

Values run_guarded(Prepared& prepared, const KernelCase& c, bool last) {
  const std::int64_t inputs = c.problem(c.m).inputs();
  const std::int64_t outputs = c.problem(c.m).outputs();
  const std::int64_t x_stride = inputs + 3;
  const std::int64_t y_stride = outputs + 5;
  const auto floats = [](std::int64_t count) {
    return static_cast<std::size_t>(count) * sizeof(float);
  };
  const GuardedMemory x(floats((c.m - 1) * x_stride + inputs), sizeof(float), last);
  const GuardedMemory y(floats((c.m - 1) * y_stride + outputs), sizeof(float), last);
  const GuardedMemory workspace(prepared.workspace_bytes(), 64, last);
  poison(x.as<float>(), static_cast<std::int64_t>(x.size() / sizeof(float)));
  poison(y.as<float>(), static_cast<std::int64_t>(y.size() / sizeof(float)));
  std::fill_n(workspace.data(), workspace.size(), std::byte{0xFF});
  for (std::int64_t m = 0; m < c.m; ++m)
    std::copy_n(c.x.view().row(m), inputs, x.as<float>() + m * x_stride);

  prepared.run({x.as<float>(), c.m, inputs, x_stride}, {workspace.data(), workspace.size()},
               {y.as<float>(), c.m, outputs, y_stride});

  Values got(c.m, outputs);
  std::int64_t stray = 0;
  for (std::int64_t m = 0; m < c.m; ++m) {
    const float* row = y.as<float>() + m * y_stride;
    std::copy_n(row, outputs, got.view().row(m));
    for (std::int64_t i = outputs; m + 1 < c.m && i < y_stride; ++i)
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
  const Values expected = run_guarded(reference_for(c.problem(c.m)), c);
  if (kernel.info().contract == Contract::bit_exact) {
    EXPECT_EQ(different_bits(got, expected), 0) << c.describe();
    return;
  }
  const bool codes = c.scheme.input.range == Range::fixed;
  const std::vector<double> limit =
      codes ? limits_of_codes(c) : limits_of_floats(c, kernel.info().contract);
  const Comparison comparison =
      compare(got.view(), expected.view(),
              {.absolute = 0, .relative = 0, .per_element = {limit.data(), got.rows, got.cols}});
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
