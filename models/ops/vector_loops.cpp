// Compiled with contraction of a * b + c, and not together with other files (CMakeLists.txt). Every
// exported function exists once for each instruction set of QASSAY_CLONES; what they share is
// inlined into each. A vector has 16 floats: one register of AVX-512, two of AVX2.

#include "models/ops/vector_loops.hpp"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#define QASSAY_CLONES __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define QASSAY_CLONES
#endif
#define QASSAY_INLINE [[gnu::always_inline]] inline

namespace qassay {
namespace {

constexpr std::int64_t kWidth = 16;

using Floats [[gnu::vector_size(64)]] = float;
using Ints [[gnu::vector_size(64)]] = std::int32_t;
using Halves [[gnu::vector_size(32)]] = Half;
using Bytes [[gnu::vector_size(16)]] = std::int8_t;

template <typename Vector, typename T>
QASSAY_INLINE void load(const T* from, Vector& to) {
  std::memcpy(&to, from, sizeof to);
}

QASSAY_INLINE void widen(const float* from, Floats& to) { load(from, to); }
/// A loop, of which GCC 12 makes one instruction; of a conversion of vectors it makes one a number.
template <typename T>
QASSAY_INLINE void widen_whole(const T* from, Ints& to) {
  std::int32_t line[kWidth];
  for (int i = 0; i < kWidth; ++i) line[i] = +from[i];
  std::memcpy(&to, line, sizeof to);
}

QASSAY_INLINE void widen(const std::int8_t* from, Floats& to) {
  Ints whole;
  widen_whole(from, whole);
  to = __builtin_convertvector(whole, Floats);
}
/// The exponent is moved by a multiplication, which is exact for subnormal numbers too.
QASSAY_INLINE void widen(const Half* from, Floats& to) {
  Ints bits;
  widen_whole(from, bits);
  const Ints wide = ((bits & 0x7FFF) << 13) | ((bits & 0x8000) << 16);
  Floats small;
  std::memcpy(&small, &wide, sizeof small);
  to = small * 0x1p112F;
}

/// kRows rows of kVectors vectors of columns: as many sums as hide how long one addition takes.
template <int kRows, int kVectors, typename B>
QASSAY_INLINE void tile(const Product& p, const float* a, const B* b, float* c) {
  Floats sum[kRows][kVectors];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j) {
      if (p.add) {
        load(c + i * p.c_row + j * kWidth, sum[i][j]);
      } else {
        sum[i][j] = Floats{};
      }
    }
  }
  for (std::int64_t k = 0; k < p.k; ++k) {
    Floats line[kVectors];
    for (int j = 0; j < kVectors; ++j) widen(b + k * p.b_row + j * kWidth, line[j]);
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kVectors; ++j) sum[i][j] += a[i * p.a_row + k * p.a_col] * line[j];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j)
      std::memcpy(c + i * p.c_row + j * kWidth, &sum[i][j], sizeof sum[i][j]);
  }
}

/// The columns that fill no vector. What a row of b lacks is taken from the next one and not kept;
/// behind the last row there is nothing to read.
template <int kRows, typename B>
QASSAY_INLINE void narrow_tile(const Product& p, const float* a, const B* b, float* c,
                               std::int64_t columns) {
  Floats sum[kRows];
  const std::size_t bytes = static_cast<std::size_t>(columns) * sizeof(float);
  for (int i = 0; i < kRows; ++i) {
    sum[i] = Floats{};
    if (p.add) std::memcpy(&sum[i], c + i * p.c_row, bytes);
  }
  const std::int64_t readable = p.b_row >= kWidth ? p.k - 1 : 0;
  Floats line;
  const auto add = [&](std::int64_t k) __attribute__((always_inline)) {
    for (int i = 0; i < kRows; ++i) sum[i] += a[i * p.a_row + k * p.a_col] * line;
  };
  for (std::int64_t k = 0; k < readable; ++k) {
    widen(b + k * p.b_row, line);
    add(k);
  }
  B copy[kWidth] = {};
  for (std::int64_t k = readable; k < p.k; ++k) {
    std::memcpy(copy, b + k * p.b_row, static_cast<std::size_t>(columns) * sizeof(B));
    widen(copy, line);
    add(k);
  }
  for (int i = 0; i < kRows; ++i) std::memcpy(c + i * p.c_row, &sum[i], bytes);
}

