#include "datasets/tokenizers/tokenizer.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "datasets/utf8.hpp"

namespace qassay {
namespace {

constexpr std::size_t kMostTextBytes = std::size_t{1} << 30;

class ByteTokenizer final : public Tokenizer {
 public:
  ByteTokenizer()
      : Tokenizer({.name = "bytes",
                   .vocabulary = 256,
                   .bos = std::nullopt,
                   .eos = std::nullopt,
                   .hash = sha256("bytes")}) {}

 private:
  std::vector<std::int32_t> ids_of(std::string_view utf8) const override {
    const auto* bytes = reinterpret_cast<const unsigned char*>(utf8.data());
    return {bytes, bytes + utf8.size()};
  }
  std::string text_of(std::span<const std::int32_t> ids) const override {
    return {ids.begin(), ids.end()};
  }
};

}  // namespace

std::vector<std::int32_t> Tokenizer::encode(std::string_view utf8) const {
  if (utf8.size() > kMostTextBytes) {
    throw InputError("the text", fmt::format("has {} bytes, more than 2^30", utf8.size()),
                     "encode it in parts");
  }
  if (const auto odd = first_not_utf8(utf8)) {
    throw InputError("the text", fmt::format("is not UTF-8 at byte {}, counted from 0", *odd),
                     "convert it to UTF-8");
  }
  return ids_of(utf8);
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= facts_.vocabulary) {
      throw std::invalid_argument(fmt::format("no token has the id {}", id));
    }
  }
  return text_of(ids);
}

std::unique_ptr<Tokenizer> byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

}  // namespace qassay
