// Norms over the channels of each position, and factors of the channels alone. The derivatives of
// their parameters are sums over all positions: each thread adds up its share of them in FP32, and
// the shares are added in order, so that bits are equal for an equal number of threads.

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"
#include "models/ops/vector_loops.hpp"

namespace qassay {
namespace {

/// What they share: rows of channels, and the sums over them.
class ChannelRows : public Op {
 public:
  explicit ChannelRows(const OpPlace& place)
      : channels_(place.output.channels),
        threads_(place.threads),
        parameters_(place.parameters),
        gradients_(place.gradients) {}

 protected:
  /// f(row) for rows of channels in all samples and positions.
  template <typename F>
  void for_rows(std::int64_t numbers, F f) const {
    for_shares(
        numbers / channels_, threads_,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) f(row);
        },
        numbers);
  }
  /// f(row, sums) adds a row to the sums of its thread, a vector of channels a gradient, which end
  /// up in the gradients.
  template <typename F>
  void sum_rows(std::int64_t numbers, F f) {
    const std::size_t size = gradients_.size() * static_cast<std::size_t>(channels_);
    std::vector<std::vector<float>> sums(static_cast<std::size_t>(threads_));
    const std::int64_t rows = numbers / channels_;
    for_shares(threads_, threads_, [&](std::int64_t thread, std::int64_t) {
      std::vector<float>& sum = sums[static_cast<std::size_t>(thread)];
      sum.assign(size, 0.0F);
      for (std::int64_t row = rows * thread / threads_; row < rows * (thread + 1) / threads_; ++row)
        f(row, sum.data());
    });
    for (std::size_t i = 0; i < size; ++i) {
      float total = 0;
      for (const std::vector<float>& sum : sums) total += sum[i];
      gradients_[i / static_cast<std::size_t>(channels_)]
          ->values[i % static_cast<std::size_t>(channels_)] = total;
    }
  }
  const float* weight() const { return parameters_[0]->values.data(); }
  const float* bias() const { return parameters_[1]->values.data(); }

  std::int64_t channels_;
  int threads_;
  std::vector<Tensor*> parameters_, gradients_;
};

class Factors final : public ChannelRows {
 public:
  using ChannelRows::ChannelRows;

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_rows(y.rows * y.cols, [&](std::int64_t row) {
      const float* const in = x.front().data + row * channels_;
      float* const out = y.data + row * channels_;
      multiply(in, weight(), out, channels_);
    });
  }

  /// dx = weight dy, dweight = sum of dy x.
  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    sum_rows(dy.rows * dy.cols, [&](std::int64_t row, float* sum) {
      const float* const in = x.front().data + row * channels_;
      const float* const slope = dy.data + row * channels_;
      for (std::int64_t c = 0; c < channels_; ++c) sum[c] += slope[c] * in[c];
      if (dx.front().data == nullptr) return;
      float* const out = dx.front().data + row * channels_;
      for (std::int64_t c = 0; c < channels_; ++c) out[c] = weight()[c] * slope[c];
    });
  }
};

class Norm : public ChannelRows {
 protected:
  Norm(double epsilon, const OpPlace& place)
      : ChannelRows(place), epsilon_(static_cast<float>(epsilon)) {}

  float epsilon_;
};