/// The columns from `column` on that fill kVectors vectors; then those that fill half as many.
template <int kRows, int kVectors, typename B>
QASSAY_INLINE void tiles(const Product& p, const float* a, const B* b, float* c,
                         std::int64_t column) {
  for (; column + kVectors * kWidth <= p.n; column += kVectors * kWidth)
    tile<kRows, kVectors>(p, a, b + column, c + column);
  if constexpr (kVectors > 1) {
    tiles<kRows, kVectors / 2>(p, a, b, c, column);
  } else if (column < p.n) {
    narrow_tile<kRows>(p, a, b + column, c + column, p.n - column);
  }
}

template <int kRows, typename B>
QASSAY_INLINE void rows(const Product& p, std::int64_t row, const B* b) {
  // A single row reads b as a stream.
  constexpr int kVectors = kRows == 1 ? 8 : 2;
  tiles<kRows, kVectors>(p, p.a + row * p.a_row, b, p.c + row * p.c_row, 0);
}

/// A row's sums are the same in every tile.
template <typename B>
QASSAY_INLINE void all_rows(const Product& p, const B* b) {
  constexpr int kTile = 6;
  std::int64_t row = 0;
  for (; row + kTile <= p.m; row += kTile) rows<kTile>(p, row, b);
  for (; row + 2 <= p.m; row += 2) rows<2>(p, row, b);
  for (; row < p.m; ++row) rows<1>(p, row, b);
}

/// x = n ln 2 + r with |r| <= ln 2 / 2; exp(r) by its Taylor polynomial of degree 7, whose
/// remainder is below 1e-8 there; n is added to its exponent, which gives a normal number for all x
/// that are not cut off.
QASSAY_INLINE Floats exponential(Floats x) {
  constexpr float kLowest = -87.33F, kHighest = 88.72F;
  constexpr float kLog2E = 1.44269504F, kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23: its last bit is worth 1
  const Floats low = Floats{} + kLowest;
  const Floats high = Floats{} + kHighest;
  Floats clipped = x < low ? low : x;
  clipped = clipped > high ? high : clipped;
  const Floats shifted = clipped * kLog2E + kRounder;
  const Floats n = shifted - kRounder;
  const Floats r = (clipped - n * kLn2High) - n * kLn2Low;
  Floats y = r * (1.0F / 5040) + 1.0F / 720;
  y = y * r + 1.0F / 120;
  y = y * r + 1.0F / 24;
  y = y * r + 1.0F / 6;
  y = y * r + 0.5F;
  y = y * r + 1.0F;
  y = y * r + 1.0F;
  Ints bits, exponent;
  std::memcpy(&bits, &y, sizeof bits);
  std::memcpy(&exponent, &shifted, sizeof exponent);
  bits += exponent << 23;  // the rounder's own bits leave at the top
  std::memcpy(&y, &bits, sizeof y);
  y = x < low ? Floats{} : y;
  return x <= high ? y : x * __builtin_inff();  // infinity, and NaN of NaN
}

/// By reference: clang takes no vector by value from a function of another instruction set.
QASSAY_INLINE void exponentiate(Floats& line, float largest, float scale) {
  line = exponential((line - largest) * scale);
}

/// What is in the lanes, pair by pair.
template <typename F>
QASSAY_INLINE float over_lanes(const Floats& line, F f) {
  float lanes[kWidth];
  std::memcpy(lanes, &line, sizeof lanes);
  for (std::int64_t half = kWidth / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half; ++i) lanes[i] = f(lanes[i], lanes[i + half]);
  }
  return lanes[0];
}

