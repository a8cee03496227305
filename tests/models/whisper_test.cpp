// The encoder of Whisper against one written again: in double, from the paper's description.

#include "models/whisper.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/train/training_graph.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

using Rows = std::vector<std::vector<double>>;

constexpr Whisper kTiny{.channels = 6,
                        .mel_bins = 5,
                        .positions = 4,
                        .vocabulary = 11,
                        .text_positions = 7,
                        .encoder = {.layers = 2, .heads = 2, .feed_forward = 9},
                        .decoder = {.layers = 3, .heads = 3, .feed_forward = 8}};

double gelu(double x) { return x * std::erfc(-x / std::sqrt(2.0)) / 2; }

class Encoder {
 public:
  explicit Encoder(const Parameters& parameters) : parameters_(parameters) {}

  Rows run(const Rows& frames) const {
    Rows x = convolve(convolve(frames, "conv1", 1), "conv2", 2);
    for (std::size_t p = 0; p < x.size(); ++p)
      for (std::size_t c = 0; c < x[p].size(); ++c)
        x[p][c] += values("embed_positions.weight")[p * x[p].size() + c];
    for (int i = 0; i < 2; ++i) {
      const std::string layer = "layers." + std::to_string(i) + ".";
      const Rows in = norm(x, layer + "input_norm");
      x = sum(x, linear(attend(linear(in, layer + "q_proj"), linear(in, layer + "k_proj"),
                               linear(in, layer + "v_proj")),
                        layer + "o_proj"));
      Rows wide = linear(norm(x, layer + "post_norm"), layer + "up_proj");
      for (auto& row : wide) std::ranges::transform(row, row.begin(), gelu);
      x = sum(x, linear(wide, layer + "down_proj"));
    }
    return norm(x, "norm");
  }

 private:
  const std::vector<float>& values(const std::string& name) const {
    return parameters_.at(name).values;
  }
  /// Three frames, zeros beyond the ends.
  Rows convolve(const Rows& x, const std::string& name, std::size_t stride) const {
    const std::size_t channels = x[0].size();
    Rows y;
    for (std::size_t at = 0; at < x.size(); at += stride) {
      y.emplace_back();
      for (std::size_t n = 0; n < 6; ++n) {
        double total = values(name + ".bias")[n];
        for (std::size_t tap = 0; tap < 3; ++tap) {
          if (at + tap < 1 || at + tap - 1 >= x.size()) continue;
          for (std::size_t c = 0; c < channels; ++c)
            total += x[at + tap - 1][c] * values(name + ".weight")[(n * 3 + tap) * channels + c];
        }
        y.back().push_back(gelu(total));
      }
    }
    return y;
  }
  Rows linear(const Rows& x, const std::string& name) const {
    const bool bias = parameters_.contains(name + ".bias");
    EXPECT_EQ(bias, !name.ends_with("k_proj"));
    Rows y;
    for (const auto& row : x) {
      y.emplace_back();
      const std::vector<float>& weight = values(name + ".weight");
      for (std::size_t n = 0; n < weight.size() / row.size(); ++n) {
        double total = bias ? values(name + ".bias")[n] : 0;
        for (std::size_t k = 0; k < row.size(); ++k) total += row[k] * weight[n * row.size() + k];
        y.back().push_back(total);
      }
    }
    return y;
  }
  Rows norm(Rows x, const std::string& name) const {
    for (auto& row : x) {
      double mean = 0;
      double variance = 0;
      for (const double value : row) mean += value / 6;
      for (const double value : row) variance += (value - mean) * (value - mean) / 6;
      for (std::size_t c = 0; c < 6; ++c)
        row[c] = (row[c] - mean) / std::sqrt(variance + 1e-5) * values(name + ".weight")[c] +
                 values(name + ".bias")[c];
    }
    return x;
  }
  /// Two heads of three channels; every position sees all.
  static Rows attend(const Rows& q, const Rows& k, const Rows& v) {
    Rows y(q.size(), std::vector<double>(6));
    for (std::size_t head = 0; head < 6; head += 3) {
      for (std::size_t i = 0; i < q.size(); ++i) {
        double total = 0;
        std::vector<double> weights;
        for (const auto& key : k) {
          double score = 0;
          for (std::size_t c = head; c < head + 3; ++c) score += q[i][c] * key[c];
          weights.push_back(std::exp(score / std::sqrt(3.0)));
          total += weights.back();
        }
        for (std::size_t j = 0; j < k.size(); ++j)
          for (std::size_t c = head; c < head + 3; ++c) y[i][c] += weights[j] / total * v[j][c];
      }
    }
    return y;
  }
  static Rows sum(Rows a, const Rows& b) {
    for (std::size_t p = 0; p < a.size(); ++p)
      for (std::size_t c = 0; c < a[p].size(); ++c) a[p][c] += b[p][c];
    return a;
  }

  const Parameters& parameters_;
};

TEST(WhisperTest, TheEncoderIsThatOfASecondImplementation) {
  if (const auto refusal = training_missing()) GTEST_SKIP() << refusal->reason;
  Model model = drawn_model(whisper_encoder_graph(kTiny));
  const std::vector<float> x = normal_numbers(8 * 5, "frames");
  Rows frames;
  for (std::size_t i = 0; i < 8; ++i)
    frames.emplace_back(x.begin() + static_cast<std::ptrdiff_t>(5 * i),
                        x.begin() + static_cast<std::ptrdiff_t>(5 * i + 5));
  TrainingGraph graph(model, 1, 1);
  const ConstMatrix y = graph.forward({x.data(), 1, 8 * 5}, Mode::inference);
  const Rows expected = Encoder(model.parameters).run(frames);
  ASSERT_EQ(y.cols, 4 * 6);
  for (std::size_t i = 0; i < 4 * 6; ++i) EXPECT_NEAR(y.data[i], expected[i / 6][i % 6], 1e-4) << i;
}

/// Three layers of two attentions, 4 x 6^2 each, and 2 x 6 x 8; biases of three projections each.
TEST(WhisperTest, TheDecoderIsCounted) {
  const WhisperDecoderCount count = count_whisper_decoder(kTiny);
  EXPECT_EQ(count.layers, 3 * (2 * 4 * 36 + 2 * 48));
  EXPECT_EQ(count.biases, 3 * (2 * 3 * 6 + 8 + 6));
  EXPECT_EQ(count.norms, 3 * 3 * 12 + 12);
  EXPECT_EQ(count.embeddings, (11 + 7) * 6);
}

}  // namespace
}  // namespace qassay
