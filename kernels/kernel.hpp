#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/convolution.hpp"
#include "core/error.hpp"
#include "core/isa.hpp"
#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"
#include "core/scheme.hpp"

namespace qassay {

/// How a kernel's output relates to the reference kernel's of the same activation format:
///   bit_exact    equal bits
///   reordered    the same products, summed in another order or precision
///   fine_codes   reordered, and activations rounded to codes of 16 bits, scaled by group of the
///                weights (core/compare.hpp, kFineCodeRoundoff)
///   two_parts    reordered, activations and weights as sums of two BF16 numbers, less the product
///                of the smaller ones (kTwoPartsRoundoff)
///   approximate  other products too (e.g. activations rounded to BF16)
enum class Contract { bit_exact, reordered, fine_codes, two_parts, approximate };

inline std::string_view to_string(Contract contract) {
  switch (contract) {
    case Contract::bit_exact:
      return "bit-exact";
    case Contract::reordered:
      return "reordered";
    case Contract::fine_codes:
      return "fine-codes";
    case Contract::two_parts:
      return "two-parts";
    case Contract::approximate:
      return "approximate";
  }
  return "unknown";
}

/// The problem that a kernel may accept or refuse, 1 <= m <= m_max; x and y row-major FP32:
///   linear       y[m,n] = x[m,k] * W[n,k]^T + bias[n]
///   convolution  a row of x is an image[height, width, channels], a row of y one of
///                [out_height, out_width, n] (core/convolution.hpp)
struct Problem {
  std::int64_t m_max = 1;
  std::int64_t n = 0;
  std::int64_t k = 0;
  Scheme scheme;
  bool bias = false;
  std::optional<Convolution> convolution = std::nullopt;  // with its k() as k

  std::int64_t inputs() const { return convolution ? convolution->features() : k; }
  std::int64_t outputs() const { return convolution ? convolution->out_pixels() * n : n; }
};

/// Where and with how many threads a kernel runs.
struct Device {
  int threads = 1;
};

/// What a call moves and computes, for the roofline.
struct Traffic {
  double weight_bytes = 0;      // read once a call
  double activation_bytes = 0;  // input read and output written
  double operations = 0;        // 2 * m * n * k, times the pixels of a convolution
  enum class Unit { f32, bf16, int16, int8 } unit = Unit::f32;  // whose peak bounds it
};

struct KernelInfo {
  std::string_view name;     // linear_ or conv_<act>_<weight>_<out>_<tile>_<isa>, README.md
  std::string_view backend;  // "cpu", "onednn", "openblas", "ggml", ..., "reference"
  Isa isa = Isa::any;        // needed to run; libraries choose theirs themselves (any)
  Contract contract = Contract::reordered;
};

/// The clock of a device that is not the host.
class DeviceClock {
 public:
  virtual ~DeviceClock() = default;
  /// Seconds for each of `calls` calls, one after another, on the x of the last run(): what that
  /// does on the device, without what goes between the host and the device. `cold`: each call reads
  /// its weights from the device's memory, for they are in no cache.
  virtual double seconds(std::int64_t calls, bool cold) = 0;
  /// The most that the device was seen to read from its memory, now.
  virtual double read_bytes_per_second() = 0;
};

/// Weights packed for a kernel, with everything a call needs. Not safe for two calls at once.
class Prepared {
 public:
  virtual ~Prepared() = default;

  /// Bytes of the packed weights: codes, scales, zero points, padding, bias.
  virtual std::size_t packed_bytes() const = 0;
  /// The pieces of memory that they lie in, where those are known; else none. Cold measurements
  /// drop them from the caches.
  virtual std::vector<std::span<const std::byte>> packed() const { return {}; }
  /// Bytes that a call with up to m_max rows needs; 64-byte aligned.
  virtual std::size_t workspace_bytes() const = 0;
  virtual Traffic traffic(std::int64_t m) const = 0;
  /// What really runs, as the library names it.
  virtual std::string implementation() const = 0;

  /// The two halves of a timed whole. The first rewrites x as the kernel's input format into the
  /// workspace (nothing to do for kernels that take FP32); the second computes y. x is the same in
  /// both.
  virtual void quantize_input(ConstMatrix x, std::span<std::byte> workspace) = 0;
  virtual void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) = 0;
  void run(ConstMatrix x, std::span<std::byte> workspace, Matrix y) {
    quantize_input(x, workspace);
    multiply(x, workspace, y);
  }

  /// Where the kernel runs on a device, whose clock times it in place of the caller's; else
  /// nullptr.
  virtual DeviceClock* clock() { return nullptr; }

  /// The same weights at another place in memory: cold measurements rotate through copies.
  virtual std::unique_ptr<Prepared> copy() const = 0;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual const KernelInfo& info() const = 0;
  virtual std::optional<Refusal> accepts(const Problem& problem) const = 0;
  /// Packs; never timed. Precondition: accepts(problem) is empty. `bias`: n values, or empty.
  virtual std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                            std::span<const float> bias,
                                            const Device& device) const = 0;
};

/// A family of kernels, or why it is not there.
struct Backend {
  std::string_view name;
  std::string_view version;  // of the library behind it; empty for our own
  std::string_view missing;  // the reason when it is not in this build or was not found; else empty
  /// Its library keeps threads of its own. Those and OpenMP's would disturb each other while they
  /// wait for work, so such a backend is timed in a process of its own.
  bool own_threads = false;
};

/// What the shared library of kernels hands out. Kernels are in order of preference.
struct KernelTable {
  int interface_version = 0;
  std::span<const Kernel* const> kernels;
  std::span<const Backend> backends;
};

/// Raised with every change of this header's layout: a library of another version is refused.
inline constexpr int kKernelInterfaceVersion = 8;

/// Name of the single symbol that the shared library exports.
inline constexpr const char* kKernelTableSymbol = "qassay_kernel_table";

}  // namespace qassay

extern "C" __attribute__((visibility("default"))) const qassay::KernelTable* qassay_kernel_table();
