#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <vector>

namespace qassay {

/// Texts that are one token wherever they occur, before a tokenizer looks at what is around them.
class AddedWords {
 public:
  static constexpr std::size_t kLongest = 256;  // bytes; finding takes as many steps a byte

  /// Precondition: 1 to kLongest bytes.
  void add(std::string_view word, std::int32_t id);
  bool empty() const { return nodes_.empty(); }

  /// The words in `text`, the first of those that overlap and the longest of those that begin at
  /// one place, and the text between them, none of it empty, in order.
  void split(std::string_view text, const std::function<void(std::string_view)>& on_text,
             const std::function<void(std::int32_t)>& on_word) const;

 private:
  struct Node {
    std::map<char, std::size_t> next;
    std::int32_t id = -1;
  };
  struct Found {
    std::size_t bytes = 0;
    std::int32_t id = -1;
  };
  Found longest(std::string_view text) const;

  std::vector<Node> nodes_;  // a tree of prefixes; the first is its root
};

}  // namespace qassay