/// Of numbers, which are more than a NaN; n >= 1.
QASSAY_INLINE float largest_of(const float* x, std::int64_t n) {
  Floats most = Floats{} + x[0];
  Floats line;
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    load(x + i, line);
    most = line > most ? line : most;
  }
  if (i < n) {
    line = most;
    std::memcpy(&line, x + i, static_cast<std::size_t>(n - i) * sizeof(float));
    most = line > most ? line : most;
  }
  return over_lanes(
      most, [](float a, float b) __attribute__((always_inline)) { return a > b ? a : b; });
}

QASSAY_INLINE Floats sigmoid(Floats x) { return 1.0F / (1.0F + exponential(-x)); }

/// The derivative of x sigmoid(x).
QASSAY_INLINE Floats silu_derivative(Floats x) {
  const Floats s = sigmoid(x);
  return s * (1.0F + x * (1.0F - s));
}

constexpr float kGeluScale = 1.5957691216F;  // 2 sqrt(2 / pi): (1 + tanh u) / 2 = sigmoid(2 u)
constexpr float kGeluCube = 0.044715F;

QASSAY_INLINE Floats gelu_value(Floats x) {
  return x * sigmoid(kGeluScale * (x + kGeluCube * x * x * x));
}
QASSAY_INLINE Floats gelu_derivative(Floats x) {
  const Floats s = sigmoid(kGeluScale * (x + kGeluCube * x * x * x));
  return s + x * s * (1.0F - s) * kGeluScale * (1.0F + 3 * kGeluCube * x * x);
}

/// The share of the normal distribution below x: (1 + erf(x / sqrt(2))) / 2 (Abramowitz and Stegun
/// 1964, formula 7.1.26).
QASSAY_INLINE Floats normal_share(Floats x) {
  constexpr float kHalfRoot = 0.70710678118F;
  const Floats size = (x < 0.0F ? -x : x) * kHalfRoot;
  const Floats t = 1.0F / (1.0F + 0.3275911F * size);
  const Floats series =
      t * (0.254829592F +
           t * (-0.284496736F + t * (1.421413741F + t * (-1.453152027F + t * 1.061405429F))));
  const Floats beyond = 0.5F * series * exponential(-size * size);
  return x < 0.0F ? beyond : 1.0F - beyond;
}
QASSAY_INLINE Floats normal_slope(Floats x) {
  constexpr float kDensity = 0.3989422804F;  // 1 / sqrt(2 pi)
  return normal_share(x) + x * kDensity * exponential(-0.5F * x * x);
}

/// The rounding of an addition does the rounding of the numbers that are subnormal as halves; the
/// others round in their bits.
QASSAY_INLINE Halves halves_of(Floats x) {
  constexpr std::int32_t kSign = std::int32_t{1} << 31;
  constexpr std::int32_t kLargest = 0x477FE000;         // 65504
  constexpr std::int32_t kSmallestNormal = 0x38800000;  // 2^-14
  constexpr std::int32_t kHalf = 0x3F000000;            // 0.5, whose last place is 2^-24
  Ints bits;
  std::memcpy(&bits, &x, sizeof bits);
  const Ints sign = (bits >> 16) & 0x8000;
  bits &= ~kSign;
  bits = bits > kLargest ? Ints{} + kLargest : bits;
  Floats size;
  std::memcpy(&size, &bits, sizeof size);
  size += 0.5F;
  Ints small;
  std::memcpy(&small, &size, sizeof small);
  const Ints normal = (bits + 0xFFF + ((bits >> 13) & 1) - (112 << 23)) >> 13;
  const Ints half = (bits < kSmallestNormal ? small - kHalf : normal) | sign;
  return __builtin_convertvector(half, Halves);
}

