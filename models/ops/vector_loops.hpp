#pragma once

#include <cstdint>

namespace qassay {

// The inner loops of the operators on sequences, compiled for several instruction sets of which the
// best one is taken at run time. Results may differ in their last bits between those sets, but not
// with the number of threads. NaN in gives NaN out.

/// The bits of an IEEE binary16 number.
using Half = std::uint16_t;

/// c[m,n] = sum over k of a[m,k] b[k,n], added to c where `add` is set. Elements of a are `a_row`
/// apart along m and `a_col` along k, rows of b `b_row`, rows of c `c_row`. b may be stored as
/// int8 codes: scales are the caller's to apply.
struct Product {
  std::int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  std::int64_t a_row = 0, a_col = 1;
  std::int64_t b_row = 0;
  float* c = nullptr;
  std::int64_t c_row = 0;
  bool add = false;
};
void multiply(const Product& shape, const float* b);
void multiply(const Product& shape, const Half* b);  // finite numbers only
void multiply(const Product& shape, const std::int8_t* b);

/// x[i] = exp(scale (x[i] - largest)) / sum of those, in place; n >= 1.
void softmax(float* x, std::int64_t n, float scale);

/// y = f(x) and dx = dy f'(x), number by number; y may be x, and dx dy.
void silu(const float* x, float* y, std::int64_t n);
void silu_slope(const float* x, const float* dy, float* dx, std::int64_t n);
void gelu_tanh(const float* x, float* y, std::int64_t n);
void gelu_tanh_slope(const float* x, const float* dy, float* dx, std::int64_t n);

/// x Phi(x), of the normal distribution, within 3e-7 |x|.
void gelu(const float* x, float* y, std::int64_t n);
void gelu_slope(const float* x, const float* dy, float* dx, std::int64_t n);

/// y = x rounded to the nearest, ties to even: to binary16, of which larger numbers become the
/// largest; and to codes, x / scale from -127 to 127, all 0 where the scale is. Finite numbers
/// only.
void to_halves(const float* x, Half* y, std::int64_t n);
void to_codes(const float* x, float scale, std::int8_t* y, std::int64_t n);

/// exp(x) of each, within 2 units in the last place; 0 below -87.3, infinity above 88.7.
void exponentials(const float* x, float* y, std::int64_t n);

/// y = a + b, y = a b and y = factor a b, number by number; y may be a or b.
void add(const float* a, const float* b, float* y, std::int64_t n);
void multiply(const float* a, const float* b, float* y, std::int64_t n);
void multiply(float factor, const float* a, const float* b, float* y, std::int64_t n);

/// Turns the pairs (x[i], x[i + half]) by angles whose cosines and sines are given, in place or
/// not; backwards where `sign` is -1.
void rotate(const float* x, const float* cosines, const float* sines, float sign, float* y,
            std::int64_t half);

/// Sum of x[i] y[i] in FP32, in 16 parts.
float dot(const float* x, const float* y, std::int64_t n);

}  // namespace qassay
