#include "datasets/tokenizers/sentencepiece.hpp"

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <exception>
#include <functional>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/json_object.hpp"

namespace qassay {
namespace {

using sentencepiece::SentencePieceProcessor;

/// Calls the library; what it says or throws becomes an InputError.
void ask_sentencepiece(std::string_view place, std::string_view doing,
                       const std::function<sentencepiece::util::Status()>& call) {
  std::string fault;
  try {
    const auto status = call();
    if (status.ok()) return;
    fault = status.ToString();
  } catch (const std::exception& error) {
    fault = error.what();
  }
  throw InputError(place, fmt::format("cannot be {} by SentencePiece ({})", doing, excerpt(fault)),
                   "check that it is the right file");
}

class SentencePiece final : public Tokenizer {
 public:
  SentencePiece(Facts facts, std::unique_ptr<SentencePieceProcessor> processor)
      : Tokenizer(std::move(facts)), processor_(std::move(processor)) {}

 private:
  std::vector<std::int32_t> ids_of(std::string_view utf8) const override {
    std::vector<int> ids;
    ask_sentencepiece("the text", "encoded", [&] { return processor_->Encode(utf8, &ids); });
    return ids;
  }

  std::string text_of(std::span<const std::int32_t> ids) const override {
    std::string text;
    ask_sentencepiece("the ids", "decoded", [&] {
      return processor_->Decode(std::vector<int>(ids.begin(), ids.end()), &text);
    });
    return text;
  }

  std::unique_ptr<SentencePieceProcessor> processor_;
};

}  // namespace

std::unique_ptr<Tokenizer> parse_sentencepiece(std::string_view model, std::string_view file) {
  auto processor = std::make_unique<SentencePieceProcessor>();
  ask_sentencepiece(file, "read", [&] { return processor->LoadFromSerializedProto(model); });
  const auto special = [](int id) {
    return id < 0 ? std::nullopt : std::optional<std::int32_t>(id);
  };
  return std::make_unique<SentencePiece>(Tokenizer::Facts{.name = "sentencepiece",
                                                          .vocabulary = processor->GetPieceSize(),
                                                          .bos = special(processor->bos_id()),
                                                          .eos = special(processor->eos_id()),
                                                          .hash = sha256(model)},
                                         std::move(processor));
}

}  // namespace qassay
