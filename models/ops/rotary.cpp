// Rotary position embedding (Su et al. 2021, arXiv:2104.09864, section 3.4.2). The cosines and
// sines of all positions are a table.

#include <cmath>
#include <numbers>
#include <vector>

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"
#include "models/ops/vector_loops.hpp"

namespace qassay {
namespace {

/// Radians a position of pair i.
double frequency(const Rotary& op, std::int64_t i) {
  const double plain =
      std::pow(op.base, -2.0 * static_cast<double>(i) / static_cast<double>(op.head));
  if (op.original == 0) return plain / op.factor;
  const double turns = static_cast<double>(op.original) * plain / (2 * std::numbers::pi);
  if (turns <= op.low) return plain / op.factor;
  if (turns >= op.high) return plain;
  const double kept = (turns - op.low) / (op.high - op.low);
  return kept * plain + (1 - kept) * plain / op.factor;
}

class Rotation final : public Op {
 public:
  Rotation(const Rotary& op, const OpPlace& place)
      : half_(op.head / 2),
        channels_(place.output.channels),
        threads_(place.threads),
        text_(place.text) {
    for (std::int64_t position = 0; position < place.output.width; ++position) {
      for (std::int64_t i = 0; i < half_; ++i) {
        const double angle = static_cast<double>(position) * frequency(op, i);
        cosines_.push_back(static_cast<float>(std::cos(angle)));
        sines_.push_back(static_cast<float>(std::sin(angle)));
      }
    }
  }

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    turn(x.front(), y, text_ == nullptr ? 0 : text_->past, 1);
  }
  /// A rotation's derivative is the rotation back.
  void backward(std::span<const ConstMatrix>, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    if (dx.front().data != nullptr) turn(dy, dx.front(), 0, -1);
  }

 private:
  void turn(ConstMatrix x, Matrix y, std::int64_t past, float direction) const {
    const std::int64_t positions = x.cols / channels_;
    for_shares(
        x.rows * positions, threads_,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t angles = (past + row % positions) * half_;
            for (std::int64_t head = row * channels_; head < (row + 1) * channels_;
                 head += 2 * half_) {
              rotate(x.data + head, cosines_.data() + angles, sines_.data() + angles, direction,
                     y.data + head, half_);
            }
          }
        },
        x.rows * x.cols);
  }

  std::int64_t half_, channels_;
  int threads_;
  const TextState* text_;
  std::vector<float> cosines_, sines_;  // [positions, half_]
};

}  // namespace

Extent output_extent(const Rotary& op, std::span<const Extent> inputs) {
  const Extent& in = inputs.front();
  require(in.is_sequence(), "takes a sequence");
  require(op.head >= 2 && op.head % 2 == 0, "needs an even head >= 2");
  require(in.channels % op.head == 0, "has a head that does not divide its channels");
  require(op.base >= 1 && op.factor >= 1, "needs base and factor >= 1");
  require(op.original == 0 || (op.low > 0 && op.low < op.high), "needs 0 < low < high");
  return in;
}

std::unique_ptr<Op> make_op(const Rotary& op, const OpPlace& place) {
  return std::make_unique<Rotation>(op, place);
}

}  // namespace qassay
