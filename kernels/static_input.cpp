#include "kernels/static_input.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "kernels/per_isa.hpp"

namespace qassay {
namespace {

/// codes[i] = grid.code(x[i]) ^ flip. Returns the largest |x| as its bit pattern, which orders like
/// the number, infinities and NaN on top. Limited, then rounded, as quantize_block of
/// core/grid.cpp does.
QASSAY_PER_ISA
std::int32_t code_run(const float* x, std::int64_t n, Grid grid, std::uint8_t flip,
                      std::uint8_t* codes) {
  // Adding and taking away 1.5 * 2^23 rounds to nearest, ties to even, without a call.
  constexpr float kRounder = 12582912.0F;
  const auto least = static_cast<float>(grid.low - grid.zero);
  const auto most = static_cast<float>(grid.high - grid.zero);
  std::int32_t largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int32_t bits = __builtin_bit_cast(std::int32_t, x[i]) & 0x7fffffff;
    largest = bits > largest ? bits : largest;
    const float exact = x[i] / grid.scale;
    const float raised = exact > least ? exact : least;
    const float limited = raised < most ? raised : most;
    const auto steps = static_cast<std::int32_t>((limited + kRounder) - kRounder);
    codes[i] = static_cast<std::uint8_t>((steps + grid.zero) ^ flip);
  }
  return largest;
}

constexpr std::int32_t kInfinityBits = 0x7f800000;

}  // namespace

void refuse_not_finite() {
  throw InputError("activations", "a value is not a finite number",
                   "check the model and its input for NaN and infinity");
}

std::vector<float> static_offsets(const QuantMatrix& weights, std::span<const float> bias) {
  std::vector<float> offsets;
  for (std::int64_t n = 0; n < weights.n; ++n) {
    double sum = 0;
    for (std::int64_t k = 0; k < weights.k; ++k) sum += weights.value(n, k);
    const double shift = static_cast<double>(weights.input.scale) * (weights.input.zero - 128);
    const double start = bias.empty() ? 0.0 : bias[static_cast<std::size_t>(n)];
    offsets.push_back(static_cast<float>(start - shift * sum));
  }
  return offsets;
}

void quantize_images(ConstMatrix x, const Convolution& convolution, std::int64_t border,
                     const Grid& input, CodeForm form, int threads, std::uint8_t* codes) {
  const auto flip = static_cast<std::uint8_t>(form);
  const auto zero = static_cast<std::uint8_t>(input.zero ^ flip);
  const std::int64_t height = convolution.height + 2 * border;
  const std::int64_t line = convolution.width * convolution.channels;
  const std::int64_t side = border * convolution.channels;
  bool finite = true;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(&& : finite)
  for (std::int64_t i = 0; i < x.rows * height; ++i) {
    const std::int64_t y = i % height - border;
    std::uint8_t* out = codes + i * (line + 2 * side);
    if (y < 0 || y >= convolution.height) {
      std::fill_n(out, line + 2 * side, zero);
      continue;
    }
    std::fill_n(out, side, zero);
    const std::int32_t largest =
        code_run(x.row(i / height) + y * line, line, input, flip, out + side);
    finite = finite && largest < kInfinityBits;
    std::fill_n(out + side + line, side, zero);
  }
  if (!finite) refuse_not_finite();
}

}  // namespace qassay
