// Against ids that Hugging Face's `tokenizers` 0.22.2 gave for vocabularies that others made: those
// that scripts/fetch-tokenizers gets. OpenAI's own way, in JavaScript (gpt-3-encoder), gave the
// same for GPT-2.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/json_object.hpp"
#include "datasets/tokenizers/nfc.hpp"
#include "tests/datasets/tokenizers/small_tokenizer.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::Not;

struct Reference {
  const char* text;
  std::vector<std::int32_t> gpt2;
  std::vector<std::int32_t> qwen3;
  std::vector<std::int32_t> thinned;  // GPT-2's, used as in ThinnedGpt2...
};

// clang-format off
const std::vector<Reference> kReferences{
    {"Hello world",
     {15496, 995},
     {9707, 1879},
     {15496, 995}},
    {"",
     {},
     {},
     {}},
    {"don't I'LL we'Ve 'tis",
     {9099, 470, 314, 6, 3069, 356, 6, 26979, 705, 48010},
     {15007, 944, 358, 6, 4086, 582, 6, 42612, 364, 83, 285},
     {9099, 470, 314, 6, 3069, 356, 6, 26979, 705, 48010}},
    {"  two   three    \n\n  x\r\n\ty ",
     {220, 734, 220, 220, 1115, 220, 220, 220, 220, 628, 220, 2124, 201, 198, 197, 88, 220},
     {220, 1378, 256, 2326, 14808, 220, 856, 319, 14522, 220},
     {220, 734, 220, 220, 1115, 220, 220, 220, 220, 198, 198, 220, 2124, 201, 198, 197, 88, 220}},
    {"1234567 3.14 \xC2\xBD\xC2\xB2 7th",
     {10163, 2231, 3134, 513, 13, 1415, 25208, 31185, 767, 400},
     {16, 17, 18, 19, 20, 21, 22, 220, 18, 13, 16, 19, 220, 26062, 29456, 220, 22, 339},
     {10163, 29228, 22, 220, 18, 13, 1415, 220, 23141, 31185, 220, 22, 400}},
    {"na\xC3\xAFve caf\xC3\xA9 \xCE\xA9mega stra\xC3\x9F" "e \xC5\xBF's",
     {2616, 38776, 40304, 7377, 102, 13731, 3534, 39683, 68, 25370, 123, 338},
     {3376, 37572, 586, 51950, 7851, 102, 42510, 607, 64, 23455, 25917, 123, 594},
     {2616, 127, 107, 303, 40304, 7377, 102, 13731, 965, 64, 39683, 68, 25370, 123, 338}},
    {"\xE4\xBD\xA0\xE5\xA5\xBD\xEF\xBC\x8C\xE4\xB8\x96\xE7\x95\x8C\xEF\xBC\x81\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E \xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4",
     {19526, 254, 25001, 121, 171, 120, 234, 10310, 244, 45911, 234, 171, 120, 223, 33768, 98, 17312, 105, 45739, 252, 220, 47991, 250, 166, 113, 255, 168, 244, 112},
     {108386, 3837, 99489, 6313, 101059, 102819, 130092, 31079},
     {19526, 254, 25001, 121, 171, 120, 234, 10310, 244, 45911, 234, 171, 120, 223, 33768, 98, 17312, 105, 164, 103, 252, 220, 47991, 250, 166, 113, 255, 168, 244, 112}},
    {"\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD \xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 \xF0\x9F\x98\x80",
     {41840, 235, 8582, 237, 121, 50169, 101, 447, 235, 41840, 102, 447, 235, 41840, 100, 30325, 222},
     {144349, 145375, 61804, 101, 378, 235, 145233, 378, 235, 145665, 90316},
     {41840, 235, 8582, 237, 121, 220, 41840, 101, 447, 235, 41840, 102, 447, 235, 41840, 100, 220, 47249, 222}},
    {"cafe\xCC\x81 A\xCC\x8A \xE2\x84\xAB \xEF\xAC\x81",
     {66, 8635, 136, 223, 317, 136, 232, 2343, 226, 104, 27332, 105, 223},
     {924, 58858, 79252, 79252, 32495, 70731},
     {66, 1878, 68, 136, 223, 317, 136, 232, 2343, 226, 104, 27332, 105, 223}},
    {"\xE0\xA4\xAE\xE0\xA5\x81\xE0\xA4\x82\xE0\xA4\xAC\xE0\xA4\x88 \xE0\xB8\xAA\xE0\xB8\xA7\xE0\xB8\xB1\xE0\xB8\xAA\xE0\xB8\x94\xE0\xB8\xB5",
     {11976, 106, 24231, 223, 11976, 224, 11976, 105, 11976, 230, 220, 19567, 103, 19567, 100, 19567, 109, 19567, 103, 19567, 242, 19567, 113},
     {87244, 72653, 72314, 145799, 147131, 129328, 37213, 23271, 125136, 28319},
     {11976, 106, 24231, 223, 11976, 224, 11976, 105, 11976, 230, 220, 156, 116, 103, 156, 116, 100, 156, 116, 109, 156, 116, 103, 156, 116, 242, 156, 116, 113}},
    {"a\xC2\xA0" "b\xE3\x80\x80 c\xE1\xA0\x8E" "d\xE2\x80\xA8" "e\xC2\x85" "f",
     {64, 1849, 65, 5099, 222, 269, 157, 254, 236, 67, 447, 101, 68, 126, 227, 69},
     {64, 4102, 65, 22441, 272, 123970, 236, 67, 378, 101, 68, 126, 227, 69},
     {64, 126, 254, 65, 5099, 222, 269, 157, 254, 236, 67, 447, 101, 68, 126, 227, 69}},
    {"int main() { return x->y != 0; } // <b>",
     {600, 1388, 3419, 1391, 1441, 2124, 3784, 88, 14512, 657, 26, 1782, 3373, 1279, 65, 29},
     {396, 1887, 368, 314, 470, 856, 405, 88, 961, 220, 15, 26, 335, 442, 366, 65, 29},
     {600, 1388, 3419, 1391, 1441, 2124, 3784, 88, 14512, 220, 15, 26, 1782, 3373, 1279, 65, 29}},
    {" \xD9\x85\xD8\xB1\xD8\xAD\xD8\xA8\xD8\xA7\xE2\x80\x8F, \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
     {47048, 26897, 148, 255, 39848, 12919, 447, 237, 11, 14360, 102, 40010, 27072, 147, 251},
     {23364, 126860, 124671, 378, 237, 11, 124756, 123881},
     {47048, 26897, 148, 255, 39848, 148, 100, 447, 237, 11, 14360, 102, 40010, 27072, 147, 251}},
};
// clang-format on

