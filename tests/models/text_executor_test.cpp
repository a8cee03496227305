// Texts through the executor: whole, in pieces, and the scores of the last position alone.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/seed.hpp"
#include "models/decoder.hpp"
#include "tests/models/naive_forward.hpp"
#include "tests/models/packed_model.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kVocabulary = 19, kContext = 40;

Decoder llama() {
  return {.vocabulary = kVocabulary,
          .context = kContext,
          .channels = 24,
          .layers = 2,
          .heads = 6,
          .kv_heads = 2,
          .head = 10,
          .feed_forward = 37,
          .norm = RmsNorm{},
          .positions = Rotary{.head = 10},
          .activation = Silu{}};
}

Decoder gpt() {
  return {.vocabulary = kVocabulary,
          .context = kContext,
          .channels = 21,
          .layers = 2,
          .heads = 3,
          .kv_heads = 3,
          .head = 7,
          .feed_forward = 50,
          .window = 9,
          .norm = LayerNorm{},
          .positions = PositionEmbedding{.positions = 64},
          .activation = GeluTanh{},
          .gated = false,
          .qkv_bias = true,
          .output_bias = true,
          .feed_forward_bias = true};
}

Model drawn(const Decoder& decoder) { return drawn_model(decoder_graph(decoder)); }

std::vector<float> ids(std::int64_t count) {
  Random random(5);
  std::vector<float> drawn;
  for (std::int64_t i = 0; i < count; ++i)
    drawn.push_back(static_cast<float>(random.below(kVocabulary)));
  return drawn;
}

/// The first `length` ids of each of m texts whose ids are kContext apart.
std::vector<float> columns(const std::vector<float>& x, std::int64_t m, std::int64_t begin,
                           std::int64_t length) {
  std::vector<float> part;
  for (std::int64_t text = 0; text < m; ++text) {
    const auto first = x.begin() + text * kContext + begin;
    part.insert(part.end(), first, first + length);
  }
  return part;
}

std::vector<float> run(Executor& executor, const std::vector<float>& x, std::int64_t m,
                       bool go_on = false) {
  const std::int64_t positions = static_cast<std::int64_t>(x.size()) / m;
  std::vector<float> y(x.size() * kVocabulary, std::nanf(""));
  const ConstMatrix in(x.data(), m, positions);
  const Matrix out(y.data(), m, positions * kVocabulary);
  go_on ? executor.go_on(in, out) : executor.run(in, out);
  return y;
}

template <typename T>
double distance(std::span<const float> got, std::span<const T> wanted) {
  double most = 0;
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    most = std::max(most, static_cast<double>(std::fabs(wanted[i])));
    const double difference = std::fabs(got[i] - wanted[i]);
    largest = std::isnan(difference) ? INFINITY : std::max(largest, difference);
  }
  return got.size() == wanted.size() ? largest / most : INFINITY;
}

class TextExecutorTest : public ::testing::TestWithParam<Decoder> {};

TEST_P(TextExecutorTest, EqualsANaiveForwardPassForAnyBatchAndThreads) {
  const Model model = drawn(GetParam());
  const std::vector<float> x = ids(3 * kContext);
  for (const int threads : {1, 3}) {
    PackedModel packed(model, 3, nullptr, threads);
    for (const std::int64_t m : {1, 2, 3}) {
      const std::vector<double> wanted = naive_forward(model, {x.data(), m, kContext});
      EXPECT_LT(distance<double>(run(packed.executor(), columns(x, m, 0, kContext), m), wanted),
                1e-5)
          << m;
    }
  }
}

TEST_P(TextExecutorTest, TextsInPiecesGiveTheScoresOfWholeOnes) {
  PackedModel packed(drawn(GetParam()), 2);
  Executor& executor = packed.executor();
  const std::vector<float> x = ids(2 * kContext);
  const std::vector<float> whole = run(executor, x, 2);
  for (const std::vector<std::int64_t>& pieces : std::vector<std::vector<std::int64_t>>{
           {kContext}, {1, kContext - 1}, {17, 1, 1, 1, 20}, {kContext - 3, 1, 1, 1}}) {
    std::int64_t begin = 0;
    for (const std::int64_t piece : pieces) {
      const std::vector<float> y = run(executor, columns(x, 2, begin, piece), 2, begin > 0);
      for (std::int64_t text = 0; text < 2; ++text) {
        const auto size = static_cast<std::size_t>(piece * kVocabulary);
        const auto from = static_cast<std::size_t>((text * kContext + begin) * kVocabulary);
        EXPECT_LT(distance<float>(std::span(y).subspan(static_cast<std::size_t>(text) * size, size),
                                  std::span(whole).subspan(from, size)),
                  1e-5)
            << "piece of " << piece << " at " << begin;
      }
      begin += piece;
      EXPECT_EQ(executor.past(), begin);
    }
  }
}

