#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "datasets/tokenizers/byte_letters.hpp"
#include "datasets/tokenizers/tokenizer_json.hpp"

namespace qassay {

/// What Llama 3 splits its text by.
inline constexpr const char* kLlamaPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

inline nlohmann::json byte_level(bool use_regex = true) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

/// A Split by `pattern`, and a ByteLevel.
inline nlohmann::json split_by(const std::string& pattern) {
  const nlohmann::json split{{"type", "Split"},
                             {"pattern", {{"Regex", pattern}}},
                             {"behavior", "Isolated"},
                             {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", {split, byte_level(false)}}};
}

inline nlohmann::json added_token(const std::string& content, int id, bool special) {
  return {{"id", id},        {"content", content},     {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", !special}, {"special", special}};
}

/// A tokenizer.json of the 256 bytes, whose ids are their values, and of what `merges` make, from
/// 256 on. The merges are written without the letters for bytes: {" ", "a"}.
inline nlohmann::json small_tokenizer(
    const std::vector<std::pair<std::string, std::string>>& merges) {
  nlohmann::json vocab = nlohmann::json::object();
  for (int i = 0; i < 256; ++i) {
    vocab[letters_of_bytes(std::string(1, static_cast<char>(i)))] = i;
  }
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [left, right] : merges) {
    vocab.emplace(letters_of_bytes(left + right), vocab.size());
    list.push_back(letters_of_bytes(left) + " " + letters_of_bytes(right));
  }
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", nlohmann::json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", byte_level()},
          {"post_processor", nullptr},
          {"decoder", byte_level()},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", ""},
            {"end_of_word_suffix", ""},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", vocab},
            {"merges", list}}}};
}

inline std::unique_ptr<Tokenizer> tokenizer_of(
    const nlohmann::json& json, const std::optional<std::string>& config = std::nullopt) {
  return TokenizerJson(json.dump(), "folder").tokenizer(config);
}

/// Up to `most` characters of all that Unicode has, with many that tokenizers look at.
inline std::string random_text(std::mt19937& random, std::size_t most) {
  const std::vector<std::string> often{" ",      "  ",      "\n",       "\r\n",
                                       "\t",     "a",       "the",      " the",
                                       "é",      "e\u0301", "'s",       "'LL",
                                       "1",      "2026",    "你好",     "日本",
                                       "한국어", "ไทย",     "👍🏽", "👨‍👩‍👧",
                                       "\u00A0", "\u180E",  "\u200B",   "\u0085",
                                       "!?",     "<|end|>", "ſ",        std::string(1, '\0')};
  std::string text;
  for (std::size_t count = random() % (most + 1); count > 0; --count) {
    if (random() % 2 == 0) {
      text += often[random() % often.size()];
      continue;
    }
    auto point = static_cast<unsigned>(random() % 0x110000);
    if (random() % 2 == 0) point %= 0x3000;
    if (point >= 0xD800 && point < 0xE000) continue;  // surrogates
    const auto push = [&](unsigned byte) { text.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
      push(point);
    } else if (point < 0x800) {
      push(0xC0 | point >> 6);
    } else if (point < 0x10000) {
      push(0xE0 | point >> 12);
      push(0x80 | (point >> 6 & 0x3F));
    } else {
      push(0xF0 | point >> 18);
      push(0x80 | (point >> 12 & 0x3F));
      push(0x80 | (point >> 6 & 0x3F));
    }
    if (point >= 0x80) push(0x80 | (point & 0x3F));
  }
  return text;
}

}  // namespace qassay
