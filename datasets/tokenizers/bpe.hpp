#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace qassay {

/// For looking views up among strings.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
using IdOfText = std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>>;

/// Byte-pair encoding (R. Sennrich and others, 2016, https://arxiv.org/abs/1508.07909): a piece of
/// text begins as its bytes; of the neighbours that have a merge, the pair of lowest rank, the
/// first of equals, becomes one token, until there is none.
class Bpe {
 public:
  struct Merge {
    std::int32_t left;
    std::int32_t right;
    std::int32_t result;
  };

  /// `bytes`: the id of each byte. `merges`: in the order of their ranks, each pair once. `whole`:
  /// pieces that are tokens whatever the merges make of them.
  Bpe(const std::array<std::int32_t, 256>& bytes, const std::vector<Merge>& merges, IdOfText whole);

  /// Adds the ids of the piece. O(n log n) in its bytes. Precondition: fewer than 2^31 bytes.
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const;

 private:
  struct Rule {
    std::int32_t rank;
    std::int32_t result;
  };
  struct Merging;

  std::array<std::int32_t, 256> bytes_;
  std::unordered_map<std::uint64_t, Rule> rules_;  // by left and right
  IdOfText whole_;
};

}  // namespace qassay
