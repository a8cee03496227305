// A tokenizer.json, a zero byte, and a text for it. Tokens for all bytes are added to the
// vocabulary, which no fuzzer would find: most of what there is to go wrong lies behind them.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/json_object.hpp"
#include "datasets/tokenizers/byte_letters.hpp"
#include "datasets/tokenizers/nfc.hpp"
#include "datasets/tokenizers/tokenizer_json.hpp"
#include "tests/fuzz/expect.hpp"

namespace {

using nlohmann::json;

/// The text as it is where it is no JSON with a vocabulary.
std::string with_all_bytes(std::string_view text) {
  json file;
  try {
    file = qassay::parse_json(text, "tokenizer.json", 16);
  } catch (const qassay::InputError&) {
    return std::string(text);
  }
  const json::json_pointer place("/model/vocab");
  if (!file.contains(place) || !file[place].is_object()) return std::string(text);
  json& vocab = file[place];
  const int first = 64;  // lower ones are for the input to use
  for (int i = 0; i < 256; ++i) {
    vocab.emplace(qassay::letters_of_bytes(std::string(1, static_cast<char>(i))), first + i);
  }
  return file.dump();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qassay;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  const std::string_view text = input.substr(std::min(end + 1, size));
  expect_read_or_told([&] {
    const std::string file = with_all_bytes(input.substr(0, end));
    const auto tokenizer = TokenizerJson(file, "folder").tokenizer(std::nullopt);
    const auto ids = tokenizer->encode(text);
    for (const std::int32_t id : ids) expect(id >= 0 && id < tokenizer->vocabulary());
    const std::string decoded = tokenizer->decode(ids);
    const bool space_first = file.find("add_prefix_space\":true") != std::string::npos;
    expect(space_first || decoded == text || nfc(decoded) == nfc(text));
  });
  return 0;
}