class RootMeanSquare final : public Norm {
 public:
  RootMeanSquare(const RmsNorm& op, const OpPlace& place) : Norm(op.epsilon, place) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_rows(y.rows * y.cols, [&](std::int64_t row) {
      const float* const in = x.front().data + row * channels_;
      float* const out = y.data + row * channels_;
      multiply(factor_of(in), in, weight(), out, channels_);
    });
  }

  /// With r the factor and g = weight dy: dx = r (g - x r^2 mean(g x)), dweight = sum of dy x r.
  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    sum_rows(dy.rows * dy.cols, [&](std::int64_t row, float* sum) {
      const float* const in = x.front().data + row * channels_;
      const float* const slope = dy.data + row * channels_;
      const float factor = factor_of(in);
      float product = 0;
      for (std::int64_t c = 0; c < channels_; ++c) {
        sum[c] += slope[c] * in[c] * factor;
        product += weight()[c] * slope[c] * in[c];
      }
      if (dx.front().data == nullptr) return;
      float* const out = dx.front().data + row * channels_;
      const float along = product * factor * factor / static_cast<float>(channels_);
      for (std::int64_t c = 0; c < channels_; ++c)
        out[c] = factor * (weight()[c] * slope[c] - in[c] * along);
    });
  }

 private:
  float factor_of(const float* in) const {
    return 1 / std::sqrt(dot(in, in, channels_) / static_cast<float>(channels_) + epsilon_);
  }
};

class MeanAndVariance final : public Norm {
 public:
  MeanAndVariance(const LayerNorm& op, const OpPlace& place) : Norm(op.epsilon, place) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_rows(y.rows * y.cols, [&](std::int64_t row) {
      const float* const in = x.front().data + row * channels_;
      float* const out = y.data + row * channels_;
      const auto [mean, factor] = statistics(in);
      for (std::int64_t c = 0; c < channels_; ++c)
        out[c] = (in[c] - mean) * factor * weight()[c] + bias()[c];
    });
  }

  /// With xhat = (x - mean) r and g = weight dy: dx = r (g - mean(g) - xhat mean(g xhat)).
  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    sum_rows(dy.rows * dy.cols, [&](std::int64_t row, float* sum) {
      const float* const in = x.front().data + row * channels_;
      const float* const slope = dy.data + row * channels_;
      const auto [mean, factor] = statistics(in);
      float sum_g = 0;
      float sum_product = 0;
      for (std::int64_t c = 0; c < channels_; ++c) {
        const float xhat = (in[c] - mean) * factor;
        sum[c] += slope[c] * xhat;
        sum[channels_ + c] += slope[c];
        sum_g += weight()[c] * slope[c];
        sum_product += weight()[c] * slope[c] * xhat;
      }
      if (dx.front().data == nullptr) return;
      float* const out = dx.front().data + row * channels_;
      const auto count = static_cast<float>(channels_);
      for (std::int64_t c = 0; c < channels_; ++c) {
        const float xhat = (in[c] - mean) * factor;
        out[c] = factor * (weight()[c] * slope[c] - sum_g / count - xhat * sum_product / count);
      }
    });
  }

 private:
  struct Statistics {
    float mean, factor;
  };
  Statistics statistics(const float* in) const {
    double sum = 0;
    for (std::int64_t c = 0; c < channels_; ++c) sum += in[c];
    const double mean = sum / static_cast<double>(channels_);
    double squares = 0;
    for (std::int64_t c = 0; c < channels_; ++c) squares += (in[c] - mean) * (in[c] - mean);
    const double var = squares / static_cast<double>(channels_);
    return {static_cast<float>(mean),
            static_cast<float>(1 / std::sqrt(var + static_cast<double>(epsilon_)))};
  }
};

}  // namespace

Extent output_extent(const RmsNorm&, std::span<const Extent> inputs) { return inputs.front(); }
Extent output_extent(const LayerNorm&, std::span<const Extent> inputs) { return inputs.front(); }
Extent output_extent(const ChannelScale&, std::span<const Extent> inputs) { return inputs.front(); }

std::unique_ptr<Op> make_op(const RmsNorm& op, const OpPlace& place) {
  return std::make_unique<RootMeanSquare>(op, place);
}
std::unique_ptr<Op> make_op(const ChannelScale&, const OpPlace& place) {
  return std::make_unique<Factors>(place);
}
std::unique_ptr<Op> make_op(const LayerNorm& op, const OpPlace& place) {
  return std::make_unique<MeanAndVariance>(op, place);
}

}  // namespace qassay
