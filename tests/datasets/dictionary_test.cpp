#include "datasets/dictionary.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <type_traits>

#include "core/hash.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

static_assert(!std::is_convertible_v<TestText, TrainingText>);
static_assert(!std::is_convertible_v<TestText, CalibrationText>);
static_assert(!std::is_convertible_v<CalibrationText, TrainingText>);

std::vector<std::uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

std::string base64(std::size_t number) {
  static const std::string digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  do {
    text.insert(text.begin(), digits[number % 64]);
    number /= 64;
  } while (number > 0);
  return text;
}

/// A dictionary of entries that the test makes, written to a folder.
class DictionaryTest : public ::testing::Test {
 protected:
  DictionaryTest() {
    manifest_.name = "tiny";
    manifest_.package = "dict-tiny";
  }

  /// The entries with a byte between them that belongs to none.
  void write(const std::vector<std::string>& entries) {
    std::string text, index;
    for (const std::string& entry : entries) {
      text += '~';
      index += fmt::format("word\t{}\t{}\n", base64(text.size()), base64(entry.size()));
      text += entry;
    }
    manifest_.bytes = static_cast<std::int64_t>(text.size());
    manifest_.entries = static_cast<std::int64_t>(entries.size());
    manifest_.text = put("tiny.dict.dz", gzip(bytes_of(text)));
    const auto plain = std::as_bytes(std::span(index));
    manifest_.index = put("tiny.index", {plain.begin(), plain.end()});
  }

  DictionaryFile put(const std::string& name, const std::vector<std::byte>& content) {
    write_file(folder_.path() / name, content);
    return {name, sha256(content)};
  }

  TextSplits read() const { return read_dictionary(manifest_, folder_.path()); }
  std::string fault() const {
    return fault_of([&] { read(); });
  }

  TemporaryFolder folder_;
  DictionaryManifest manifest_;
};

TEST_F(DictionaryTest, PutsEachEntryWholeIntoOneSplitByItsHash) {
  // The hash's first eight bytes modulo 100, from Python's hashlib: 98 has 0; 44 and 51 have 1;
  // 23 and 67 have 2; 76 and 83 have 3; all others have more.
  std::vector<std::string> entries;
  for (int i = 0; i < 100; ++i) entries.push_back(fmt::format("entry {}", i));
  write(entries);
  const TextSplits splits = read();
  EXPECT_EQ(splits.test.text, "entry 44\nentry 51\nentry 98");
  EXPECT_EQ(splits.calibration.text, "entry 23\nentry 67\nentry 76\nentry 83");
  EXPECT_THAT(splits.training.text, StartsWith("entry 0\nentry 1\n"));
  EXPECT_EQ(
      splits.training.text.size() + splits.calibration.text.size() + splits.test.text.size() + 3,
      10U * 7U + 90U * 8U + 100U);
}

TEST_F(DictionaryTest, EqualEntriesAreInOneSplit) {
  write({"twice", "twice"});
  EXPECT_EQ(read().training.text, "twice\ntwice");
}

TEST_F(DictionaryTest, NamesAndHashesItsSplits) {
  write({"a", "b"});
  const TextSplits splits = read();
  EXPECT_EQ(splits.training.name, "tiny/train");
  EXPECT_EQ(splits.calibration.name, "tiny/calibration");
  EXPECT_EQ(splits.test.name, "tiny/test");
  EXPECT_EQ(splits.training.hash, sha256(splits.training.text));
  EXPECT_EQ(splits.test.hash, sha256(""));
}

TEST_F(DictionaryTest, LeavesOutAsManyEntriesThatAreNotUtf8AsTheManifestSays) {
  write({"one",
         "f\xE7"
         "ade",
         "two"});
  EXPECT_THAT(fault(), AllOf(HasSubstr("tiny.dict.dz: has 1 entries that are not UTF-8 (the first "
                                       "at byte 6) where the manifest says 0"),
                             HasSubstr("mend the manifest or the file")));
  manifest_.not_utf8 = 1;
  EXPECT_EQ(read().training.text, "one\ntwo");
  manifest_.not_utf8 = 2;
  EXPECT_THAT(fault(), HasSubstr("has 1 entries that are not UTF-8"));
}

TEST_F(DictionaryTest, RefusesAnEntryThatCutsACharacter) {
  // The text is sound as a whole; the index ends an entry inside it.
  manifest_.bytes = 2;
  manifest_.entries = 1;
  manifest_.text = put("t", gzip(bytes_of("\xC3\xA9")));
  manifest_.index = put("i", {std::byte{'\t'}, std::byte{'A'}, std::byte{'\t'}, std::byte{'B'}});
  EXPECT_THAT(fault(), HasSubstr("the first at byte 0"));
}

TEST_F(DictionaryTest, RefusesOtherNumbersThanTheManifests) {
  write({"one", "two"});
  manifest_.entries = 3;
  EXPECT_THAT(fault(), HasSubstr("tiny.index: has 2 entries where the manifest says 3"));
  manifest_.entries = 2;
  manifest_.bytes += 1;
  EXPECT_THAT(fault(), HasSubstr("tiny.dict.dz: is cut short by 1 bytes"));
  manifest_.bytes -= 2;
  EXPECT_THAT(fault(), HasSubstr("has bytes after its last value"));
}

