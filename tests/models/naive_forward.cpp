#include "tests/models/naive_forward.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qassay {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// What an operator is computed from.
struct Place {
  std::string name;
  std::span<const NaiveValue> inputs;
  const NaiveParameters& parameters;
  Statistics statistics;

  const NaiveValue& x() const { return inputs.front(); }
  const std::vector<double>& parameter(const char* own) const {
    return parameters.at(name + "." + own);
  }
};

/// f(sample, y, x, channel) for all of a value.
template <typename F>
void for_all(const NaiveValue& value, F f) {
  for (std::int64_t s = 0; s < value.samples; ++s)
    for (std::int64_t y = 0; y < value.height; ++y)
      for (std::int64_t x = 0; x < value.width; ++x)
        for (std::int64_t c = 0; c < value.channels; ++c) f(s, y, x, c);
}

template <typename F>
NaiveValue each_number(NaiveValue value, F f) {
  for (double& number : value.at) number = f(number);
  return value;
}

double relu6(double x) { return std::min(std::max(x, 0.0), 6.0); }

NaiveValue compute(const Linear& op, const Place& place) {
  const NaiveValue& x = place.x();
  NaiveValue out(x.samples, 1, x.width, op.outputs);
  for_all(out, [&](auto s, auto, auto p, auto n) {
    double sum = op.bias ? place.parameter("bias")[index(n)] : 0;
    for (std::int64_t k = 0; k < x.channels; ++k)
      sum += x(s, 0, p, k) * place.parameter("weight")[index(n * x.channels + k)];
    out(s, 0, p, n) = sum;
  });
  return out;
}

NaiveValue compute(const Conv2d& op, const Place& place) {
  const NaiveValue& x = place.x();
  const std::int64_t group_channels = x.channels / op.groups;
  const std::vector<double>& weight = place.parameter("weight");
  NaiveValue out(x.samples, (x.height + 2 * op.padding - op.kernel) / op.stride + 1,
                 (x.width + 2 * op.padding - op.kernel) / op.stride + 1, op.outputs);
  for_all(out, [&](auto s, auto oy, auto ox, auto n) {
    double sum = op.bias ? place.parameter("bias")[index(n)] : 0;
    const std::int64_t first = n / (op.outputs / op.groups) * group_channels;
    for (std::int64_t ky = 0; ky < op.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < op.kernel; ++kx) {
        const std::int64_t iy = oy * op.stride + ky - op.padding;
        const std::int64_t ix = ox * op.stride + kx - op.padding;
        if (iy < 0 || iy >= x.height || ix < 0 || ix >= x.width) continue;
        for (std::int64_t c = 0; c < group_channels; ++c) {
          sum += x(s, iy, ix, first + c) *
                 weight[index(((n * op.kernel + ky) * op.kernel + kx) * group_channels + c)];
        }
      }
    }
    out(s, oy, ox, n) = sum;
  });
  return out;
}

NaiveValue compute(const BatchNorm& op, const Place& place) {
  const NaiveValue& x = place.x();
  std::vector<double> mean = place.parameter("running_mean");
  std::vector<double> var = place.parameter("running_var");
  if (place.statistics == Statistics::of_the_batch) {
    const auto count = static_cast<double>(x.samples * x.height * x.width);
    std::ranges::fill(mean, 0.0);
    std::ranges::fill(var, 0.0);
    for_all(x, [&](auto s, auto y, auto column, auto c) {
      mean[index(c)] += x(s, y, column, c) / count;
    });
    for_all(x, [&](auto s, auto y, auto column, auto c) {
      var[index(c)] += std::pow(x(s, y, column, c) - mean[index(c)], 2) / count;
    });
  }
  NaiveValue out = x;
  for_all(out, [&](auto s, auto y, auto column, auto channel) {
    const std::size_t c = index(channel);
    out(s, y, column, channel) = place.parameter("weight")[c] *
                                     (x(s, y, column, channel) - mean[c]) /
                                     std::sqrt(var[c] + op.epsilon) +
                                 place.parameter("bias")[c];
  });
  return out;
}

