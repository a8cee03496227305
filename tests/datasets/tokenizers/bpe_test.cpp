#include "datasets/tokenizers/bpe.hpp"

#include <gmock/gmock.h>

#include <map>
#include <numeric>
#include <random>

namespace qassay {
namespace {

using ::testing::ElementsAre;

std::array<std::int32_t, 256> each_byte() {
  std::array<std::int32_t, 256> ids{};
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

std::vector<std::int32_t> encode(const Bpe& bpe, std::string_view piece) {
  std::vector<std::int32_t> ids;
  bpe.encode(piece, ids);
  return ids;
}

/// By the definition: looks through all neighbours for each merge.
std::vector<std::int32_t> naive(const std::vector<Bpe::Merge>& merges, std::string_view piece) {
  std::vector<std::int32_t> ids(piece.begin(), piece.end());
  for (;;) {
    std::size_t best = merges.size(), at = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      for (std::size_t rank = 0; rank < best; ++rank) {
        if (merges[rank].left == ids[i] && merges[rank].right == ids[i + 1]) best = rank, at = i;
      }
    }
    if (best == merges.size()) return ids;
    ids[at] = merges[best].result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

TEST(BpeTest, MergesByRankAndFromTheLeft) {
  const Bpe bpe(each_byte(), {{'b', 'c', 256}, {'a', 'b', 257}, {'a', 'a', 258}}, {});
  EXPECT_THAT(encode(bpe, "abc"), ElementsAre('a', 256));
  EXPECT_THAT(encode(bpe, "aaa"), ElementsAre(258, 'a'));
  EXPECT_THAT(encode(bpe, "x"), ElementsAre('x'));
  EXPECT_THAT(encode(bpe, ""), ElementsAre());
}

TEST(BpeTest, TakesWholePiecesWhateverTheMerges) {
  const Bpe bpe(each_byte(), {{'a', 'b', 256}}, {{"abc", 300}});
  EXPECT_THAT(encode(bpe, "abc"), ElementsAre(300));
  EXPECT_THAT(encode(bpe, "abcd"), ElementsAre(256, 'c', 'd'));
}

// Merges in any order: one may come before those that make its parts.
TEST(BpeTest, AgreesWithTheDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    std::map<std::string, std::int32_t> tokens{{"a", 'a'}, {"b", 'b'}, {"c", 'c'}};
    std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> pairs;
    while (pairs.size() < 50) {
      const auto any = [&] { return *std::next(tokens.begin(), random() % tokens.size()); };
      const auto [left, left_id] = any();
      const auto [right, right_id] = any();
      if (left.size() + right.size() > 9) continue;
      const auto next = static_cast<std::int32_t>(256 + tokens.size());
      pairs[{left_id, right_id}] = tokens.try_emplace(left + right, next).first->second;
    }
    std::vector<Bpe::Merge> merges;
    for (const auto& [pair, result] : pairs) merges.push_back({pair.first, pair.second, result});
    std::shuffle(merges.begin(), merges.end(), random);
    const Bpe bpe(each_byte(), merges, {});
    for (int i = 0; i < 50; ++i) {
      std::string piece(random() % 60, ' ');
      for (char& c : piece) c = static_cast<char>('a' + random() % 3);
      EXPECT_EQ(encode(bpe, piece), naive(merges, piece)) << piece;
    }
  }
}

// Quadratic work would take minutes.
TEST(BpeTest, MergesLongPieces) {
  std::vector<Bpe::Merge> merges{{'a', 'a', 256}};
  for (int i = 0; i < 9; ++i) merges.push_back({256 + i, 256 + i, 257 + i});
  const Bpe bpe(each_byte(), merges, {});
  EXPECT_EQ(encode(bpe, std::string(1 << 18, 'a')), std::vector<std::int32_t>(1 << 8, 265));
}

}  // namespace
}  // namespace qassay
