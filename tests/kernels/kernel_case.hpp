#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/isa.hpp"
#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"
#include "kernels/kernel.hpp"
#include "kernels/kernel_library.hpp"

namespace qassay {

/// The library that this build made, with the peers that QASSAY_PEERS or else scripts/fetch-peers
/// has for it.
const KernelLibrary& built_kernels();
/// That, and the library of CUDA kernels where this build has one.
const std::vector<KernelLibrary>& built_libraries();
/// The reference kernel of the problem's kind of layer and activations.
const Kernel& reference_for(const Problem& problem);
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

/// One layer to compute, with its data.
struct KernelCase {
  std::int64_t m = 1;
  std::int64_t n = 1;
  std::int64_t k = 1;
  Scheme scheme;
  Values x;
  QuantMatrix weights;
  std::vector<float> bias;  // n, or empty
  std::optional<Convolution> convolution = std::nullopt;

  Problem problem(std::int64_t m_max) const {
    return {.m_max = m_max,
            .n = n,
            .k = k,
            .scheme = scheme,
            .bias = !bias.empty(),
            .convolution = convolution};
  }
  std::string describe() const;
};

/// Normal x and weights of the given deviations, the weights rounded to the nearest, from a seed
/// made of the shape and scheme.
KernelCase normal_case(const Scheme& scheme, std::int64_t m, std::int64_t n, std::int64_t k,
                       bool bias, float x_deviation = 1, float w_deviation = 0.02F);

/// The same for images and a convolution in `scheme` (with static activations where it has int8
/// ones), whose calibrated range is that of x, cut by a tenth at its ends. `x_mean`: of x, which
/// moves the zero of the range.
KernelCase normal_convolution(const Scheme& scheme, std::int64_t m, std::int64_t n,
                              const Convolution& convolution, bool bias, float x_mean = 0);

/// The kernel's output for the case. On the way: x and y have rows wider than their matrix, with
/// poison between them, and lie at guarded pages as the workspace does; y and the workspace hold
/// NaN before. Whatever is written outside of y's matrix is a failure of the running test.
Values run_guarded(Prepared& prepared, const KernelCase& c, bool last);
Values run_guarded(const Kernel& kernel, const KernelCase& c, int threads = 1);

/// Every row of the table whose name begins so.
std::vector<const Kernel*> rows_named(std::string_view prefix);

/// Compares with the reference kernel, as the kernel's contract says.
void expect_contract(const Kernel& kernel, const KernelCase& c, const Values& got);

/// Number of values whose bits differ.
std::int64_t different_bits(const Values& a, const Values& b);

}  // namespace qassay
