#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "core/seed.hpp"
#include "models/ops/op.hpp"
#include "tests/models/naive_forward.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {

struct OperatorCase {
  Operator op;
  Extent input;
  std::int64_t samples = 3;
  std::optional<Extent> others = std::nullopt;  // of the inputs behind the first; else the same
};

inline const std::vector<OperatorCase> kOperatorCases{
    {Linear{.outputs = 4}, {1, 1, 7}},
    {Linear{.outputs = 19, .bias = false}, {1, 1, 33}, 2},
    {Linear{.outputs = 1}, {1, 1, 1}, 1},
    {Conv2d{.outputs = 5, .kernel = 3}, {6, 5, 4}},
    {Conv2d{.outputs = 16, .kernel = 3, .padding = 1, .bias = false}, {5, 6, 16}},
    {Conv2d{.outputs = 6, .kernel = 3, .stride = 2, .padding = 1}, {7, 8, 3}},
    {Conv2d{.outputs = 4, .kernel = 3, .stride = 2}, {8, 6, 2}},  // a row and a column unread
    {Conv2d{.outputs = 8, .kernel = 1}, {4, 3, 6}},
    {Conv2d{.outputs = 8, .kernel = 1, .stride = 2, .bias = false}, {6, 5, 4}},
    {Conv2d{.outputs = 3, .kernel = 1, .padding = 1}, {3, 3, 2}},  // windows of padding alone
    {Conv2d{.outputs = 6, .kernel = 3, .padding = 1, .groups = 2}, {5, 4, 4}},
    {Conv2d{.outputs = 6, .kernel = 1, .groups = 3, .bias = false}, {2, 3, 9}},
    {Conv2d{.outputs = 6, .kernel = 3, .padding = 1, .groups = 6}, {5, 6, 6}},  // depthwise
    {Conv2d{.outputs = 16, .kernel = 3, .stride = 2, .padding = 1, .groups = 16, .bias = false},
     {7, 7, 16}},
    {Conv2d{.outputs = 8, .kernel = 3, .padding = 1, .groups = 4}, {4, 4, 4}},  // two a channel
    {Conv2d{.outputs = 3, .kernel = 5, .stride = 3, .padding = 2}, {9, 8, 1}},
    {Conv2d{.outputs = 2, .kernel = 4, .padding = 1}, {4, 3, 2}},  // nearly all of the image
    {BatchNorm{}, {4, 3, 5}},
    {BatchNorm{.epsilon = 0.5}, {1, 1, 6}, 7},
    {Relu{}, {5, 4, 3}},
    {Relu6{}, {7, 5, 3}},
    {HardSwish{}, {7, 5, 3}},
    {MaxPool{.kernel = 2, .stride = 2}, {6, 5, 3}},
    {MaxPool{.kernel = 3, .stride = 2, .padding = 1}, {7, 6, 2}},
    {MaxPool{.kernel = 3, .stride = 1, .padding = 2}, {4, 5, 3}},
    {MaxPool{.kernel = 1, .stride = 2}, {4, 3, 2}},
    {AvgPool{.kernel = 2, .stride = 2}, {6, 5, 3}},
    {AvgPool{.kernel = 3, .stride = 2, .padding = 1}, {7, 6, 2}},
    {AvgPool{.kernel = 3, .stride = 1, .padding = 2}, {4, 5, 3}},
    {GlobalAvgPool{}, {5, 3, 4}},
    {GlobalAvgPool{}, {1, 1, 4}},
    {Add{}, {3, 4, 5}},
    {Flatten{}, {3, 4, 2}},
    {Softmax{}, {1, 1, 5}},
    {Softmax{}, {1, 1, 1}, 2},
    {Linear{.outputs = 5}, {1, 6, 3}},  // at each position
    {Embedding{.vocabulary = 11, .channels = 6}, {1, 9, 1}},
    {Embedding{.vocabulary = 1, .channels = 1}, {1, 1, 1}, 1},
    {PositionEmbedding{.positions = 7}, {1, 7, 5}},
    {PositionEmbedding{.positions = 9}, {1, 4, 3}},
    {RmsNorm{}, {1, 5, 7}},
    {RmsNorm{.epsilon = 0.5}, {1, 1, 33}, 2},
    {LayerNorm{}, {1, 5, 7}},
    {LayerNorm{.epsilon = 0.5}, {1, 2, 33}, 2},
    {ChannelScale{}, {1, 5, 7}},
    {ChannelScale{}, {3, 4, 33}, 2},
    {ChannelOrder{}, {1, 5, 7}},
    {ChannelOrder{}, {3, 4, 33}, 2},
    {Rotary{.head = 6}, {1, 8, 18}},
    {Rotary{.head = 2, .base = 50}, {1, 3, 2}, 1},
    {Rotary{.head = 8, .factor = 4}, {1, 9, 8}},
    {Rotary{.head = 16, .base = 100, .factor = 8, .low = 1, .high = 4, .original = 20},
     {1, 12, 32}},
    {Attention{.heads = 2, .kv_heads = 2}, {1, 7, 10}},
    {Attention{.heads = 6, .kv_heads = 2}, {1, 33, 18}, 2, Extent{1, 33, 6}},  // shared heads
    {Attention{.heads = 3, .kv_heads = 1, .window = 4}, {1, 11, 21}, 2, Extent{1, 11, 7}},
    {Attention{.heads = 1, .kv_heads = 1}, {1, 1, 3}, 2},
    {Attention{.heads = 2, .kv_heads = 2, .causal = false}, {1, 5, 32}},
    {Attention{.heads = 4, .kv_heads = 2, .causal = false}, {1, 5, 12}, 2, Extent{1, 9, 6}},
    {Silu{}, {1, 5, 7}},
    {Gelu{}, {1, 5, 7}},
    {GeluTanh{}, {1, 5, 7}},
    {Multiply{}, {1, 4, 5}},
    {Unfold{.kernel = 3, .padding = 1}, {1, 6, 4}},
    {Unfold{.kernel = 3, .stride = 2, .padding = 1}, {1, 9, 2}},
    {Unfold{.kernel = 4, .stride = 3}, {1, 8, 3}},
};

