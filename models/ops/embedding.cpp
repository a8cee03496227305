// Rows of tables: of tokens by their ids, and of positions.

#include <algorithm>
#include <cmath>

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"

namespace qassay {
namespace {

class TokenTable final : public Op {
 public:
  TokenTable(const Embedding& op, const OpPlace& place)
      : op_(op),
        threads_(place.threads),
        parameters_(place.parameters),
        gradients_(place.gradients) {}

  /// Throws std::invalid_argument for a number that is no id. NaN is what a broken input is.
  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    const std::int64_t count = x.front().rows * x.front().cols;
    const float* const ids = x.front().data;
    for (std::int64_t i = 0; i < count; ++i) {
      require(std::isnan(ids[i]) || (ids[i] >= 0 && ids[i] < static_cast<float>(op_.vocabulary) &&
                                     ids[i] == std::floor(ids[i])),
              "an id of a token that is not in the vocabulary");
    }
    for_shares(
        count, threads_,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            float* const out = y.data + i * op_.channels;
            if (std::isnan(ids[i])) {
              std::fill_n(out, op_.channels, ids[i]);
            } else {
              std::copy_n(row(*parameters_[0], ids[i]), op_.channels, out);
            }
          }
        },
        count * op_.channels);
  }

  /// Each thread adds up a share of the channels, so that the order of the sums is the tokens'.
  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix>) override {
    std::ranges::fill(gradients_[0]->values, 0.0F);
    const std::int64_t count = x.front().rows * x.front().cols;
    for_shares(op_.channels, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 0; i < count; ++i) {
        const float* const slope = dy.data + i * op_.channels;
        float* const sum = row(*gradients_[0], x.front().data[i]);
        for (std::int64_t c = begin; c < end; ++c) sum[c] += slope[c];
      }
    });
  }

 private:
  float* row(Tensor& table, float id) const {
    return table.values.data() + static_cast<std::int64_t>(id) * op_.channels;
  }

  Embedding op_;
  int threads_;
  std::vector<Tensor*> parameters_, gradients_;
};

class PositionTable final : public Op {
 public:
  explicit PositionTable(const OpPlace& place)
      : channels_(place.output.channels),
        threads_(place.threads),
        text_(place.text),
        parameters_(place.parameters),
        gradients_(place.gradients) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    const std::int64_t past = text_ == nullptr ? 0 : text_->past;
    const float* const table = parameters_[0]->values.data() + past * channels_;
    for_shares(y.rows, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t text = begin; text < end; ++text) {
        for (std::int64_t i = 0; i < y.cols; ++i)
          y.row(text)[i] = x.front().row(text)[i] + table[i];
      }
    });
  }

  void backward(std::span<const ConstMatrix>, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    std::vector<float>& sums = gradients_[0]->values;
    std::ranges::fill(sums, 0.0F);
    for_shares(dy.cols, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t text = 0; text < dy.rows; ++text) {
        for (std::int64_t i = begin; i < end; ++i)
          sums[static_cast<std::size_t>(i)] += dy.row(text)[i];
        if (dx.front().data != nullptr)
          std::copy(dy.row(text) + begin, dy.row(text) + end, dx.front().row(text) + begin);
      }
    });
  }

 private:
  std::int64_t channels_;
  int threads_;
  const TextState* text_;
  std::vector<Tensor*> parameters_, gradients_;
};

}  // namespace

Extent output_extent(const Embedding& op, std::span<const Extent> inputs) {
  constexpr std::int64_t kMostIds = std::int64_t{1} << 24;  // what FP32 counts exactly
  require(op.vocabulary >= 1 && op.channels >= 1, "needs vocabulary and channels >= 1");
  require(op.vocabulary <= kMostIds, "has a vocabulary beyond 2^24");
  require(inputs.front().is_sequence() && inputs.front().channels == 1,
          "takes a sequence of one number a position");
  return {1, inputs.front().width, op.channels};
}
Extent output_extent(const PositionEmbedding& op, std::span<const Extent> inputs) {
  require(inputs.front().is_sequence(), "takes a sequence");
  require(inputs.front().width <= op.positions, "has fewer positions than its input");
  return inputs.front();
}

std::unique_ptr<Op> make_op(const Embedding& op, const OpPlace& place) {
  return std::make_unique<TokenTable>(op, place);
}
std::unique_ptr<Op> make_op(const PositionEmbedding&, const OpPlace& place) {
  return std::make_unique<PositionTable>(place);
}

}  // namespace qassay
