// Batch norm (Ioffe and Szegedy 2015, arXiv:1502.03167): algorithm 1 forward, section 3 backward.
// Sums over the batch are taken by each thread over its share of the rows, in double, and added up
// in the order of the threads: equal bits for an equal number of threads.

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"

namespace qassay {
namespace {

constexpr float kMomentum = 0.1F;  // of the running mean and variance

class BatchNormalization final : public Op {
 public:
  BatchNormalization(const BatchNorm& op, const OpPlace& place)
      : channels_(place.output.channels),
        pixels_(place.output.height * place.output.width),
        threads_(place.threads),
        epsilon_(static_cast<float>(op.epsilon)),
        parameters_(place.parameters),
        gradients_(place.gradients),
        mean_(static_cast<std::size_t>(channels_)),
        rstd_(mean_) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode mode) override {
    if (mode == Mode::training) {
      take_statistics(x.front());
    } else {
      for (std::size_t c = 0; c < mean_.size(); ++c) {
        mean_[c] = values(kRunningMean)[c];
        rstd_[c] = 1 / std::sqrt(values(kRunningVar)[c] + epsilon_);
      }
    }
    std::vector<float> factor(mean_.size());
    std::vector<float> shift(mean_.size());
    for (std::size_t c = 0; c < mean_.size(); ++c) {
      factor[c] = values(kWeight)[c] * rstd_[c];
      shift[c] = values(kBias)[c] - mean_[c] * factor[c];
    }
    for_rows(y.rows, [&](std::int64_t row) {
      const float* const in = x.front().data + row * channels_;
      float* const out = y.data + row * channels_;
      for (std::int64_t c = 0; c < channels_; ++c) out[c] = in[c] * factor[at(c)] + shift[at(c)];
    });
  }

  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    // xhat = (x - mean) rstd
    const Sums sums = sum(dy.rows, [&](std::int64_t row, std::int64_t c) {
      const float slope = dy.data[row * channels_ + c];
      const float xhat = (x.front().data[row * channels_ + c] - mean_[at(c)]) * rstd_[at(c)];
      return std::pair{slope, slope * xhat};
    });
    for (std::size_t c = 0; c < mean_.size(); ++c) {
      gradients_[kBias]->values[c] = static_cast<float>(sums.first[c]);
      gradients_[kWeight]->values[c] = static_cast<float>(sums.second[c]);
    }
    if (dx.front().data == nullptr) return;
    // dx = weight rstd (dy - mean(dy) - xhat mean(dy xhat)) = a dy + b x + d
    const auto count = static_cast<double>(dy.rows * pixels_);
    std::vector<float> a(mean_.size());
    std::vector<float> b(mean_.size());
    std::vector<float> d(mean_.size());
    for (std::size_t c = 0; c < mean_.size(); ++c) {
      const double scale = static_cast<double>(values(kWeight)[c]) * rstd_[c];
      const double slope = -scale * sums.second[c] / count * rstd_[c];
      a[c] = static_cast<float>(scale);
      b[c] = static_cast<float>(slope);
      d[c] = static_cast<float>(-scale * sums.first[c] / count - slope * mean_[c]);
    }
    for_rows(dy.rows, [&](std::int64_t row) {
      const float* const in = x.front().data + row * channels_;
      const float* const up = dy.data + row * channels_;
      float* const out = dx.front().data + row * channels_;
      for (std::int64_t c = 0; c < channels_; ++c)
        out[c] = a[at(c)] * up[c] + b[at(c)] * in[c] + d[at(c)];
    });
  }

 private:
  enum Index { kWeight, kBias, kRunningMean, kRunningVar };
  /// Of two numbers, by channel.
  struct Sums {
    std::vector<double> first, second;
  };

  static std::size_t at(std::int64_t c) { return static_cast<std::size_t>(c); }
  const std::vector<float>& values(Index index) const { return parameters_[index]->values; }

  /// f(row of channels) for all pixels of all samples.
  template <typename F>
  void for_rows(std::int64_t samples, F f) const {
    for_shares(samples * pixels_, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) f(row);
    });
  }

  /// Of the pairs term(row, channel). Rows are added in float a few at a time, those in double.
  template <typename Term>
  Sums sum(std::int64_t samples, Term term) const {
    constexpr std::int64_t kRowsInFloat = 32;
    const std::size_t width = mean_.size();
    const std::int64_t rows = samples * pixels_;
    std::vector<Sums> shares(static_cast<std::size_t>(threads_));
#pragma omp parallel for num_threads(threads_) schedule(static, 1)
    for (int thread = 0; thread < threads_; ++thread) {
      const std::int64_t begin = rows * thread / threads_;
      const std::int64_t end = rows * (thread + 1) / threads_;
      Sums& share = shares[static_cast<std::size_t>(thread)];
      share = {std::vector<double>(width), std::vector<double>(width)};
      std::vector<float> first(width);
      std::vector<float> second(width);
      for (std::int64_t chunk = begin; chunk < end; chunk += kRowsInFloat) {
        std::ranges::fill(first, 0.0F);
        std::ranges::fill(second, 0.0F);
        for (std::int64_t row = chunk; row < std::min(chunk + kRowsInFloat, end); ++row) {
          for (std::int64_t c = 0; c < channels_; ++c) {
            const auto [one, other] = term(row, c);
            first[at(c)] += one;
            second[at(c)] += other;
          }
        }
        for (std::size_t c = 0; c < width; ++c) {
          share.first[c] += first[c];
          share.second[c] += second[c];
        }
      }
    }
    for (std::size_t thread = 1; thread < shares.size(); ++thread) {
      for (std::size_t c = 0; c < width; ++c) {
        shares[0].first[c] += shares[thread].first[c];
        shares[0].second[c] += shares[thread].second[c];
      }
    }
    return std::move(shares[0]);
  }

  /// The variance from the squared distances to the mean: sums of squares would cancel.
  void take_statistics(ConstMatrix x) {
    const auto count = static_cast<double>(x.rows * pixels_);
    const Sums sums = sum(x.rows, [&](std::int64_t row, std::int64_t c) {
      return std::pair{x.data[row * channels_ + c], 0.0F};
    });
    for (std::size_t c = 0; c < mean_.size(); ++c)
      mean_[c] = static_cast<float>(sums.first[c] / count);
    const Sums squares = sum(x.rows, [&](std::int64_t row, std::int64_t c) {
      const float distance = x.data[row * channels_ + c] - mean_[at(c)];
      return std::pair{distance * distance, 0.0F};
    });
    for (std::size_t c = 0; c < mean_.size(); ++c) {
      const double variance = squares.first[c] / count;
      rstd_[c] = static_cast<float>(1 / std::sqrt(variance + epsilon_));
      const double unbiased = count > 1 ? squares.first[c] / (count - 1) : variance;
      float& running_mean = parameters_[kRunningMean]->values[c];
      float& running_var = parameters_[kRunningVar]->values[c];
      running_mean += kMomentum * (mean_[c] - running_mean);
      running_var += kMomentum * (static_cast<float>(unbiased) - running_var);
    }
  }

  std::int64_t channels_, pixels_;
  int threads_;
  float epsilon_;
  std::vector<Tensor*> parameters_, gradients_;
  std::vector<float> mean_, rstd_;  // of the last forward
};

}  // namespace

Extent output_extent(const BatchNorm& op, std::span<const Extent> inputs) {
  require(op.epsilon > 0, "needs an epsilon above 0");
  return inputs.front();
}

std::unique_ptr<Op> make_op(const BatchNorm& op, const OpPlace& place) {
  return std::make_unique<BatchNormalization>(op, place);
}

}  // namespace qassay
