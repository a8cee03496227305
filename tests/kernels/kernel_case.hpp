#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "core/isa.hpp"
#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"
#include "kernels/kernel.hpp"
#include "kernels/kernel_library.hpp"

namespace qassay {

/// The library that this build made.
const KernelLibrary& built_kernels();
const Kernel& reference_for(const Scheme& scheme);
/// How GoogleTest prints a row: by its name.
void PrintTo(const Kernel* kernel, std::ostream* out);
bool cpu_runs(Isa isa);

/// A dense row-major matrix that owns its values.
struct Values {
  Values(std::int64_t rows_, std::int64_t cols_)
      : rows(rows_), cols(cols_), at(static_cast<std::size_t>(rows_ * cols_)) {}

  Matrix view() { return {at.data(), rows, cols}; }
  ConstMatrix view() const { return {at.data(), rows, cols}; }

  std::int64_t rows, cols;
  std::vector<float> at;
};

/// One product to compute, with its data.
struct KernelCase {
  std::int64_t m = 1;
  std::int64_t n = 1;
  std::int64_t k = 1;
  Scheme scheme;
  Values x;
  QuantMatrix weights;
  std::vector<float> bias;  // n, or empty

  Problem problem(std::int64_t m_max) const {
    return {.m_max = m_max, .n = n, .k = k, .scheme = scheme, .bias = !bias.empty()};
  }
  std::string describe() const;
};

/// Normal x and weights of the given deviations, the weights rounded to the nearest, from a seed
/// made of the shape and scheme.
KernelCase normal_case(const Scheme& scheme, std::int64_t m, std::int64_t n, std::int64_t k,
                       bool bias, float x_deviation = 1, float w_deviation = 0.02F);

/// The kernel's output for the case. On the way: x and y have rows wider than their matrix, with
/// poison between them, and lie at guarded pages as the workspace does; y and the workspace hold
/// NaN before. Whatever is written outside of y's matrix is a failure of the running test.
Values run_guarded(Prepared& prepared, const KernelCase& c, bool last);
Values run_guarded(const Kernel& kernel, const KernelCase& c, int threads = 1);

/// Compares with the reference kernel, as the kernel's contract says.
void expect_contract(const Kernel& kernel, const KernelCase& c, const Values& got);

/// Number of values whose bits differ.
std::int64_t different_bits(const Values& a, const Values& b);

}  // namespace qassay
