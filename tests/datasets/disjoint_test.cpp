#include "datasets/disjoint.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

#include "core/seed.hpp"
#include "tests/datasets/faults.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;
using Tokens = std::vector<std::int32_t>;

Tokens random_tokens(std::size_t count, std::string_view seed, std::uint64_t vocabulary = 300) {
  Random random(seed_from_name(seed));
  Tokens tokens(count);
  for (std::int32_t& token : tokens) token = static_cast<std::int32_t>(random.below(vocabulary));
  return tokens;
}

/// Copies `count` tokens of one text from `from` into the other at `to`.
void share(const Tokens& source, std::ptrdiff_t from, Tokens& target, std::ptrdiff_t to,
           std::ptrdiff_t count) {
  std::copy_n(source.begin() + from, count, target.begin() + to);
}

std::string overlap_fault(const Tokens& calibration, const Tokens& evaluation) {
  return fault_of([&] { check_disjoint(calibration, evaluation); });
}

TEST(DisjointTest, TakesTextsThatShareLess) {
  const Tokens calibration = random_tokens(5000, "a");
  for (const std::size_t size : {100U, 3000U, 9000U}) {
    Tokens evaluation = random_tokens(size, "b");
    EXPECT_NO_THROW(check_disjoint(calibration, evaluation));
    if (size < 1000) continue;
    // The tokens before and after are made to differ.
    evaluation[500 - 1] = evaluation[500 + 255] = 1000;
    share(calibration, 777, evaluation, 500, 255);
    EXPECT_NO_THROW(check_disjoint(calibration, evaluation));
    EXPECT_NO_THROW(check_disjoint(evaluation, calibration));
  }
}

TEST(DisjointTest, FindsARunOf256WhereverItStands) {
  for (const std::ptrdiff_t from : {0, 1, 777, 5000 - 256}) {
    for (const std::ptrdiff_t to : {0, 300, 3000 - 256}) {
      const Tokens calibration = random_tokens(5000, "a");
      Tokens evaluation = random_tokens(3000, "b");
      share(calibration, from, evaluation, to, 256);
      EXPECT_THAT(overlap_fault(calibration, evaluation),
                  HasSubstr("shares 256 tokens in a row with the calibration text (from token " +
                            std::to_string(from) + " there, " + std::to_string(to) + " here)"));
      EXPECT_THAT(overlap_fault(evaluation, calibration),
                  HasSubstr("(from token " + std::to_string(to) + " there, " +
                            std::to_string(from) + " here)"));
    }
  }
}

TEST(DisjointTest, FindsTheSameText) {
  EXPECT_THAT(overlap_fault({1, 2, 3}, {1, 2, 3}), HasSubstr("is the calibration text"));
  EXPECT_NO_THROW(check_disjoint(Tokens{1, 2, 3}, Tokens{1, 2, 3, 4}));
}

TEST(DisjointTest, TakesRepetitiveTexts) {
  // Runs of two periods never meet; every run of one text has the hash of a thousand others.
  Tokens calibration, evaluation;
  for (std::int32_t i = 0; i < 100'000; ++i) {
    calibration.push_back(i % 3);
    evaluation.push_back(i % 2);
  }
  EXPECT_NO_THROW(check_disjoint(calibration, evaluation));
  EXPECT_NO_THROW(check_disjoint(Tokens(10'000, 0), Tokens(10'000, 1)));
  EXPECT_THAT(overlap_fault(Tokens(10'000, 0), Tokens(300, 0)), HasSubstr("shares 256 tokens"));
}

}  // namespace
}  // namespace qassay
