#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qassay {

enum class Kind { f32, f16, bf16, integer };
/// What shares one scale. A row is an output channel of weights or a token of activations.
enum class Granularity { tensor, row, block };
enum class DType { f32, f16 };

/// What the numbers of one tensor are.
struct NumberFormat {
  Kind kind = Kind::f32;
  int bits = 32;
  Granularity per = Granularity::row;  // of the scales; integer kinds only
  std::int64_t block = 0;              // elements along k that share a scale; 0 unless per == block
  bool zero_points = false;            // asymmetric
  DType scales = DType::f32;  // storage of the scales; codes are chosen against the rounded scale

  bool operator==(const NumberFormat&) const = default;
};

/// How the range of quantized activations is found:
///   dynamic  from the data at run time, per row (token) or per block of a row, symmetric
///   fixed    from calibration data beforehand, per tensor, asymmetric (u8)
enum class Range { none, dynamic, fixed };

struct ActivationFormat {
  NumberFormat number;
  Range range = Range::none;

  bool operator==(const ActivationFormat&) const = default;
};

/// What the numbers of one layer are. The text form is the name used everywhere:
///
///   FP32 | FP16 | BF16 | W<bits>A<8|16>[-tensor|-g<N>][-asym][-static|-blocked]
///                                                                   bits: 2..8, N: 8..4096
///
/// Left out is the default: weights symmetric per output channel with FP32 scales; A8 means int8,
/// dynamic, symmetric, per token; A16 means activations that are not quantized. Blocks (-g) have
/// FP16 scales. -static: A8 with a range that was calibrated, unsigned and asymmetric, one for the
/// tensor. -blocked: A8 with -g<N>, the activations with an FP32 scale for each of the blocks that
/// the weights have along k (quantize_row_blocked of core/grid.hpp). parse and print round-trip.
struct Scheme {
  NumberFormat weights;
  ActivationFormat input;

  bool quantizes_input() const { return input.range != Range::none; }
  bool blocks_input() const { return input.number.per == Granularity::block; }
  bool operator==(const Scheme&) const = default;
};

/// Throws InputError naming `place` when the text is no scheme or one that does not exist.
Scheme parse_scheme(std::string_view text, std::string_view place = "scheme");
std::string to_string(const Scheme& scheme);

/// What a model's scheme means for its convolutions: int8 activations are static there.
Scheme convolution_scheme(const Scheme& scheme);

/// Number of scales along a row of k elements; the last block may be short.
std::int64_t blocks_per_row(const NumberFormat& format, std::int64_t k);

/// Bits that one number takes in rows of k: its code and its share of scales and zero points, which
/// are as wide as codes. One scale for a whole tensor counts as none. Kernels may hold codes wider.
double bits_per_number(const NumberFormat& format, std::int64_t k);

}  // namespace qassay
