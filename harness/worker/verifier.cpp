#include "harness/worker/verifier.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/buffer.hpp"
#include "core/seed.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kSampledChannels = 64;
constexpr std::int64_t kSampledRows = 64;
constexpr std::int64_t kSampledImages = 4;
constexpr double kBf16Roundoff = 0x1p-8;

std::vector<std::int64_t> sample_channels(const LayerShape& shape, std::uint64_t seed) {
  std::vector<std::int64_t> channels(static_cast<std::size_t>(shape.n));
  std::iota(channels.begin(), channels.end(), 0);
  // The channels of groups read different inputs: all are needed for the geometry to hold.
  if (shape.convolution && shape.convolution->groups > 1) return channels;
  const auto count = static_cast<std::size_t>(std::min(shape.n, kSampledChannels));
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i)
    std::swap(channels[i], channels[i + random.below(channels.size() - i)]);
  channels.resize(count);
  return channels;
}

/// `count` of m, from the first to the last.
std::vector<std::int64_t> spread(std::int64_t count, std::int64_t m) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < count; ++i)
    rows.push_back(count == 1 ? 0 : i * (m - 1) / (count - 1));
  return rows;
}

/// Of a linear layer all rows, or where they are many the first and the last, which tiles treat
/// apart, and some between; of a convolution images from the first to the last.
std::vector<std::int64_t> sample_rows(const LayerShape& shape, std::int64_t m) {
  if (shape.convolution) return spread(std::min(m, kSampledImages), m);
  if (m <= 3 * kSampledRows) return spread(m, m);
  std::vector<std::int64_t> rows(kSampledRows);
  std::iota(rows.begin(), rows.end(), 0);
  for (const std::int64_t row : spread(kSampledRows, m - 2 * kSampledRows))
    rows.push_back(kSampledRows + row);
  for (std::int64_t row = m - kSampledRows; row < m; ++row) rows.push_back(row);
  return rows;
}

/// The given rows of a row-major array of `width` columns.
template <typename T>
std::vector<T> take_rows(const std::vector<T>& all, const std::vector<std::int64_t>& rows,
                         std::int64_t width) {
  if (all.empty()) return {};
  std::vector<T> taken;
  taken.reserve(rows.size() * static_cast<std::size_t>(width));
  for (const std::int64_t row : rows) {
    const auto begin = all.begin() + row * width;
    taken.insert(taken.end(), begin, begin + width);
  }
  return taken;
}

std::vector<float> magnitudes(std::vector<float> values) {
  for (float& value : values) value = std::fabs(value);
  return values;
}

}  // namespace

Verifier::Verifier(const LegLayer& layer, std::int64_t m, const KernelChoice& kernels,
                   const Device& device, std::uint64_t seed)
    : kernels_(kernels),
      device_(device),
      shape_(layer.layer.shape),
      samples_{sample_rows(shape_, m * shape_.rows), sample_channels(shape_, seed)},
      pixels_(shape_.convolution ? shape_.convolution->out_pixels() : 1),
      inputs_(layer.inputs()),
      channels_(shape_.n),
      x_(take_rows(layer.input, samples_.rows, inputs_)),
      bias_(take_rows(layer.layer.bias, samples_.channels, 1)) {
  shape_.n = static_cast<std::int64_t>(samples_.channels.size());
  shape_.rows = 1;  // the sampled ones are all that it sees
  const std::vector<float> weights = take_rows(layer.layer.weights, samples_.channels, shape_.k);
  fp32_output_ = reference_output(
      round_to_nearest({weights.data(), shape_.n, shape_.k}, parse_scheme("FP32")), bias_, x());
}

QuantMatrix Verifier::sampled(const QuantMatrix& weights) const {
  const std::vector<std::int64_t>& channels = samples_.channels;
  QuantMatrix sample;
  sample.scheme = weights.scheme;
  sample.n = shape_.n;
  sample.k = weights.k;
  sample.input = weights.input;
  sample.values = take_rows(weights.values, channels, weights.k);
  sample.halves = take_rows(weights.halves, channels, weights.k);
  sample.codes = take_rows(weights.codes, channels, weights.k);
  if (weights.scheme.weights.per == Granularity::tensor) {
    sample.scales = weights.scales;
    sample.zero_points = weights.zero_points;
  } else {
    const std::int64_t blocks = blocks_per_row(weights.scheme.weights, weights.k);
    sample.scales = take_rows(weights.scales, channels, blocks);
    sample.zero_points = take_rows(weights.zero_points, channels, blocks);
  }
  return sample;
}

std::vector<float> Verifier::sampled(ConstMatrix y) const {
  std::vector<float> sample;
  for (const std::int64_t row : samples_.rows) {
    for (std::int64_t pixel = 0; pixel < pixels_; ++pixel) {
      for (const std::int64_t channel : samples_.channels)
        sample.push_back(y.row(row)[pixel * channels_ + channel]);
    }
  }
  return sample;
}

Problem Verifier::problem(const Scheme& scheme) const {
  return layer_problem(shape_, scheme, rows());
}

