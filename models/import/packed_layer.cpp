#include "models/import/packed_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/half.hpp"
#include "models/import/packed_codes.hpp"

namespace qassay {
namespace {

constexpr std::string_view kDamaged = "copy or download the file again";

template <typename T>
std::vector<T> transposed(const std::vector<T>& values, std::int64_t rows, std::int64_t columns) {
  const auto height = static_cast<std::size_t>(rows), width = static_cast<std::size_t>(columns);
  std::vector<T> turned(values.size());
  for (std::size_t row = 0; row < height; ++row) {
    for (std::size_t column = 0; column < width; ++column)
      turned[column * height + row] = values[row * width + column];
  }
  return turned;
}

/// The tensors of one layer.
class LayerReader {
 public:
  LayerReader(const TensorFiles& files, const std::string& name, std::int64_t n, std::int64_t k,
              const QuantizationConfig& config)
      : files_(files), name_(name), n_(n), k_(k), config_(config) {
    QuantizationConfig with_zeros = config;
    with_zeros.symmetric = false;
    scheme_ = scheme_of(with_zeros);
    groups_ = blocks_per_row(scheme_.weights, k);
    per_word_ = 32 / config.bits;
    const std::int64_t packed_inputs = config.layout == PackedLayout::gptq ? k : per_word_;
    if (n % per_word_ != 0 || packed_inputs % per_word_ != 0) {
      throw InputError(files.place_of(tensor("qweight")),
                       fmt::format("is of a layer [{}, {}], which codes of {} bits do not fill", n,
                                   k, config.bits),
                       "give the layer in floating point, or correct config.json");
    }
  }

  QuantMatrix read() const {
    check_groups();
    return {.scheme = scheme_,
            .n = n_,
            .k = k_,
            .values = {},
            .halves = {},
            .codes = codes(),
            .scales = scales(),
            .zero_points = zero_points(),
            .input = {}};
  }

 private:
  std::string tensor(std::string_view own) const { return fmt::format("{}.{}", name_, own); }
  [[noreturn]] void refuse(std::string_view own, std::string_view fault,
                           std::string_view mend = kDamaged) const {
    throw InputError(files_.place_of(tensor(own)), fault, mend);
  }

  std::vector<std::uint32_t> words(std::string_view own,
                                   const std::vector<std::int64_t>& dims) const {
    const TensorEntry& entry = files_.entry(tensor(own), dims);
    if (entry.dtype != "I32")
      refuse(own, fmt::format("has values of type {} instead of I32", excerpt(entry.dtype)));
    std::vector<std::uint32_t> values(entry.bytes.size() / sizeof(std::uint32_t));
    if (!values.empty()) std::memcpy(values.data(), entry.bytes.data(), entry.bytes.size());
    return values;
  }

  std::vector<std::uint8_t> codes() const {
    const int bits = config_.bits;
    return transposed(
        config_.layout == PackedLayout::gptq
            ? unpack_rows(words("qweight", {k_ / per_word_, n_}), k_, n_, bits)
            : unpack_columns(words("qweight", {k_, n_ / per_word_}), k_, n_, bits, WordOrder::awq),
        k_, n_);
  }

  std::vector<float> scales() const {
    const std::vector<float> values = files_.tensor(tensor("scales"), {groups_, n_}).values;
    const bool halves = scheme_.weights.scales == DType::f16;
    const auto most = std::numeric_limits<float>::max() / static_cast<float>(1 << config_.bits);
    for (const float scale : values) {
      if (std::signbit(scale) || scale > most) refuse("scales", fmt::format("has {}", scale));
      if (halves && f16_to_f32(f32_to_f16(scale)) != scale) {
        refuse("scales", fmt::format("has {}, which FP16 does not hold", scale),
               "convert the scales to F16");
      }
    }
    return transposed(values, groups_, n_);
  }

  /// Of the second format: see the header.
  std::vector<std::uint32_t> zero_words() const {
    std::vector<std::uint32_t> all = words("qzeros", {groups_, n_ / per_word_});
    if (config_.zero_is_less_by == 0) return all;
    const std::uint32_t a_one_in_each_code = ~0U / ((1U << config_.bits) - 1);
    for (std::uint32_t& word : all) word += a_one_in_each_code;
    return all;
  }