NaiveValue compute(const Relu&, const Place& place) {
  return each_number(place.x(), [](double x) { return std::max(x, 0.0); });
}
NaiveValue compute(const Relu6&, const Place& place) { return each_number(place.x(), relu6); }
NaiveValue compute(const HardSwish&, const Place& place) {
  return each_number(place.x(), [](double x) { return x * relu6(x + 3) / 6; });
}

/// f(numbers of a window that lie in the image) for every window.
template <typename Pooling, typename F>
NaiveValue pool(const Pooling& op, const NaiveValue& x, F f) {
  NaiveValue out(x.samples, (x.height + 2 * op.padding - op.kernel) / op.stride + 1,
                 (x.width + 2 * op.padding - op.kernel) / op.stride + 1, x.channels);
  for_all(out, [&](auto s, auto oy, auto ox, auto c) {
    std::vector<double> window;
    for (std::int64_t iy = 0; iy < x.height; ++iy) {
      for (std::int64_t ix = 0; ix < x.width; ++ix) {
        const std::int64_t ky = iy - oy * op.stride + op.padding;
        const std::int64_t kx = ix - ox * op.stride + op.padding;
        if (ky >= 0 && ky < op.kernel && kx >= 0 && kx < op.kernel)
          window.push_back(x(s, iy, ix, c));
      }
    }
    out(s, oy, ox, c) = f(window);
  });
  return out;
}

double mean_of(const std::vector<double>& window) {
  double sum = 0;
  for (const double number : window) sum += number;
  return sum / static_cast<double>(window.size());
}

NaiveValue compute(const MaxPool& op, const Place& place) {
  return pool(op, place.x(),
              [](const std::vector<double>& w) { return *std::ranges::max_element(w); });
}
NaiveValue compute(const AvgPool& op, const Place& place) { return pool(op, place.x(), mean_of); }
NaiveValue compute(const GlobalAvgPool&, const Place& place) {
  const NaiveValue& x = place.x();
  NaiveValue out(x.samples, 1, 1, x.channels);
  for_all(x, [&](auto s, auto y, auto column, auto c) {
    out(s, 0, 0, c) += x(s, y, column, c) / static_cast<double>(x.height * x.width);
  });
  return out;
}

NaiveValue compute(const Embedding& op, const Place& place) {
  const NaiveValue& x = place.x();
  NaiveValue out(x.samples, 1, x.width, op.channels);
  for_all(out, [&](auto s, auto, auto p, auto c) {
    const double id = x(s, 0, p, 0);
    out(s, 0, p, c) =
        std::isnan(id) ? id : place.parameter("weight")[index(std::llround(id) * op.channels + c)];
  });
  return out;
}

NaiveValue compute(const PositionEmbedding&, const Place& place) {
  NaiveValue out = place.x();
  for_all(out, [&](auto s, auto, auto p, auto c) {
    out(s, 0, p, c) += place.parameter("weight")[index(p * out.channels + c)];
  });
  return out;
}

NaiveValue compute(const RmsNorm& op, const Place& place) {
  const NaiveValue& x = place.x();
  NaiveValue out = x;
  for_all(out, [&](auto s, auto y, auto p, auto c) {
    double squares = 0;
    for (std::int64_t i = 0; i < x.channels; ++i) squares += x(s, y, p, i) * x(s, y, p, i);
    out(s, y, p, c) = place.parameter("weight")[index(c)] * x(s, y, p, c) /
                      std::sqrt(squares / static_cast<double>(x.channels) + op.epsilon);
  });
  return out;
}

NaiveValue compute(const ChannelScale&, const Place& place) {
  NaiveValue out = place.x();
  for_all(out, [&](auto s, auto y, auto p, auto c) {
    out(s, y, p, c) *= place.parameter("weight")[index(c)];
  });
  return out;
}