TEST_F(DictionaryTest, RefusesChangedAndMissingFiles) {
  write({"one"});
  put("tiny.index", {});
  EXPECT_THAT(fault(), AllOf(HasSubstr("tiny.index: has the SHA-256 " + sha256("")),
                             HasSubstr("install the package dict-tiny again")));
  std::filesystem::remove(folder_.path() / "tiny.dict.dz");
  EXPECT_THAT(fault(), HasSubstr("tiny.dict.dz: cannot be read"));
}

constexpr const char* kManifest = R"(name = "tiny"
origin = "https://example.org"
licence = "MIT"
copyright = "2020 Example"
package = "dict-tiny"
folder = "/usr/share/dictd"
bytes = 10
entries = 3
not_utf8 = 1
[text]
name = "tiny.dict.dz"
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
[index]
name = "tiny.index"
sha256 = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)";

std::string manifest_fault(const std::string& from, const std::string& to) {
  std::string text = kManifest;
  text.replace(text.find(from), from.size(), to);
  return fault_of([&] { parse_dictionary_manifest(text, "tiny.toml"); });
}

TEST(DictionaryManifestTest, ReadsEveryField) {
  const DictionaryManifest manifest = parse_dictionary_manifest(kManifest, "tiny.toml");
  EXPECT_EQ(manifest.name, "tiny");
  EXPECT_EQ(manifest.origin, "https://example.org");
  EXPECT_EQ(manifest.licence, "MIT");
  EXPECT_EQ(manifest.copyright, "2020 Example");
  EXPECT_EQ(manifest.package, "dict-tiny");
  EXPECT_EQ(manifest.folder, "/usr/share/dictd");
  EXPECT_EQ(manifest.bytes, 10);
  EXPECT_EQ(manifest.entries, 3);
  EXPECT_EQ(manifest.not_utf8, 1);
  EXPECT_EQ(manifest.text.name, "tiny.dict.dz");
  EXPECT_EQ(manifest.text.sha256[0], '0');
  EXPECT_EQ(manifest.index.name, "tiny.index");
  EXPECT_EQ(manifest.index.sha256[0], '1');
}

TEST(DictionaryManifestTest, RefusesUnknownAndMissingKeysAndWrongValues) {
  EXPECT_THAT(manifest_fault("bytes = 10", "bytes = 10\nlines = 1"), HasSubstr("not a known key"));
  EXPECT_THAT(manifest_fault("[index]\n", "[index]\ncount = 1\n"), HasSubstr("not a known key"));
  EXPECT_THAT(manifest_fault("bytes = 10", ""), HasSubstr("'bytes' is missing"));
  EXPECT_THAT(manifest_fault("[index]", "[indices]"), HasSubstr("indices"));
  EXPECT_THAT(manifest_fault("licence = \"MIT\"", ""), HasSubstr("'licence' is missing"));
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"bytes = 10", "bytes = 0"},
                                                        {"entries = 3", "entries = 0"},
                                                        {"not_utf8 = 1", "not_utf8 = 4"},
                                                        {"not_utf8 = 1", "not_utf8 = -1"},
                                                        {"\"tiny.index\"", "\"../tiny.index\""},
                                                        {"\"1123", "\"123"}}) {
    EXPECT_THAT(manifest_fault(from, to), StartsWith("tiny.toml:")) << to;
  }
}

TEST(GcideTest, OpensWithItsSplits) {
  const TextSplits splits = find_dictionary("gcide");
  // A change of these numbers is a change of the split: models that were trained before it have
  // seen what is test text after it.
  EXPECT_EQ(splits.test.hash, "bc5d737a45865a9d9540912250b4da19289a686e74106778798be06a712d3eff");
  EXPECT_EQ(splits.calibration.hash,
            "4b6d0f295b30b6979b37513f6dedb4f937899ec6fc02ec0da24060d65d01d41a");
  EXPECT_EQ(splits.training.hash,
            "1efa75d4bc306ec271aa9ada1636b95af4ec5c21782a1d79cc75b61b3e4fd381");
  EXPECT_EQ(find_dictionary_manifest("gcide").licence, "GPL-2+");
}

TEST(GcideTest, IsLookedForWhereTheEnvironmentSays) {
  ASSERT_EQ(setenv("QASSAY_DATA_DIR", "/nowhere", 1), 0);
  const std::string fault = fault_of([] { find_dictionary("gcide"); });
  ASSERT_EQ(unsetenv("QASSAY_DATA_DIR"), 0);
  EXPECT_THAT(fault, AllOf(StartsWith("/nowhere/gcide/gcide.dict.dz: cannot be read"),
                           HasSubstr("install the package dict-gcide")));
}

TEST(GcideTest, OthersAreUnknown) {
  EXPECT_THAT(fault_of([] { find_dictionary("oed"); }), HasSubstr("known are gcide"));
}

}  // namespace
}  // namespace qassay