  std::vector<std::uint8_t> zero_points() const {
    const WordOrder order = config_.layout == PackedLayout::awq ? WordOrder::awq : WordOrder::plain;
    const std::vector<std::uint8_t> zeros =
        unpack_columns(zero_words(), groups_, n_, config_.bits, order);
    const int middle = 1 << (config_.bits - 1);
    for (const std::uint8_t zero : zeros) {
      if (!config_.symmetric || zero == middle) continue;
      refuse("qzeros",
             fmt::format("has a zero point of {}, though 'sym' makes it {}", zero, middle),
             "correct sym or checkpoint_format in config.json");
    }
    return transposed(zeros, groups_, n_);
  }

  void check_groups() const {
    if (config_.layout != PackedLayout::gptq) return;
    if (!files_.has(tensor("g_idx")) && !config_.ordered) return;
    const std::vector<std::uint32_t> groups = words("g_idx", {k_});
    const std::int64_t group = config_.group == 0 ? k_ : config_.group;
    for (std::int64_t i = 0; i < k_; ++i) {
      const auto found = std::bit_cast<std::int32_t>(groups[static_cast<std::size_t>(i)]);
      if (found == i / group) continue;
      refuse("g_idx",
             fmt::format("puts input {} into group {} instead of {}: kernels take groups of "
                         "inputs that lie side by side",
                         i, found, i / group),
             "give a model quantized without desc_act, or with static_groups");
    }
  }

  const TensorFiles& files_;
  const std::string& name_;
  std::int64_t n_, k_;
  const QuantizationConfig& config_;
  Scheme scheme_;
  std::int64_t groups_ = 0;
  std::int64_t per_word_ = 0;
};

}  // namespace

bool has_packed_layer(const TensorFiles& files, const std::string& name) {
  return files.has(name + ".qweight");
}

std::vector<std::string> packed_tensors(const std::string& name, PackedLayout layout) {
  std::vector<std::string> names{name + ".qweight", name + ".qzeros", name + ".scales"};
  if (layout == PackedLayout::gptq) names.push_back(name + ".g_idx");
  return names;
}

QuantMatrix read_packed_layer(const TensorFiles& files, const std::string& name, std::int64_t n,
                              std::int64_t k, const QuantizationConfig& config) {
  return LayerReader(files, name, n, k, config).read();
}

void drop_zero_points(QuantMatrix& layer) {
  layer.zero_points.clear();
  layer.scheme.weights.zero_points = false;
}

PackedLayer pack_gptq(const QuantMatrix& layer, const QuantizationConfig& config,
                      const std::string& name) {
  const int bits = config.bits;
  const std::int64_t per_word = 32 / bits;
  if (layer.n % per_word != 0 || layer.k % per_word != 0) {
    throw InputError(
        name,
        fmt::format("is [{}, {}], which codes of {} bits do not fill", layer.n, layer.k, bits),
        fmt::format("leave it in floating point: {} has to divide both", per_word));
  }
  const std::int64_t groups = blocks_per_row(layer.scheme.weights, layer.k);
  std::vector<std::uint8_t> zeros(layer.scales.size());
  for (std::size_t i = 0; i < zeros.size(); ++i) {
    const int stored = layer.zero_point(i) - config.zero_is_less_by;
    if (stored < 0) throw std::invalid_argument("a zero point of 0 in the first format");
    zeros[i] = static_cast<std::uint8_t>(stored);
  }
  PackedLayer packed{
      .qweight = pack_rows(transposed(layer.codes, layer.n, layer.k), layer.k, layer.n, bits),
      .qzeros = pack_columns(transposed(zeros, layer.n, groups), groups, layer.n, bits),
      .scales = transposed(layer.scales, layer.n, groups),
      .g_idx = {}};
  const std::int64_t group = config.group == 0 ? layer.k : config.group;
  for (std::int64_t i = 0; i < layer.k; ++i)
    packed.g_idx.push_back(static_cast<std::int32_t>(i / group));
  return packed;
}

}  // namespace qassay