std::filesystem::path fetched(const char* name) {
  return std::filesystem::path(QASSAY_FETCHED_TOKENIZERS) / name;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class ReferenceTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(fetched("gpt2"))) {
      GTEST_SKIP() << "not in " << QASSAY_FETCHED_TOKENIZERS
                   << ": scripts/fetch-tokenizers gets it";
    }
  }
};

TEST_F(ReferenceTest, Gpt2) {
  const auto tokenizer = load_tokenizer(fetched("gpt2"));
  EXPECT_EQ(tokenizer->vocabulary(), 50257);
  EXPECT_EQ(tokenizer->eos(), 50256);
  for (const Reference& reference : kReferences) {
    EXPECT_EQ(tokenizer->encode(reference.text), reference.gpt2) << reference.text;
    EXPECT_EQ(tokenizer->decode(reference.gpt2), reference.text);
  }
  EXPECT_THAT(tokenizer->encode("<|endoftext|> x"),
              ElementsAre(27, 91, 437, 1659, 5239, 91, 29, 2124));
}

TEST_F(ReferenceTest, Qwen3) {
  const auto tokenizer = load_tokenizer(fetched("qwen3"));
  EXPECT_EQ(tokenizer->vocabulary(), 151669);
  EXPECT_EQ(tokenizer->bos(), std::nullopt);
  EXPECT_EQ(tokenizer->eos(), 151645);
  for (const Reference& reference : kReferences) {
    EXPECT_EQ(tokenizer->encode(reference.text), reference.qwen3) << reference.text;
    EXPECT_EQ(tokenizer->decode(reference.qwen3), nfc(reference.text));
  }
  EXPECT_THAT(tokenizer->encode("<|endoftext|>"), Not(testing::Contains(151643)));
  EXPECT_THAT(tokenizer->encode("<tool_call>"), ElementsAre(151657));  // is not special
}

// GPT-2's vocabulary used as Llama 3's is: its pattern, and tokens before merges, of which every
// third is left out so that this makes a difference.
TEST_F(ReferenceTest, ThinnedGpt2AsLlama3) {
  auto file = small_tokenizer({});
  file["pre_tokenizer"] = split_by(kLlamaPattern);
  file["model"]["ignore_merges"] = true;
  file["model"]["vocab"] = parse_json(read(fetched("gpt2") / "vocab.json"), "vocab.json", 1);
  std::istringstream lines(read(fetched("gpt2") / "merges.txt"));
  std::string line;
  std::getline(lines, line);  // the version
  for (int i = 0; std::getline(lines, line); ++i) {
    if (i % 3 != 0) file["model"]["merges"].push_back(line);
  }
  const auto tokenizer = tokenizer_of(file);
  for (const Reference& reference : kReferences) {
    EXPECT_EQ(tokenizer->encode(reference.text), reference.thinned) << reference.text;
  }
}

}  // namespace
}  // namespace qassay
