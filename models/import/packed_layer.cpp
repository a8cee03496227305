#include "models/import/packed_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
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
    if (!fill_words(n, config.bits) ||
        (config.layout == PackedLayout::gptq && !fill_words(k, config.bits))) {
      throw InputError(files.place_of(tensor("qweight")),
                       fmt::format("is of a layer [{}, {}], which codes of {} bits do not fill", n,
                                   k, config.bits),
                       "give the layer in floating point, or correct config.json");
    }
  }

  ReadLayer read() const {
    ReadLayer layer;
    layer.order = order();
    layer.matrix.scheme = scheme_;
    layer.matrix.n = n_;
    layer.matrix.k = k_;
    layer.matrix.codes = codes(layer.order);
    layer.matrix.scales = scales();
    layer.matrix.zero_points = zero_points();
    return layer;
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

  std::vector<std::uint8_t> codes(const std::vector<std::int64_t>& order) const {
    const int bits = config_.bits;
    const std::vector<std::uint8_t> by_input =
        config_.layout == PackedLayout::gptq
            ? unpack_rows(words("qweight", {packed_words(k_, bits), n_}), k_, n_, bits)
            : unpack_columns(words("qweight", {k_, packed_words(n_, bits)}), k_, n_, bits,
                             WordOrder::awq);
    if (order.empty()) return transposed(by_input, k_, n_);
    std::vector<std::uint8_t> ordered;
    ordered.reserve(by_input.size());
    for (const std::int64_t input : order) {
      const auto row = by_input.begin() + static_cast<std::ptrdiff_t>(input * n_);
      ordered.insert(ordered.end(), row, row + static_cast<std::ptrdiff_t>(n_));
    }
    return transposed(ordered, k_, n_);
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
  std::vector<std::uint8_t> zero_codes() const {
    const int bits = config_.bits;
    const int most = (1 << bits) - 1;
    const bool crosses_words = 32 % bits != 0;
    std::vector<std::uint32_t> all = words("qzeros", {groups_, packed_words(n_, bits)});
    if (config_.zero_is_less_by == 1 && !crosses_words) {
      const std::uint32_t one_in_each_code = ~0U / static_cast<std::uint32_t>(most);
      for (std::uint32_t& word : all) word += one_in_each_code;
    }
    std::vector<std::uint8_t> zeros =
        unpack_columns(all, groups_, n_, bits,
                       config_.layout == PackedLayout::awq ? WordOrder::awq : WordOrder::plain);
    if (config_.zero_is_less_by == 0 || !crosses_words) return zeros;
    for (std::uint8_t& zero : zeros) {
      if (zero == most) {
        refuse("qzeros", fmt::format("has a zero point of 0, stored as {}: is not read", zero),
               "give a model of checkpoint_format gptq_v2");
      }
      ++zero;
    }
    return zeros;
  }

  std::vector<std::uint8_t> zero_points() const {
    const std::vector<std::uint8_t> zeros = zero_codes();
    const int middle = 1 << (config_.bits - 1);
    for (const std::uint8_t zero : zeros) {
      if (!config_.symmetric || zero == middle) continue;
      refuse("qzeros",
             fmt::format("has a zero point of {}, though 'sym' makes it {}", zero, middle),
             "correct sym or checkpoint_format in config.json");
    }
    return transposed(zeros, groups_, n_);
  }

  /// The inputs by their groups, each of which has as many as if they lay side by side.
  std::vector<std::int64_t> order() const {
    if (config_.layout != PackedLayout::gptq) return {};
    if (!files_.has(tensor("g_idx")) && !config_.ordered) return {};
    const std::vector<std::uint32_t> groups = words("g_idx", {k_});
    const auto group_of = [&](std::int64_t input) {
      return groups[static_cast<std::size_t>(input)];
    };
    std::vector<std::int64_t> order(static_cast<std::size_t>(k_));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::ranges::stable_sort(order, {}, group_of);
    const std::int64_t group = config_.group == 0 ? k_ : config_.group;
    for (std::int64_t i = 0; i < k_; ++i) {
      const auto found = std::bit_cast<std::int32_t>(group_of(order[static_cast<std::size_t>(i)]));
      if (found == i / group) continue;
      refuse("g_idx", fmt::format("has not {} inputs in each of {} groups: input {} is in group {}",
                                  group, groups_, order[static_cast<std::size_t>(i)], found));
    }
    if (std::ranges::is_sorted(order)) return {};
    return order;
  }

  const TensorFiles& files_;
  const std::string& name_;
  std::int64_t n_, k_;
  const QuantizationConfig& config_;
  Scheme scheme_;
  std::int64_t groups_ = 0;
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

ReadLayer read_packed_layer(const TensorFiles& files, const std::string& name, std::int64_t n,
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
  if (!fill_words(layer.n, bits) || !fill_words(layer.k, bits)) {
    throw InputError(
        name,
        fmt::format("is [{}, {}], which codes of {} bits do not fill", layer.n, layer.k, bits),
        fmt::format("leave it in floating point: {} has to divide both",
                    bits == 3 ? 32 : 32 / bits));
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