inline std::string text_of(const OperatorCase& c) {
  return fmt::format("{} of {}x{}x{}, {} samples", describe({"op", c.op, {0}}), c.input.height,
                     c.input.width, c.input.channels, c.samples);
}

/// Different numbers in a drawn order, each a whole number and a half of steps of 0.15: at least
/// 0.075 from 0, +-3 and 6, where the activations have kinks, and 0.15 from each other, so that the
/// maximum of a window stays where it is while the differences are taken.
inline std::vector<float> numbers_off_the_kinks(std::int64_t count, const std::string& seed) {
  std::vector<float> numbers;
  for (std::int64_t i = 0; i < count; ++i)
    numbers.push_back(0.15F * (static_cast<float>(i - count / 2) + 0.5F));
  Random random(seed_from_name(seed));
  for (std::size_t i = numbers.size(); i > 1; --i)
    std::swap(numbers[i - 1], numbers[random.below(i)]);
  return numbers;
}

inline std::vector<float> drawn_order(std::size_t count) {
  std::vector<float> order(count);
  std::iota(order.begin(), order.end(), 0.0F);
  Random(count).shuffle(order);
  return order;
}

/// An operator with inputs, parameters and memory for everything that it computes.
class OperatorSubject {
 public:
  explicit OperatorSubject(const OperatorCase& c, int threads = 2) : case_(c) {
    const std::size_t count = input_count(c.op);
    OpPlace place;
    place.inputs.assign(count, c.others.value_or(c.input));
    place.inputs.front() = c.input;
    place.output =
        std::visit([&](const auto& op) { return output_extent(op, place.inputs); }, c.op);
    place.samples = c.samples + 1;  // more than are used
    place.threads = threads;
    for (const ParameterShape& shape : own_parameters(c.op, place.inputs)) {
      names_.push_back("op." + shape.name);
      std::int64_t size = 1;
      for (const std::int64_t dim : shape.dims) size *= dim;
      Tensor& tensor = parameters_[names_.back()];
      tensor = {shape.dims, normal_numbers(size, names_.back())};
      if (shape.name == "running_var") {
        for (float& value : tensor.values) value = 0.5F + std::fabs(value);
      }
      if (shape.name == "order") tensor.values = drawn_order(tensor.values.size());
      gradients_[names_.back()] = {shape.dims, std::vector<float>(tensor.values.size(), 77.0F)};
    }
    for (const std::string& name : names_) {
      place.parameters.push_back(&parameters_.at(name));
      if (!name.starts_with("op.running_")) place.gradients.push_back(&gradients_.at(name));
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "input" + std::to_string(i);
      const std::int64_t features = place.inputs[i].features();
      inputs_.push_back(takes_ids() ? ids(c.samples * features, name)
                                    : numbers(c.samples * features, name));
      slopes_.push_back(std::vector<float>(inputs_.back().size(), 77.0F));
      x_.emplace_back(inputs_.back().data(), c.samples, features);
      naive_.emplace_back(x_.back(), place.inputs[i]);
    }
    output_.assign(static_cast<std::size_t>(c.samples * place.output.features()), 77.0F);
    y_ = {output_.data(), c.samples, place.output.features()};
    doubles_ = in_double(parameters_);
    op_ = std::visit([&](const auto& op) { return make_op(op, place); }, c.op);
  }

