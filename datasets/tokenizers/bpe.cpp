#include "datasets/tokenizers/bpe.hpp"

#include <algorithm>
#include <queue>
#include <tuple>
#include <utility>

namespace qassay {
namespace {

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

constexpr std::int32_t kNone = -1;

}  // namespace

/// The tokens of one piece as a list, and the merges that could be made in it.
struct Bpe::Merging {
  struct Symbol {
    std::int32_t id;  // kNone once it is a part of the one before
    std::int32_t previous;
    std::int32_t next;
  };
  struct Candidate {
    std::int32_t rank;
    std::int32_t at;  // the left symbol
    Merge merge;      // stale where the symbols are others by now
    bool operator>(const Candidate& other) const {
      return std::tie(rank, at) > std::tie(other.rank, other.at);
    }
  };

  const Bpe& bpe;
  std::vector<Symbol> symbols{};
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates{};

  void offer(std::int32_t at) {
    if (at == kNone || symbols[at].next == kNone) return;
    const std::int32_t left = symbols[at].id;
    const std::int32_t right = symbols[symbols[at].next].id;
    const auto rule = bpe.rules_.find(pair_key(left, right));
    if (rule == bpe.rules_.end()) return;
    candidates.push({rule->second.rank, at, {left, right, rule->second.result}});
  }

  void apply(const Candidate& best) {
    Symbol& left = symbols[best.at];
    if (left.id != best.merge.left || left.next == kNone) return;
    Symbol& right = symbols[left.next];
    if (right.id != best.merge.right) return;
    left.id = best.merge.result;
    left.next = right.next;
    right.id = kNone;
    if (left.next != kNone) symbols[left.next].previous = best.at;
    offer(left.previous);
    offer(best.at);
  }
};

Bpe::Bpe(const std::array<std::int32_t, 256>& bytes, const std::vector<Merge>& merges,
         IdOfText whole)
    : bytes_(bytes), whole_(std::move(whole)) {
  rules_.reserve(merges.size());
  for (const Merge& merge : merges) {
    rules_.try_emplace(pair_key(merge.left, merge.right),
                       Rule{static_cast<std::int32_t>(rules_.size()), merge.result});
  }
}

void Bpe::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (piece.empty()) return;
  if (const auto token = whole_.find(piece); token != whole_.end()) {
    ids.push_back(token->second);
    return;
  }
  Merging merging{*this};
  const auto size = static_cast<std::int32_t>(piece.size());
  merging.symbols.reserve(piece.size());
  for (std::int32_t i = 0; i < size; ++i) {
    merging.symbols.push_back({.id = bytes_[static_cast<unsigned char>(piece[i])],
                               .previous = i - 1,
                               .next = i + 1 < size ? i + 1 : kNone});
  }
  for (std::int32_t i = 0; i < size; ++i) merging.offer(i);
  while (!merging.candidates.empty()) {
    const Merging::Candidate best = merging.candidates.top();
    merging.candidates.pop();
    merging.apply(best);
  }
  for (std::int32_t i = 0; i != kNone; i = merging.symbols[i].next) {
    ids.push_back(merging.symbols[i].id);
  }
}

}  // namespace qassay
