#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "core/buffer.hpp"
#include "core/grid.hpp"
#include "core/half.hpp"
#include "core/seed.hpp"
#include "kernels/kernel_library.hpp"

namespace qassay {

// What the tests of other libraries' kernels share: the kernels, layers for them, and what a
// contract says of their output.

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

inline const KernelLibrary& library() {
  static const KernelLibrary kernels(default_kernel_library());
  return kernels;
}

inline bool is_adapter(std::string_view backend) {
  return backend == "onednn" || backend == "openblas";
}

inline std::vector<const Kernel*> adapters() {
  std::vector<const Kernel*> found;
  for (const Kernel* kernel : library().table().kernels) {
    const KernelInfo& info = kernel->info();
    if (is_adapter(info.backend) && info.name.starts_with("linear_")) found.push_back(kernel);
  }
  return found;
}

inline std::vector<float> normal_numbers(std::int64_t count, std::string_view name) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  fill_normal(numbers, seed_from_name(name), 1.0F);
  return numbers;
}

inline QuantMatrix blank(const Scheme& scheme, std::int64_t n, std::int64_t k) {
  QuantMatrix weights;
  weights.scheme = scheme;
  weights.n = n;
  weights.k = k;
  return weights;
}

inline QuantMatrix weights_of(const Scheme& scheme, std::int64_t n, std::int64_t k,
                              const std::vector<float>& values) {
  QuantMatrix weights = blank(scheme, n, k);
  if (scheme.weights.kind == Kind::f32) weights.values = values;
  if (scheme.weights.kind == Kind::bf16) {
    for (const float value : values) weights.halves.push_back(f32_to_bf16(value));
  }
  if (scheme.weights.kind == Kind::integer) {
    for (std::int64_t row = 0; row < n; ++row) {
      const float* const begin = values.data() + row * k;
      float max_abs = 0;
      for (std::int64_t i = 0; i < k; ++i) max_abs = std::max(max_abs, std::fabs(begin[i]));
      const Grid grid = symmetric_grid(max_abs, 8, DType::f32);
      weights.scales.push_back(grid.scale);
      for (std::int64_t i = 0; i < k; ++i) {
        weights.codes.push_back(static_cast<std::uint8_t>(grid.code(begin[i])));
      }
    }
  }
  return weights;
}

/// Rows with `gap` unused numbers after each, everything NaN at first.
class Rows {
 public:
  Rows(std::int64_t rows, std::int64_t cols, std::int64_t gap)
      : numbers_(static_cast<std::size_t>(rows * (cols + gap)), kNan),
        view_(numbers_.data(), rows, cols, cols + gap) {}

  Matrix view() const { return view_; }
  void fill(const std::vector<float>& dense) {
    for (std::int64_t i = 0; i < view_.rows; ++i)
      std::copy_n(dense.begin() + i * view_.cols, view_.cols, view_.row(i));
  }
  std::vector<float> dense() const {
    std::vector<float> all;
    for (std::int64_t i = 0; i < view_.rows; ++i)
      all.insert(all.end(), view_.row(i), view_.row(i) + view_.cols);
    return all;
  }
  bool gaps_untouched() const {
    for (std::int64_t i = 0; i < view_.rows; ++i) {
      for (std::int64_t j = view_.cols; j < view_.stride; ++j) {
        if (!std::isnan(view_.row(i)[j])) return false;
      }
    }
    return true;
  }

 private:
  std::vector<float> numbers_;
  Matrix view_;
};

/// Runs in a poisoned workspace of exactly the size asked for and looks behind its end.
inline void run(Prepared& prepared, ConstMatrix x, Matrix y) {
  constexpr std::size_t kGuard = 64;
  const std::size_t bytes = prepared.workspace_bytes();
  const Buffer workspace(bytes + kGuard);
  std::memset(workspace.data(), 0xff, bytes + kGuard);
  prepared.run(x, {workspace.data(), bytes}, y);
  for (std::size_t i = bytes; i < bytes + kGuard; ++i) {
    ASSERT_EQ(workspace.data()[i], std::byte{0xff}) << "wrote behind its workspace";
  }
}

inline std::vector<float> reference(const Scheme& scheme, const QuantMatrix& weights,
                                    const std::vector<float>& bias, std::vector<float> x) {
  const Kernel* const kernel = library().find(
      scheme.quantizes_input() ? "linear_a8r_any_f32_reference" : "linear_f32_any_f32_reference");
  const auto rows = static_cast<std::int64_t>(x.size()) / weights.k;
  const Problem problem{rows, weights.n, weights.k, scheme, !bias.empty()};
  const auto prepared = kernel->prepare(problem, weights, bias, Device{});
  Rows y(rows, weights.n, 0);
  run(*prepared, {x.data(), rows, weights.k}, y.view());
  return y.dense();
}

inline void expect_equal_bits(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(expected[i]))
        << "number " << i << ": " << got[i] << " for " << expected[i];
  }
}

/// |got - expected| <= factor * scale, each by number; never true of NaN.
inline void expect_near(const std::vector<float>& got, const std::vector<float>& expected,
                        double factor, const std::vector<float>& scale) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(got[i]) - expected[i]);
    ASSERT_TRUE(difference <= factor * scale[i])
        << "number " << i << ": " << got[i] << " for " << expected[i];
  }
}

/// What a kernel's contract says of its output for the rows of x; rows do not depend on each other.
///
/// The bound of a sum of k products in FP32, in any order, is (k + 2) * 2^-24 of the sum of their
/// magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1); the rounding
/// of the expected number to FP32 takes one more.
class Expectation {
 public:
  Expectation(const Kernel& kernel, const QuantMatrix& weights, const std::vector<float>& values,
              const std::vector<float>& bias, const std::vector<float>& x)
      : contract_(kernel.info().contract),
        order_(static_cast<double>(weights.k + 3) * 0x1p-24),
        expected_(reference(weights.scheme, weights, bias, x)) {
    if (contract_ == Contract::bit_exact) return;
    magnitudes_ =
        reference(weights.scheme, weights_of(weights.scheme, weights.n, weights.k, abs(values)),
                  abs(bias), abs(x));
    if (contract_ == Contract::reordered) return;
    std::vector<float> rounded = x;
    for (float& number : rounded) number = bf16_to_f32(f32_to_bf16(number));
    on_rounded_x_ = reference(weights.scheme, weights, bias, rounded);
  }

  /// `got`: the first rows.
  void holds_for(const std::vector<float>& got) const {
    switch (contract_) {
      case Contract::bit_exact:
        return expect_equal_bits(got, first(expected_, got.size()));
      case Contract::reordered:
        return expect_near(got, first(expected_, got.size()), order_, magnitudes_);
      case Contract::fine_codes:
      case Contract::two_parts:
        FAIL() << "no adapter's";
      case Contract::approximate:  // BF16: close, and much closer on rounded activations
        expect_near(got, first(expected_, got.size()), 0x1p-8 + 2 * order_, magnitudes_);
        expect_near(got, first(on_rounded_x_, got.size()), 2 * order_, magnitudes_);
    }
  }

 private:
  static std::vector<float> abs(std::vector<float> numbers) {
    for (float& number : numbers) number = std::fabs(number);
    return numbers;
  }
  static std::vector<float> first(const std::vector<float>& all, std::size_t count) {
    return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  Contract contract_;
  double order_;
  std::vector<float> expected_;
  std::vector<float> magnitudes_;    // of all that was summed
  std::vector<float> on_rounded_x_;  // approximate contract only
};

}  // namespace qassay