NaiveValue compute(const ChannelOrder&, const Place& place) {
  const NaiveValue& x = place.x();
  NaiveValue out = x;
  for_all(out, [&](auto s, auto y, auto p, auto c) {
    out(s, y, p, c) = x(s, y, p, static_cast<std::int64_t>(place.parameter("order")[index(c)]));
  });
  return out;
}

NaiveValue compute(const LayerNorm& op, const Place& place) {
  const NaiveValue& x = place.x();
  NaiveValue out = x;
  for_all(out, [&](auto s, auto y, auto p, auto c) {
    double mean = 0;
    for (std::int64_t i = 0; i < x.channels; ++i) mean += x(s, y, p, i);
    mean /= static_cast<double>(x.channels);
    double var = 0;
    for (std::int64_t i = 0; i < x.channels; ++i) var += std::pow(x(s, y, p, i) - mean, 2);
    var /= static_cast<double>(x.channels);
    out(s, y, p, c) =
        place.parameter("weight")[index(c)] * (x(s, y, p, c) - mean) / std::sqrt(var + op.epsilon) +
        place.parameter("bias")[index(c)];
  });
  return out;
}

/// Channel i and its partner half a head further are a complex number that is turned.
NaiveValue compute(const Rotary& op, const Place& place) {
  const NaiveValue& x = place.x();
  NaiveValue out = x;
  for_all(out, [&](auto s, auto y, auto p, auto c) {
    const std::int64_t half = op.head / 2;
    const std::int64_t within = c % op.head;
    const std::int64_t pair = within % half;
    const double exponent = -2.0 * static_cast<double>(pair) / static_cast<double>(op.head);
    double speed = std::pow(op.base, exponent);
    const double slow = speed / op.factor;
    if (op.original == 0) {
      speed = slow;
    } else {
      const double pi = std::acos(-1.0);
      const double turns = static_cast<double>(op.original) * speed / (2 * pi);
      const double share = std::clamp((turns - op.low) / (op.high - op.low), 0.0, 1.0);
      speed = share * speed + (1 - share) * slow;
    }
    const double angle = speed * static_cast<double>(p);
    const std::int64_t first = c - within + pair;
    const double a = x(s, y, p, first);
    const double b = x(s, y, p, first + half);
    out(s, y, p, c) = within < half ? a * std::cos(angle) - b * std::sin(angle)
                                    : b * std::cos(angle) + a * std::sin(angle);
  });
  return out;
}

NaiveValue compute(const Attention& op, const Place& place) {
  const NaiveValue& q = place.inputs[0];
  const NaiveValue& k = place.inputs[1];
  const NaiveValue& v = place.inputs[2];
  const std::int64_t size = q.channels / op.heads;
  NaiveValue out = q;
  for_all(out, [&](auto s, auto, auto i, auto c) {
    const std::int64_t head = c / size;
    const std::int64_t shared = head / (op.heads / op.kv_heads);
    std::vector<double> weights(index(k.width), 0.0);
    double sum = 0;
    for (std::int64_t j = 0; j < k.width; ++j) {
      if (op.causal && j > i) continue;
      if (op.window > 0 && j <= i - op.window) continue;
      double score = 0;
      for (std::int64_t d = 0; d < size; ++d)
        score += q(s, 0, i, head * size + d) * k(s, 0, j, shared * size + d);
      sum += weights[index(j)] = std::exp(score / std::sqrt(static_cast<double>(size)));
    }
    double mixed = 0;
    for (std::int64_t j = 0; j < k.width; ++j)
      mixed += weights[index(j)] / sum * v(s, 0, j, shared * size + c % size);
    out(s, 0, i, c) = mixed;
  });
  return out;
}

