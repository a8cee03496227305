// Attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1) with shared heads of keys and
// values. A thread takes a head of a text, and queries in blocks, so that their scores stay in its
// cache; what a block computes for later positions than a query may see is replaced by zeros.
// Backward computes the weights again rather than keeping them.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "models/ops/kv_cache.hpp"
#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"
#include "models/ops/vector_loops.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kLine = 16;  // numbers of a vector

std::int64_t whole_lines(std::int64_t numbers) { return (numbers + kLine - 1) / kLine * kLine; }

constexpr std::int64_t kBlock = 18;  // queries; a multiple of the rows of a tile

class AttentionHeads final : public Op {
 public:
  AttentionHeads(const Attention& op, const OpPlace& place)
      : op_(op),
        head_(place.inputs[0].channels / op.heads),
        capacity_(place.inputs[1].width),
        scale_(static_cast<float>(1 / std::sqrt(static_cast<double>(head_)))),
        threads_(place.threads),
        text_(place.text),
        cache_({place.samples, op.kv_heads, head_, capacity_},
               text_ == nullptr ? KvFormat::fp32 : text_->format) {
    for (int thread = 0; thread < threads_; ++thread) {
      weights_.emplace_back(static_cast<std::size_t>(kBlock * whole_lines(capacity_)));
      slopes_.emplace_back();
      values_.emplace_back();
    }
  }

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    const std::int64_t first = past();
    for_each(
        y.rows, op_.kv_heads,
        [&](std::int64_t text, std::int64_t head, int) {
          cache_.append(text, head, first, keys(x[1], text, head), keys(x[2], text, head));
        },
        x[1].rows * x[1].cols);
    const std::int64_t seen = first + positions(x[1], op_.kv_heads);
    for_each(
        y.rows, op_.heads,
        [&](std::int64_t text, std::int64_t head, int thread) {
          const ConstMatrix q = queries(x[0], text, head);
          const Matrix out = queries(y, text, head);
          for (std::int64_t begin = 0; begin < q.rows; begin += kBlock) {
            const std::int64_t rows = std::min(kBlock, q.rows - begin);
            const Matrix weights = weigh(text, head, {q.row(begin), rows, head_, q.stride},
                                         first + begin, seen, thread);
            cache_.mix(text, head / share(), weights, {out.row(begin), rows, head_, out.stride});
          }
        },
        y.rows * y.cols * seen);
  }

  void backward(std::span<const ConstMatrix> x, ConstMatrix y, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    for_each(y.rows, op_.kv_heads, [&](std::int64_t text, std::int64_t kv_head, int thread) {
      turn_values(keys(x[2], text, kv_head), thread);
      for (const Matrix& slope : dx.subspan(1)) {
        if (slope.data != nullptr) clear(keys(slope, text, kv_head));
      }
      for (std::int64_t h = 0; h < share(); ++h)
        back(x, y, dy, dx, {text, kv_head * share() + h, thread});
    });
  }

 private:
  struct Task {
    std::int64_t text, head;
    int thread;
  };

  std::int64_t share() const { return op_.heads / op_.kv_heads; }
  std::int64_t past() const { return text_ == nullptr ? 0 : text_->past; }
  std::int64_t positions(ConstMatrix x, std::int64_t heads) const {
    return x.cols / (heads * head_);
  }

  /// One head's rows of a text, a row a position.
  template <typename T>
  MatrixView<T> view(MatrixView<T> x, std::int64_t text, std::int64_t head,
                     std::int64_t heads) const {
    return {x.row(text) + head * head_, positions(x, heads), head_, heads * head_};
  }
  template <typename T>
  MatrixView<T> queries(MatrixView<T> x, std::int64_t text, std::int64_t head) const {
    return view(x, text, head, op_.heads);
  }
  template <typename T>
  MatrixView<T> keys(MatrixView<T> x, std::int64_t text, std::int64_t head) const {
    return view(x, text, head, op_.kv_heads);
  }

  /// f(text, head, thread) for all heads of all texts, shared out among the threads where there are
  /// enough numbers.
  template <typename F>
  void for_each(std::int64_t texts, std::int64_t heads, F f, std::int64_t numbers = kWorthThreads) {
    if (numbers < kWorthThreads) {
      for (std::int64_t i = 0; i < texts * heads; ++i) f(i / heads, i % heads, 0);
      return;
    }
#pragma omp parallel for num_threads(threads_) schedule(static, 1)
    for (int thread = 0; thread < threads_; ++thread) {
      for (std::int64_t i = thread; i < texts * heads; i += threads_)
        f(i / heads, i % heads, thread);
    }
  }

  /// The weights of a block of queries, the first at position `at`, over all that one of them sees.
  Matrix weigh(std::int64_t text, std::int64_t head, ConstMatrix q, std::int64_t at,
               std::int64_t seen, int thread) {
    if (op_.causal) seen = at + q.rows;
    const Matrix weights(weights_[static_cast<std::size_t>(thread)].data(), q.rows, seen,
                         whole_lines(seen));
    cache_.score(text, head / share(), q, weights);
    for (std::int64_t i = 0; i < q.rows; ++i) {
      const std::int64_t end = op_.causal ? at + i + 1 : seen;
      const std::int64_t begin = op_.window > 0 ? std::max<std::int64_t>(0, end - op_.window) : 0;
      // Over whole lines, of which what it does not see becomes 0.
      float* const row = weights.row(i);
      const std::int64_t first = begin / kLine * kLine;
      std::fill(row + first, row + begin, -std::numeric_limits<float>::infinity());
      std::fill(row + end, row + whole_lines(end), -std::numeric_limits<float>::infinity());
      softmax(row + first, whole_lines(end) - first, scale_);
      std::fill(row, row + first, 0.0F);
      if (whole_lines(end) < seen) std::fill(row + whole_lines(end), row + seen, 0.0F);
    }
    return weights;
  }

  /// The values of one head as [head, positions], for products that stream over positions.
  void turn_values(ConstMatrix v, int thread) {
    std::vector<float>& turned = values_[static_cast<std::size_t>(thread)];
    turned.resize(static_cast<std::size_t>(head_ * capacity_));
    for (std::int64_t i = 0; i < v.rows; ++i) {
      for (std::int64_t d = 0; d < head_; ++d)
        turned[static_cast<std::size_t>(d * capacity_ + i)] = v.row(i)[d];
    }
  }

  static void clear(Matrix x) {
    for (std::int64_t i = 0; i < x.rows; ++i) std::fill_n(x.row(i), x.cols, 0.0F);
  }

  /// c += or = a^T b, with a[n, m], b[n, k] and c[m, k].
  static void multiply_turned(ConstMatrix a, ConstMatrix b, Matrix c) {
    multiply({.m = c.rows,
              .n = c.cols,
              .k = a.rows,
              .a = a.data,
              .a_row = 1,
              .a_col = a.stride,
              .b_row = b.stride,
              .c = c.data,
              .c_row = c.stride,
              .add = true},
             b.data);
  }

  /// With weights P and y = P v: dP = dy v^T, and through the softmax the scores' derivative
  /// dS = P (dP - sum over a row of dy y) / sqrt(head); dq = dS k, dk = dS^T q, dv = P^T dy.
  void back(std::span<const ConstMatrix> x, ConstMatrix y, ConstMatrix dy,
            std::span<const Matrix> dx, const Task& task) {
    const std::int64_t kv_head = task.head / share();
    const ConstMatrix q = queries(x[0], task.text, task.head);
    const ConstMatrix k = keys(x[1], task.text, kv_head);
    const ConstMatrix out = queries(y, task.text, task.head);
    const ConstMatrix by_out = queries(dy, task.text, task.head);
    std::vector<float>& memory = slopes_[static_cast<std::size_t>(task.thread)];
    memory.resize(static_cast<std::size_t>(kBlock * capacity_));
    for (std::int64_t begin = 0; begin < q.rows; begin += kBlock) {
      const std::int64_t rows = std::min(kBlock, q.rows - begin);
      const ConstMatrix queries_here(q.row(begin), rows, head_, q.stride);
      const ConstMatrix slopes_here(by_out.row(begin), rows, head_, by_out.stride);
      const Matrix p = weigh(task.text, task.head, queries_here, begin, k.rows, task.thread);
      const Matrix ds(memory.data(), rows, p.cols);
      multiply({.m = rows,
                .n = p.cols,
                .k = head_,
                .a = slopes_here.data,
                .a_row = slopes_here.stride,
                .b_row = capacity_,
                .c = ds.data,
                .c_row = ds.stride},
               values_[static_cast<std::size_t>(task.thread)].data());
      for (std::int64_t i = 0; i < rows; ++i) {
        const float sum = dot(slopes_here.row(i), out.row(begin + i), head_);
        for (std::int64_t j = 0; j < p.cols; ++j)
          ds.row(i)[j] = p.row(i)[j] * (ds.row(i)[j] - sum) * scale_;
      }
      if (dx[0].data != nullptr) {
        const Matrix dq = queries(dx[0], task.text, task.head);
        multiply({.m = rows,
                  .n = head_,
                  .k = p.cols,
                  .a = ds.data,
                  .a_row = ds.stride,
                  .b_row = k.stride,
                  .c = dq.row(begin),
                  .c_row = dq.stride},
                 k.data);
      }
      const auto upto = [&](Matrix slope) {
        return Matrix(slope.data, p.cols, slope.cols, slope.stride);
      };
      if (dx[1].data != nullptr)
        multiply_turned(ds, queries_here, upto(keys(dx[1], task.text, kv_head)));
      if (dx[2].data != nullptr)
        multiply_turned(p, slopes_here, upto(keys(dx[2], task.text, kv_head)));
    }
  }

  Attention op_;
  std::int64_t head_, capacity_;
  float scale_;
  int threads_;
  const TextState* text_;
  KvCache cache_;
  std::vector<std::vector<float>> weights_, slopes_, values_;  // by thread
};

}  // namespace

Extent output_extent(const Attention& op, std::span<const Extent> inputs) {
  const Extent& q = inputs[0];
  require(op.heads >= 1 && op.kv_heads >= 1, "needs heads and kv_heads >= 1");
  require(op.heads % op.kv_heads == 0, "has kv_heads that do not divide its heads");
  require(q.is_sequence() && inputs[1].is_sequence(), "takes sequences");
  require(q.channels % op.heads == 0, "has heads that do not divide the channels of its queries");
  require(inputs[1] == inputs[2], "has keys and values of different sizes");
  require(inputs[1].channels == q.channels / op.heads * op.kv_heads,
          "has keys of another size than kv_heads of its queries' heads");
  require(!op.causal || q.width == inputs[1].width,
          "is causal, with other positions of keys than of queries");
  return q;
}

std::unique_ptr<Op> make_op(const Attention& op, const OpPlace& place) {
  return std::make_unique<AttentionHeads>(op, place);
}

}  // namespace qassay