TEST_P(TextExecutorTest, GivesTheScoresOfTheLastPositionAlone) {
  PackedModel packed(drawn(GetParam()), 2);
  const std::vector<float> x = ids(2 * kContext);
  for (const std::int64_t length : {std::int64_t{1}, std::int64_t{7}, kContext}) {
    const std::vector<float> part = columns(x, 2, 0, length);
    const std::vector<float> whole = run(packed.executor(), part, 2);
    std::vector<float> last(2 * kVocabulary, std::nanf(""));
    packed.executor().run({part.data(), 2, length}, {last.data(), 2, kVocabulary});
    for (std::int64_t text = 0; text < 2; ++text) {
      const auto row = std::span(whole).subspan(
          static_cast<std::size_t>(((text + 1) * length - 1) * kVocabulary), kVocabulary);
      EXPECT_LT(distance<float>(std::span(last).subspan(
                                    static_cast<std::size_t>(text * kVocabulary), kVocabulary),
                                row),
                1e-6)
          << length;
    }
  }
}

/// What the formats cost: binary16 has 11 bits, int8 127 steps to the largest of a head.
TEST_P(TextExecutorTest, KeepsTheKeysAndValuesInTheFormatThatIsAskedFor) {
  const Model model = drawn(GetParam());
  const std::vector<float> x = ids(kContext);
  const std::vector<double> wanted = naive_forward(model, {x.data(), 1, kContext});
  double before = 0;
  for (const auto& [format, limit] :
       {std::pair{KvFormat::fp32, 1e-5}, {KvFormat::fp16, 3e-3}, {KvFormat::int8, 6e-2}}) {
    PackedModel packed(model, 1, nullptr, 1, {.kv_cache = format});
    const double error = distance<double>(run(packed.executor(), x, 1), wanted);
    EXPECT_LT(error, limit) << to_string(format);
    EXPECT_GT(error, 2 * before) << to_string(format);
    before = error;
  }
}

TEST_P(TextExecutorTest, AShorterCallNeedsLessMemoryAndGivesTheSame) {
  const Model model = drawn(GetParam());
  PackedModel packed(model, 1);
  PackedModel one(model, 1, nullptr, 1, {.positions = 1});
  EXPECT_LT(one.executor().value_bytes(), packed.executor().value_bytes() / 8);
  const std::vector<float> x = ids(kContext);
  const std::vector<float> whole = run(packed.executor(), x, 1);
  for (std::int64_t i = 0; i < kContext; ++i) {
    const std::vector<float> y = run(one.executor(), columns(x, 1, i, 1), 1, i > 0);
    ASSERT_LT(distance<float>(y, std::span(whole).subspan(static_cast<std::size_t>(i * kVocabulary),
                                                          kVocabulary)),
              1e-5)
        << i;
  }
  EXPECT_THROW(run(one.executor(), columns(x, 1, 0, 2), 1), std::invalid_argument);
}

TEST_P(TextExecutorTest, GoesBackAndForgets) {
  PackedModel packed(drawn(GetParam()), 1);
  Executor& executor = packed.executor();
  const std::vector<float> x = ids(kContext);
  run(executor, columns(x, 1, 0, 30), 1);
  const std::vector<float> there = run(executor, columns(x, 1, 30, 5), 1, true);
  run(executor, columns(x, 1, 0, 5), 1, true);
  executor.rewind(30);
  EXPECT_EQ(run(executor, columns(x, 1, 30, 5), 1, true), there);
  EXPECT_THROW(executor.rewind(36), std::invalid_argument);
  EXPECT_THROW(executor.rewind(-1), std::invalid_argument);
}

TEST_P(TextExecutorTest, RefusesTextsThatDoNotFit) {
  PackedModel packed(drawn(GetParam()), 1);
  Executor& executor = packed.executor();
  const std::vector<float> x = ids(kContext);
  run(executor, x, 1);
  EXPECT_THROW(run(executor, columns(x, 1, 0, 1), 1, true), std::invalid_argument);
  std::vector<float> y(kVocabulary);
  EXPECT_THROW(executor.run({x.data(), 1, 3}, {y.data(), 1, 2}), std::invalid_argument);
  for (const float id : {-1.0F, 0.5F, static_cast<float>(kVocabulary)})
    EXPECT_THROW(run(executor, {id}, 1), std::invalid_argument) << id;
}

INSTANTIATE_TEST_SUITE_P(Decoders, TextExecutorTest, ::testing::Values(llama(), gpt()),
                         [](const auto& test) {
                           return std::string(test.index == 0 ? "Llama" : "Gpt");
                         });

}  // namespace
}  // namespace qassay