NaiveValue compute(const Silu&, const Place& place) {
  return each_number(place.x(), [](double x) { return x / (1 + std::exp(-x)); });
}
NaiveValue compute(const Gelu&, const Place& place) {
  return each_number(place.x(), [](double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); });
}
NaiveValue compute(const GeluTanh&, const Place& place) {
  return each_number(place.x(), [](double x) {
    return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
  });
}

NaiveValue compute(const Multiply&, const Place& place) {
  NaiveValue out = place.x();
  for (std::size_t i = 0; i < out.at.size(); ++i) out.at[i] *= place.inputs[1].at[i];
  return out;
}

NaiveValue compute(const Unfold& op, const Place& place) {
  const NaiveValue& x = place.x();
  NaiveValue out(x.samples, 1, (x.width + 2 * op.padding - op.kernel) / op.stride + 1,
                 op.kernel * x.channels);
  for_all(out, [&](auto s, auto, auto p, auto c) {
    const std::int64_t t = p * op.stride - op.padding + c / x.channels;
    out(s, 0, p, c) = t < 0 || t >= x.width ? 0 : x(s, 0, t, c % x.channels);
  });
  return out;
}

NaiveValue compute(const Add&, const Place& place) {
  NaiveValue out = place.inputs[0];
  for (std::size_t i = 0; i < out.at.size(); ++i) out.at[i] += place.inputs[1].at.at(i);
  return out;
}

NaiveValue compute(const Flatten&, const Place& place) {
  NaiveValue out = place.x();
  out.channels *= out.height * out.width;
  out.height = out.width = 1;
  return out;
}

NaiveValue compute(const Softmax&, const Place& place) {
  NaiveValue out = each_number(place.x(), [](double x) { return std::exp(x); });
  std::vector<double> sums(index(out.samples));
  for_all(out, [&](auto s, auto, auto, auto c) { sums[index(s)] += out(s, 0, 0, c); });
  for_all(out, [&](auto s, auto, auto, auto c) { out(s, 0, 0, c) /= sums[index(s)]; });
  return out;
}

}  // namespace

NaiveValue::NaiveValue(std::int64_t samples_, std::int64_t height_, std::int64_t width_,
                       std::int64_t channels_)
    : samples(samples_),
      height(height_),
      width(width_),
      channels(channels_),
      at(index(samples_ * height_ * width_ * channels_)) {}

NaiveValue::NaiveValue(ConstMatrix x, const Extent& extent)
    : NaiveValue(x.rows, extent.height, extent.width, extent.channels) {
  std::copy_n(x.data, at.size(), at.begin());
}

double& NaiveValue::operator()(std::int64_t sample, std::int64_t y, std::int64_t x,
                               std::int64_t channel) {
  return at.at(index(((sample * height + y) * width + x) * channels + channel));
}

NaiveParameters in_double(const Parameters& parameters) {
  NaiveParameters all;
  for (const auto& [name, tensor] : parameters)
    all[name].assign(tensor.values.begin(), tensor.values.end());
  return all;
}

NaiveValue naive_operator(const Operator& op, const std::string& name,
                          std::span<const NaiveValue> inputs, const NaiveParameters& parameters,
                          Statistics statistics) {
  const Place place{name, inputs, parameters, statistics};
  return std::visit([&](const auto& one) { return compute(one, place); }, op);
}

std::vector<NaiveValue> naive_values(const Graph& graph, const NaiveParameters& parameters,
                                     const NaiveValue& input, Statistics statistics) {
  std::vector<NaiveValue> values{input};
  for (const Node& node : graph.nodes) {
    std::vector<NaiveValue> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(values.at(id));
    values.push_back(naive_operator(node.op, node.name, inputs, parameters, statistics));
  }
  return values;
}

std::vector<double> naive_forward(const Model& model, ConstMatrix x) {
  return naive_values(model.graph, in_double(model.parameters), {x, model.graph.input},
                      Statistics::running)
      .back()
      .at;
}

}  // namespace qassay
