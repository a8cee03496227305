#include "core/scheme.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <vector>

#include "core/error.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kMinBlock = 8;
constexpr std::int64_t kMaxBlock = 4096;

constexpr NumberFormat kF32{};
constexpr NumberFormat kF16{.kind = Kind::f16, .bits = 16};
constexpr NumberFormat kBf16{.kind = Kind::bf16, .bits = 16};
constexpr NumberFormat kInt8{.kind = Kind::integer, .bits = 8};
constexpr NumberFormat kStaticInt8{
    .kind = Kind::integer, .bits = 8, .per = Granularity::tensor, .zero_points = true};

[[noreturn]] void refuse(std::string_view place, std::string_view text, std::string_view fault) {
  throw InputError(place, fmt::format("scheme '{}' {}", text, fault),
                   "write FP32, FP16, BF16 or "
                   "W<2..8>A<8|16>[-tensor|-g<8..4096>][-asym][-static|-blocked], "
                   "such as W4A16-g128");
}

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || text.front() == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Scheme parse_scheme(std::string_view text, std::string_view place) {
  if (text == "FP32") return {kF32, {kF32, Range::none}};
  if (text == "FP16") return {kF16, {kF16, Range::none}};
  if (text == "BF16") return {kBf16, {kBf16, Range::none}};

  std::string_view rest = text;
  Scheme scheme;
  NumberFormat& weights = scheme.weights;
  weights.kind = Kind::integer;
  if (!take(rest, "W")) refuse(place, text, "is not known");
  const auto weight_bits = take_number(rest);
  if (!weight_bits || *weight_bits < 2 || *weight_bits > 8) {
    refuse(place, text, "has no weight width from 2 to 8 bits");
  }
  weights.bits = static_cast<int>(*weight_bits);

  if (!take(rest, "A")) refuse(place, text, "does not say its activations");
  const auto input_bits = take_number(rest);
  if (input_bits == 8) {
    scheme.input = {kInt8, Range::dynamic};
  } else if (input_bits == 16) {
    scheme.input = {kF16, Range::none};
  } else {
    refuse(place, text, "has activations that are neither 8 nor 16 bits wide");
  }

  if (take(rest, "-tensor")) {
    weights.per = Granularity::tensor;
  } else if (take(rest, "-g")) {
    const auto block = take_number(rest);
    if (!block || *block < kMinBlock || *block > kMaxBlock) {
      refuse(place, text, fmt::format("has no group from {} to {}", kMinBlock, kMaxBlock));
    }
    weights.per = Granularity::block;
    weights.block = *block;
    weights.scales = DType::f16;
  }
  if (take(rest, "-asym")) weights.zero_points = true;
  if (scheme.quantizes_input() && take(rest, "-static")) {
    scheme = convolution_scheme(scheme);
  } else if (scheme.quantizes_input() && weights.per == Granularity::block &&
             take(rest, "-blocked")) {
    scheme.input.number.per = Granularity::block;
    scheme.input.number.block = weights.block;
  }
  if (!rest.empty()) refuse(place, text, fmt::format("has an unknown ending '{}'", rest));
  // "W08A8" would be a second name of W8A8: a scheme has one text.
  if (to_string(scheme) != text) refuse(place, text, "is not in its shortest form");
  return scheme;
}

std::string to_string(const Scheme& scheme) {
  const NumberFormat& weights = scheme.weights;
  switch (weights.kind) {
    case Kind::f32:
      return "FP32";
    case Kind::f16:
      return "FP16";
    case Kind::bf16:
      return "BF16";
    case Kind::integer:
      break;
  }
  std::string text = fmt::format("W{}A{}", weights.bits, scheme.input.number.bits);
  if (weights.per == Granularity::tensor) text += "-tensor";
  if (weights.per == Granularity::block) text += fmt::format("-g{}", weights.block);
  if (weights.zero_points) text += "-asym";
  if (scheme.input.range == Range::fixed) text += "-static";
  if (scheme.blocks_input()) text += "-blocked";
  return text;
}

Scheme convolution_scheme(const Scheme& scheme) {
  if (!scheme.quantizes_input()) return scheme;
  return {scheme.weights, {kStaticInt8, Range::fixed}};
}

std::int64_t blocks_per_row(const NumberFormat& format, std::int64_t k) {
  return format.per == Granularity::block ? (k + format.block - 1) / format.block : 1;
}

double bits_per_number(const NumberFormat& format, std::int64_t k) {
  if (format.kind != Kind::integer || format.per == Granularity::tensor) return format.bits;
  const int of_block =
      (format.scales == DType::f16 ? 16 : 32) + (format.zero_points ? format.bits : 0);
  return format.bits +
         static_cast<double>(blocks_per_row(format, k) * of_block) / static_cast<double>(k);
}

}  // namespace qassay