/// Adding 1.5 * 2^23 leaves no place for a fraction.
QASSAY_INLINE Bytes codes_of(Floats x, float scale) {
  constexpr float kSteps = 127;
  constexpr float kWhole = 12582912;
  x = x / scale;
  x = x > kSteps ? Floats{} + kSteps : x;
  x = x < -kSteps ? Floats{} - kSteps : x;
  const Floats shifted = x + kWhole;
  Ints bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  return __builtin_convertvector(bits - 0x4B400000, Bytes);
}

template <typename T, typename F>
QASSAY_INLINE void store_as(const float* x, T* y, std::int64_t n, F f) {
  for (std::int64_t i = 0; i < n; i += kWidth) {
    const auto count = static_cast<std::size_t>(std::min(kWidth, n - i));
    Floats line{};
    std::memcpy(&line, x + i, count * sizeof(float));
    const auto converted = f(line);
    std::memcpy(y + i, &converted, count * sizeof(T));
  }
}

template <typename F>
QASSAY_INLINE void map(const float* x, float* y, std::int64_t n, F f) {
  std::int64_t i = 0;
  Floats line;
  for (; i + kWidth <= n; i += kWidth) {
    load(x + i, line);
    line = f(line);
    std::memcpy(y + i, &line, sizeof line);
  }
  if (i == n) return;
  const std::size_t bytes = static_cast<std::size_t>(n - i) * sizeof(float);
  line = Floats{};
  std::memcpy(&line, x + i, bytes);
  line = f(line);
  std::memcpy(y + i, &line, bytes);
}

template <typename F>
QASSAY_INLINE void map_two(const float* a, const float* b, float* y, std::int64_t n, F f) {
  std::int64_t i = 0;
  Floats line, other;
  for (; i + kWidth <= n; i += kWidth) {
    load(a + i, line);
    load(b + i, other);
    line = f(line, other);
    std::memcpy(y + i, &line, sizeof line);
  }
  if (i == n) return;
  const std::size_t bytes = static_cast<std::size_t>(n - i) * sizeof(float);
  line = other = Floats{};
  std::memcpy(&line, a + i, bytes);
  std::memcpy(&other, b + i, bytes);
  line = f(line, other);
  std::memcpy(y + i, &line, bytes);
}

/// Both halves of the line at `i`, of which `count` pairs are there.
QASSAY_INLINE void rotate_line(const float* x, const float* cosines, const float* sines, float sign,
                               float* y, std::int64_t half, std::int64_t i, std::int64_t count) {
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
  Floats first{}, second{}, cosine{}, sine{};
  std::memcpy(&first, x + i, bytes);
  std::memcpy(&second, x + half + i, bytes);
  std::memcpy(&cosine, cosines + i, bytes);
  std::memcpy(&sine, sines + i, bytes);
  sine *= sign;
  const Floats turned = first * cosine - second * sine;
  second = second * cosine + first * sine;
  std::memcpy(y + i, &turned, bytes);
  std::memcpy(y + half + i, &second, bytes);
}

}  // namespace

QASSAY_CLONES void multiply(const Product& shape, const float* b) { all_rows(shape, b); }
QASSAY_CLONES void multiply(const Product& shape, const Half* b) { all_rows(shape, b); }
QASSAY_CLONES void multiply(const Product& shape, const std::int8_t* b) { all_rows(shape, b); }

QASSAY_CLONES void softmax(float* x, std::int64_t n, float scale) {
  const float largest = largest_of(x, n);
  Floats sums{};
  std::int64_t i = 0;
  Floats line;
  for (; i + kWidth <= n; i += kWidth) {
    load(x + i, line);
    exponentiate(line, largest, scale);
    sums += line;
    std::memcpy(x + i, &line, sizeof line);
  }
  if (i < n) {
    const std::size_t bytes = static_cast<std::size_t>(n - i) * sizeof(float);
    line = Floats{} - __builtin_inff();
    std::memcpy(&line, x + i, bytes);
    exponentiate(line, largest, scale);
    sums += line;
    std::memcpy(x + i, &line, bytes);
  }
  const float sum = over_lanes(
      sums, [](float a, float b) __attribute__((always_inline)) { return a + b; });
  const float factor = 1 / sum;
  for (std::int64_t j = 0; j < n; ++j) x[j] *= factor;
}

