#include "datasets/text_file.hpp"

#include <gmock/gmock.h>

#include <span>

#include "core/hash.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TextFileTest : public ::testing::Test {
 protected:
  std::filesystem::path write(std::string_view content) const {
    const auto bytes = std::as_bytes(std::span(content));
    write_file(folder_.path() / "file.txt", {bytes.begin(), bytes.end()});
    return folder_.path() / "file.txt";
  }

  TemporaryFolder folder_;
};

TEST_F(TextFileTest, ReadsTextAsItIs) {
  const std::filesystem::path path = write("caf\xC3\xA9\r\n");
  const TextSet text = read_text_file(path);
  EXPECT_EQ(text.name, path.string());
  EXPECT_EQ(text.text, "caf\xC3\xA9\r\n");
  EXPECT_EQ(text.hash, sha256(text.text));
}

TEST_F(TextFileTest, RefusesTextThatIsNotUtf8WithThePlace) {
  const std::filesystem::path path = write("caf\xE9");
  EXPECT_THAT(fault_of([&] { read_text_file(path); }),
              AllOf(HasSubstr("file.txt: is not UTF-8 at byte 3"), HasSubstr("iconv")));
}

TEST_F(TextFileTest, RefusesEmptyAndMissingFiles) {
  const std::filesystem::path path = write("");
  EXPECT_THAT(fault_of([&] { read_text_file(path); }), HasSubstr("file.txt: is empty"));
  EXPECT_THAT(fault_of([&] { read_token_file(path); }), HasSubstr("file.txt: has no token ids"));
  const std::filesystem::path missing = folder_.path() / "none";
  EXPECT_THAT(fault_of([&] { read_text_file(missing); }), HasSubstr("none: cannot be read"));
  EXPECT_THAT(fault_of([&] { read_token_file(missing); }), HasSubstr("none: cannot be read"));
}

TEST_F(TextFileTest, ReadsTokens) {
  EXPECT_THAT(read_token_file(write("1 22\t333\r\n\n0\n2147483647")),
              ElementsAre(1, 22, 333, 0, 2147483647));
}

TEST_F(TextFileTest, NamesTheLineOfWhatIsNoToken) {
  for (const std::string word :
       {"-1", "-0", "+1", "1.5", "1e3", "0x1", "a", "1,2", "2147483648", "99999999999999999999"}) {
    EXPECT_THAT(fault_of([&] { parse_tokens("1 2\n3 " + word + " 4\n", "tokens"); }),
                HasSubstr("tokens:2: '" + word + "' is no token id"));
  }
  EXPECT_THAT(fault_of([&] { parse_tokens("\x1B[2J" + std::string(99, 'a'), "tokens"); }),
              HasSubstr("'?[2Jaaaaaaaaaaaaaaaa...' is no token id"));
}

}  // namespace
}  // namespace qassay
