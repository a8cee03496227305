#include "harness/worker/verifier.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/buffer.hpp"
#include "core/distortion.hpp"
#include "core/seed.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kSampledColumns = 64;
constexpr double kBf16Roundoff = 0x1p-8;

std::vector<std::int64_t> sample_columns(std::int64_t n, std::uint64_t seed) {
  std::vector<std::int64_t> columns(static_cast<std::size_t>(n));
  std::iota(columns.begin(), columns.end(), 0);
  const auto count = static_cast<std::size_t>(std::min(n, kSampledColumns));
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(columns[i], columns[i + random.below(columns.size() - i)]);
  }
  columns.resize(count);
  return columns;
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

}  // namespace

Verifier::Verifier(const LegLayer& layer, std::int64_t m, const References& references,
                   const Device& device, std::uint64_t seed)
    : x_(layer.x(m)),
      references_(references),
      device_(device),
      columns_(sample_columns(layer.layer.n, seed)),
      bias_(take_rows(layer.layer.bias, columns_, 1)) {
  const std::vector<float> weights = take_rows(layer.layer.weights, columns_, layer.layer.k);
  const ConstMatrix view{weights.data(), static_cast<std::int64_t>(columns_.size()), layer.layer.k};
  fp32_output_ = reference_output(round_to_nearest(view, parse_scheme("FP32")));
}

QuantMatrix Verifier::sampled(const QuantMatrix& weights) const {
  QuantMatrix sample;
  sample.scheme = weights.scheme;
  sample.n = static_cast<std::int64_t>(columns_.size());
  sample.k = weights.k;
  sample.values = take_rows(weights.values, columns_, weights.k);
  sample.halves = take_rows(weights.halves, columns_, weights.k);
  sample.codes = take_rows(weights.codes, columns_, weights.k);
  if (weights.scheme.weights.per == Granularity::tensor) {
    sample.scales = weights.scales;
    sample.zero_points = weights.zero_points;
  } else {
    const std::int64_t blocks = blocks_per_row(weights.scheme.weights, weights.k);
    sample.scales = take_rows(weights.scales, columns_, blocks);
    sample.zero_points = take_rows(weights.zero_points, columns_, blocks);
  }
  return sample;
}

std::vector<float> Verifier::reference_output(const QuantMatrix& sample) const {
  const Kernel& kernel =
      sample.scheme.quantizes_input() ? references_.integer : references_.floating;
  const Problem problem{x_.rows, sample.n, sample.k, sample.scheme, !bias_.empty()};
  const auto prepared = kernel.prepare(problem, sample, bias_, device_);
  const Buffer workspace(prepared->workspace_bytes());
  std::vector<float> y(static_cast<std::size_t>(x_.rows * sample.n));
  prepared->run(x_, {workspace.data(), workspace.size()}, {y.data(), x_.rows, sample.n});
  return y;
}

const std::vector<float>& Verifier::expected(const QuantMatrix& sample) {
  const auto [entry, is_new] = expected_.try_emplace(to_string(sample.scheme));
  if (is_new) entry->second = reference_output(sample);
  return entry->second;
}

Verifier::Finding Verifier::verify(const QuantMatrix& weights, Contract contract, ConstMatrix y) {
  const QuantMatrix sample = sampled(weights);
  const auto columns = static_cast<std::int64_t>(columns_.size());
  std::vector<float> got;
  for (std::int64_t m = 0; m < y.rows; ++m) {
    for (const std::int64_t column : columns_) got.push_back(y.row(m)[column]);
  }
  const ConstMatrix got_view{got.data(), y.rows, columns};
  const ConstMatrix expected_view{expected(sample).data(), y.rows, columns};

  Limits limits;
  std::vector<double> per_element;
  if (contract != Contract::bit_exact) {
    const std::vector<float> values = dequantize(sample);
    const double input_roundoff = contract == Contract::approximate ? kBf16Roundoff : 0;
    per_element = dot_product_limits(x_, {values.data(), columns, sample.k}, input_roundoff);
    limits.per_element = {per_element.data(), y.rows, columns};
    limits.relative = 2 * kF32Roundoff;  // the bias, and the rounding of the result
  }
  return {compare(got_view, expected_view, limits),
          distortion(got_view, {fp32_output_.data(), y.rows, columns}).sqnr_db};
}

}  // namespace qassay