QASSAY_CLONES void silu(const float* x, float* y, std::int64_t n) {
  map(
      x, y, n, [](Floats v) __attribute__((always_inline)) { return v * sigmoid(v); });
}
QASSAY_CLONES void silu_slope(const float* x, const float* dy, float* dx, std::int64_t n) {
  map_two(
      x, dy, dx, n, [](Floats v, Floats by_y) __attribute__((always_inline)) {
        return silu_derivative(v) * by_y;
      });
}
QASSAY_CLONES void gelu_tanh(const float* x, float* y, std::int64_t n) {
  map(
      x, y, n, [](Floats v) __attribute__((always_inline)) { return gelu_value(v); });
}
QASSAY_CLONES void gelu_tanh_slope(const float* x, const float* dy, float* dx, std::int64_t n) {
  map_two(
      x, dy, dx, n, [](Floats v, Floats by_y) __attribute__((always_inline)) {
        return gelu_derivative(v) * by_y;
      });
}
QASSAY_CLONES void gelu(const float* x, float* y, std::int64_t n) {
  map(
      x, y, n, [](Floats v) __attribute__((always_inline)) { return v * normal_share(v); });
}
QASSAY_CLONES void gelu_slope(const float* x, const float* dy, float* dx, std::int64_t n) {
  map_two(
      x, dy, dx, n,
      [](Floats v, Floats by_y) __attribute__((always_inline)) { return normal_slope(v) * by_y; });
}
QASSAY_CLONES void to_halves(const float* x, Half* y, std::int64_t n) {
  store_as(
      x, y, n, [](Floats v) __attribute__((always_inline)) { return halves_of(v); });
}
QASSAY_CLONES void to_codes(const float* x, float scale, std::int8_t* y, std::int64_t n) {
  if (scale == 0) {
    std::fill_n(y, n, std::int8_t{0});
    return;
  }
  store_as(
      x, y, n, [scale](Floats v) __attribute__((always_inline)) { return codes_of(v, scale); });
}
QASSAY_CLONES void exponentials(const float* x, float* y, std::int64_t n) {
  map(
      x, y, n, [](Floats v) __attribute__((always_inline)) { return exponential(v); });
}

QASSAY_CLONES void add(const float* a, const float* b, float* y, std::int64_t n) {
  map_two(
      a, b, y, n, [](Floats v, Floats w) __attribute__((always_inline)) { return v + w; });
}
QASSAY_CLONES void multiply(const float* a, const float* b, float* y, std::int64_t n) {
  map_two(
      a, b, y, n, [](Floats v, Floats w) __attribute__((always_inline)) { return v * w; });
}
QASSAY_CLONES void multiply(float factor, const float* a, const float* b, float* y,
                            std::int64_t n) {
  map_two(
      a, b, y,
      n, [factor](Floats v, Floats w) __attribute__((always_inline)) { return v * factor * w; });
}
QASSAY_CLONES void rotate(const float* x, const float* cosines, const float* sines, float sign,
                          float* y, std::int64_t half) {
  std::int64_t i = 0;
  for (; i + kWidth <= half; i += kWidth) rotate_line(x, cosines, sines, sign, y, half, i, kWidth);
  if (i < half) rotate_line(x, cosines, sines, sign, y, half, i, half - i);
}

QASSAY_CLONES float dot(const float* x, const float* y, std::int64_t n) {
  Floats sums{};
  Floats a, b;
  std::int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    load(x + i, a);
    load(y + i, b);
    sums += a * b;
  }
  float sum = 0;
  for (; i < n; ++i) sum += x[i] * y[i];
  for (int j = 0; j < kWidth; ++j) sum += sums[j];
  return sum;
}

}  // namespace qassay