  /// Ids have no derivative.
  bool takes_ids() const { return std::holds_alternative<Embedding>(case_.op); }

  std::vector<float> forward(Mode mode) {
    op_->forward(x_, y_, mode);
    return output_;
  }
  /// After a forward in training.
  void backward(const std::vector<float>& dy) {
    std::vector<Matrix> dx;
    for (std::size_t i = 0; i < slopes_.size(); ++i)
      dx.emplace_back(slopes_[i].data(), x_[i].rows, x_[i].cols);
    op_->backward(x_, y_, {dy.data(), y_.rows, y_.cols}, dx);
  }
  /// The same where no input wants its derivative.
  void backward_to_parameters(const std::vector<float>& dy) {
    std::vector<Matrix> dx;
    for (const ConstMatrix& x : x_) dx.emplace_back(nullptr, x.rows, x.cols);
    op_->backward(x_, y_, {dy.data(), y_.rows, y_.cols}, dx);
  }

  std::vector<double> naive_forward(Statistics statistics) const {
    return naive_operator(case_.op, "op", naive_, doubles_, statistics).at;
  }

  /// A derivative of sum(weights * naive output).
  struct Slope {
    std::size_t index;
    double value;
  };
  /// By each of `at`, which must be numbers of this subject, or by kMost drawn ones of them:
  /// central differences. In double a step of 1e-4 leaves errors near 1e-8.
  std::vector<Slope> differences(std::vector<double>& at, const std::vector<float>& weights) {
    constexpr double kStep = 1e-4;
    constexpr std::size_t kMost = 60;
    const auto functional = [&] {
      const std::vector<double> y = naive_forward(Statistics::of_the_batch);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * weights[i];
      return sum;
    };
    Random random(at.size());
    std::vector<Slope> slopes;
    for (std::size_t i = 0; i < std::min(at.size(), kMost); ++i) {
      const std::size_t index = at.size() <= kMost ? i : random.below(at.size());
      const double before = at[index];
      at[index] = before + kStep;
      const double above = functional();
      at[index] = before - kStep;
      const double below = functional();
      at[index] = before;
      slopes.push_back({index, (above - below) / (2 * kStep)});
    }
    return slopes;
  }

  const OperatorCase case_;
  std::vector<std::string> names_;  // of the parameters
  Parameters parameters_, gradients_;
  std::vector<std::vector<float>> inputs_, slopes_;
  std::vector<NaiveValue> naive_;
  NaiveParameters doubles_;
  std::vector<float> output_;

 private:
  /// Large ones would leave the softmax of attention with nothing but zeros and ones.
  std::vector<float> numbers(std::int64_t count, const std::string& seed) const {
    return std::holds_alternative<Attention>(case_.op) ? normal_numbers(count, seed)
                                                       : numbers_off_the_kinks(count, seed);
  }
  std::vector<float> ids(std::int64_t count, const std::string& seed) const {
    const auto vocabulary = static_cast<std::uint64_t>(std::get<Embedding>(case_.op).vocabulary);
    Random random(seed_from_name(seed));
    std::vector<float> drawn;
    for (std::int64_t i = 0; i < count; ++i)
      drawn.push_back(static_cast<float>(random.below(vocabulary)));
    return drawn;
  }

  std::vector<ConstMatrix> x_;
  Matrix y_;
  std::unique_ptr<Op> op_;
};

}  // namespace qassay
