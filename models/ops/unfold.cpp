// The windows of a sequence, one behind the other.

#include <algorithm>

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"

namespace qassay {
namespace {

class Windows final : public Op {
 public:
  Windows(const Unfold& op, const OpPlace& place)
      : op_(op), in_(place.inputs.front()), out_(place.output), threads_(place.threads) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_shares(y.rows * out_.width, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float* const in = x.front().row(i / out_.width);
        float* out = y.data + i * out_.channels;
        for (std::int64_t t = first(i); t < first(i) + op_.kernel; ++t, out += in_.channels) {
          if (inside(t)) {
            std::copy_n(in + t * in_.channels, in_.channels, out);
          } else {
            std::fill_n(out, in_.channels, 0.0F);
          }
        }
      }
    });
  }

  /// Windows overlap: a thread takes whole samples.
  void backward(std::span<const ConstMatrix>, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    if (dx.front().data == nullptr) return;
    for_shares(dy.rows, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t sample = begin; sample < end; ++sample) {
        float* const sums = dx.front().row(sample);
        std::fill_n(sums, dx.front().cols, 0.0F);
        const float* slope = dy.row(sample);
        for (std::int64_t p = 0; p < out_.width; ++p) {
          for (std::int64_t t = first(p); t < first(p) + op_.kernel; ++t, slope += in_.channels) {
            if (!inside(t)) continue;
            for (std::int64_t c = 0; c < in_.channels; ++c) sums[t * in_.channels + c] += slope[c];
          }
        }
      }
    });
  }

 private:
  std::int64_t first(std::int64_t i) const { return i % out_.width * op_.stride - op_.padding; }
  bool inside(std::int64_t t) const { return t >= 0 && t < in_.width; }

  Unfold op_;
  Extent in_, out_;
  int threads_;
};

}  // namespace

Extent output_extent(const Unfold& op, std::span<const Extent> inputs) {
  constexpr std::int64_t kLongestKernel = 4096;
  const Extent& in = inputs.front();
  require(in.is_sequence(), "takes a sequence");
  require(op.kernel >= 1 && op.stride >= 1, "needs kernel and stride >= 1");
  require(op.kernel <= kLongestKernel && op.padding <= kLongestKernel,
          "has a kernel or padding beyond 4096");
  require(op.kernel <= in.width + 2 * op.padding, "has a kernel larger than its input");
  return {1, (in.width + 2 * op.padding - op.kernel) / op.stride + 1, op.kernel * in.channels};
}

std::unique_ptr<Op> make_op(const Unfold& op, const OpPlace& place) {
  return std::make_unique<Windows>(op, place);
}

}  // namespace qassay