std::vector<float> Verifier::reference_output(const QuantMatrix& weights,
                                              std::span<const float> bias, ConstMatrix x) const {
  const Problem wanted = problem(weights.scheme);
  const auto prepared = kernels_.reference(wanted).prepare(wanted, weights, bias, device_);
  const Buffer workspace(prepared->workspace_bytes());
  std::vector<float> y(static_cast<std::size_t>(x.rows * wanted.outputs()));
  prepared->run(x, {workspace.data(), workspace.size()}, {y.data(), x.rows, wanted.outputs()});
  return y;
}

const std::vector<float>& Verifier::expected(const QuantMatrix& sample, const std::string& method) {
  const auto [entry, is_new] = expected_.try_emplace(method + " " + to_string(sample.scheme));
  if (is_new) entry->second = reference_output(sample, bias_, x());
  return entry->second;
}

/// Sums of k products and a bias in FP32 in any order, and three roundings more: a weight that is
/// decoded with another rounding of code * scale, the scale applied after the sum, the output.
std::vector<double> Verifier::float_limits(const std::vector<float>& values,
                                           Contract contract) const {
  double input_roundoff = contract == Contract::approximate ? kBf16Roundoff : 0;
  if (contract == Contract::two_parts)
    input_roundoff = kTwoPartsRoundoff + dot_product_limit(kTwoPartsProducts * shape_.k, 1);
  if (!shape_.convolution) {
    std::vector<double> limits =
        dot_product_limits(x(), {values.data(), shape_.n, shape_.k}, input_roundoff);
    for (std::size_t i = 0; i < limits.size() && !bias_.empty(); ++i) {
      const double bias = std::fabs(bias_[i % bias_.size()]);
      limits[i] += dot_product_limit(4, bias);
    }
    return limits;
  }
  // The sums of magnitudes, from the same reference.
  const std::vector<float> x = magnitudes(x_);
  const std::vector<float> w = magnitudes(values);
  const std::vector<float> sums =
      reference_output(round_to_nearest({w.data(), shape_.n, shape_.k}, parse_scheme("FP32")),
                       magnitudes(bias_), {x.data(), rows(), inputs_});
  std::vector<double> limits;
  limits.reserve(sums.size());
  for (const float sum : sums)
    limits.push_back(dot_product_limit(shape_.k + 4, sum) + input_roundoff * sum);
  return limits;
}

/// Static int8 activations, reordered: products of codes are summed exactly, and what is rounded is
/// nowhere larger than |bias| + the sum of scale |w| (128 + |128 - zero|), at most 8 times in each
/// kernel.
std::vector<double> Verifier::code_limits(const QuantMatrix& sample,
                                          const std::vector<float>& values) const {
  constexpr std::int64_t kRoundings = 16;
  const double largest =
      static_cast<double>(sample.input.scale) * (128 + std::abs(128 - sample.input.zero));
  std::vector<double> of_channel;
  for (std::int64_t n = 0; n < sample.n; ++n) {
    double sum = bias_.empty() ? 0.0 : std::fabs(bias_[static_cast<std::size_t>(n)]);
    for (std::int64_t k = 0; k < sample.k; ++k)
      sum += largest * std::fabs(values[static_cast<std::size_t>(n * sample.k + k)]);
    of_channel.push_back(dot_product_limit(kRoundings, sum));
  }
  std::vector<double> limits;
  const auto pixels = static_cast<std::size_t>(rows() * pixels_);
  for (std::size_t i = 0; i < pixels; ++i)
    limits.insert(limits.end(), of_channel.begin(), of_channel.end());
  return limits;
}

std::vector<double> Verifier::limits(const QuantMatrix& sample, Contract contract) const {
  const bool of_unsigned_codes = contract == Contract::reordered && sample.scheme.blocks_input();
  const std::vector<float> values =
      of_unsigned_codes ? unsigned_magnitudes(sample) : dequantize(sample);
  if (sample.scheme.input.range == Range::fixed) return code_limits(sample, values);
  std::vector<double> limits = float_limits(values, contract);
  if (contract == Contract::fine_codes) {
    const std::vector<double> of_codes =
        fine_code_limits(x(), {values.data(), shape_.n, shape_.k}, sample.scheme.weights.block);
    for (std::size_t i = 0; i < limits.size(); ++i) limits[i] += of_codes[i];
  }
  return limits;
}

Verifier::Finding Verifier::verify(const QuantMatrix& weights, const std::string& method,
                                   Contract contract, ConstMatrix y) {
  const QuantMatrix sample = sampled(weights);
  const std::int64_t outputs = pixels_ * shape_.n;
  const std::vector<float> got = sampled(y);
  const ConstMatrix got_view{got.data(), rows(), outputs};
  const ConstMatrix expected_view{expected(sample, method).data(), rows(), outputs};

  Limits allowed;
  std::vector<double> per_element;
  if (contract != Contract::bit_exact) {
    per_element = limits(sample, contract);
    allowed.per_element = {per_element.data(), rows(), outputs};
    allowed.relative = 2 * kF32Roundoff;  // the rounding of the result
  }
  return {compare(got_view, expected_view, allowed),
          distortion(got_view, {fp32_output_.data(), rows(), outputs})};
}

}  // namespace qassay
