// Channels in another order. The order is a parameter, whose numbers are counted from 0 and have no
// derivative.

#include <algorithm>
#include <vector>

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"

namespace qassay {
namespace {

class Reordering final : public Op {
 public:
  explicit Reordering(const OpPlace& place) : threads_(place.threads), gradients_(place.gradients) {
    const std::vector<float>& order = place.parameters.front()->values;
    std::vector<bool> taken(order.size());
    for (const float channel : order) {
      const bool is_channel = channel >= 0 && channel < static_cast<float>(order.size()) &&
                              channel == static_cast<float>(static_cast<std::size_t>(channel));
      if (!is_channel || taken[static_cast<std::size_t>(channel)]) {
        throw InputError("order", "has not each of the channels once",
                         "number them from 0, each once");
      }
      taken[static_cast<std::size_t>(channel)] = true;
      order_.push_back(static_cast<std::int64_t>(channel));
    }
  }

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_rows(y.rows * y.cols, [&](std::int64_t row) {
      const float* const in = x.front().data + row * channels();
      float* const out = y.data + row * channels();
      for (std::int64_t c = 0; c < channels(); ++c) out[c] = in[source(c)];
    });
  }

  void backward(std::span<const ConstMatrix>, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    for (Tensor* gradient : gradients_) std::ranges::fill(gradient->values, 0.0F);
    if (dx.front().data == nullptr) return;
    for_rows(dy.rows * dy.cols, [&](std::int64_t row) {
      const float* const slope = dy.data + row * channels();
      float* const out = dx.front().data + row * channels();
      for (std::int64_t c = 0; c < channels(); ++c) out[source(c)] = slope[c];
    });
  }

 private:
  std::int64_t channels() const { return static_cast<std::int64_t>(order_.size()); }
  std::int64_t source(std::int64_t channel) const {
    return order_[static_cast<std::size_t>(channel)];
  }
  template <typename F>
  void for_rows(std::int64_t numbers, F f) const {
    for_shares(
        numbers / channels(), threads_,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) f(row);
        },
        numbers);
  }

  int threads_;
  std::vector<Tensor*> gradients_;
  std::vector<std::int64_t> order_;
};

}  // namespace

Extent output_extent(const ChannelOrder&, std::span<const Extent> inputs) { return inputs.front(); }

std::unique_ptr<Op> make_op(const ChannelOrder&, const OpPlace& place) {
  return std::make_unique<Reordering>(place);
}

}  // namespace qassay
