#include "datasets/tokenizers/added_words.hpp"

namespace qassay {

void AddedWords::add(std::string_view word, std::int32_t id) {
  if (nodes_.empty()) nodes_.emplace_back();
  std::size_t at = 0;
  for (const char c : word) {
    const auto [next, is_new] = nodes_[at].next.try_emplace(c, nodes_.size());
    at = next->second;
    if (is_new) nodes_.emplace_back();
  }
  nodes_[at].id = id;
}

AddedWords::Found AddedWords::longest(std::string_view text) const {
  Found found;
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto next = nodes_[at].next.find(text[i]);
    if (next == nodes_[at].next.end()) break;
    at = next->second;
    if (nodes_[at].id >= 0) found = {i + 1, nodes_[at].id};
  }
  return found;
}

void AddedWords::split(std::string_view text, const std::function<void(std::string_view)>& on_text,
                       const std::function<void(std::int32_t)>& on_word) const {
  std::size_t open = 0;  // text that is not handed on yet begins here
  const auto close = [&](std::size_t end) {
    if (open < end) on_text(text.substr(open, end - open));
  };
  for (std::size_t at = 0; !empty() && at < text.size();) {
    const Found found = longest(text.substr(at));
    if (found.bytes == 0) {
      ++at;
      continue;
    }
    close(at);
    on_word(found.id);
    open = at += found.bytes;
  }
  close(text.size());
}

}  // namespace qassay
