#include "datasets/dictionary_index.hpp"

#include <gmock/gmock.h>

#include <utility>

#include "tests/datasets/faults.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

std::vector<std::pair<std::uint64_t, std::uint64_t>> entries_of(std::string_view index,
                                                                std::uint64_t text_bytes = 1
                                                                                           << 30) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs;
  for (const DictionaryEntry& entry : read_dictionary_index(index, text_bytes, "x.index")) {
    pairs.emplace_back(entry.offset, entry.length);
  }
  return pairs;
}

std::string index_fault(std::string_view index, std::uint64_t text_bytes = 1 << 30) {
  return fault_of([&] { entries_of(index, text_bytes); });
}

TEST(DictionaryIndexTest, ReadsNumbersInBase64) {
  EXPECT_THAT(entries_of("a\tA\tB\nb\tZ\ta\nc\tz\t0\nd\tB9\t+\ne\tC/\tBAA\n"),
              ElementsAre(Pair(0, 1), Pair(25, 26), Pair(51, 52), Pair(125, 62), Pair(191, 4096)));
}

TEST(DictionaryIndexTest, GivesEachEntryOnceInTheOrderOfTheText) {
  EXPECT_THAT(entries_of("a\tK\tC\nb\tA\tC\nc\tK\tC"), ElementsAre(Pair(0, 2), Pair(10, 2)));
}

TEST(DictionaryIndexTest, LeavesOutWhatIsAboutTheDictionary) {
  EXPECT_THAT(entries_of("00-database-info\tA\tB\n00-web-info\tA\tB\n00-database\tB\tB\n"),
              ElementsAre(Pair(1, 1)));
  EXPECT_THAT(entries_of("00-a\tA\tB\n00-database-info\tA\tB\n"), IsEmpty());
}

TEST(DictionaryIndexTest, NamesTheLineOfWhatIsNoIndexLine) {
  for (const std::string_view line : {"word", "word\tA", "", "\t"}) {
    EXPECT_THAT(index_fault("a\tA\tB\n" + std::string(line) + "\nb\tB\tB\n"),
                AllOf(StartsWith("x.index:2: "), HasSubstr("with tabs between")));
  }
  for (const std::string_view line : {"w\t\tB", "w\tA\t", "w\t-A\tB", "w\tA\tB\tC", "w\tA\tB\r"}) {
    EXPECT_THAT(index_fault("a\tA\tB\n" + std::string(line) + "\n"),
                AllOf(StartsWith("x.index:2: "), HasSubstr("base 64")));
  }
}

TEST(DictionaryIndexTest, RefusesEntriesBeyondTheEnd) {
  EXPECT_THAT(entries_of("a\tE\tG\n", 10), ElementsAre(Pair(4, 6)));
  for (const std::string_view line :
       {"a\tE\tH", "a\tL\tB", "a\tK\tB",
        // Sums and products that would wrap in 64 bits, to 0 or to small numbers.
        "a\tP//////////\tB", "a\tB\tP//////////", "a\tQAAAAAAAAAA\tB", "a\tBAAAAAAAAAAAAAAAAA\tB",
        "a\tB\tBAAAAAAAAAAAAAAAAA"}) {
    EXPECT_THAT(index_fault(line, 10),
                HasSubstr("x.index:1: points beyond the end of the text of 10"))
        << line;
  }
}

TEST(DictionaryIndexTest, RefusesEmptyEntries) {
  EXPECT_THAT(index_fault("a\tA\tA\n"), HasSubstr("x.index:1: points to an empty entry"));
}

TEST(DictionaryIndexTest, RefusesEntriesThatOverlap) {
  EXPECT_THAT(index_fault("a\tD\tC\nb\tA\tE\n"),
              HasSubstr("x.index:1: points to an entry that overlaps the one of line 2"));
  EXPECT_THAT(index_fault("a\tA\tE\nb\tA\tD\n"), HasSubstr("overlaps"));
  EXPECT_THAT(index_fault("00-database-info\tA\tE\nb\tD\tD\n"), HasSubstr("overlaps"));
}

}  // namespace
}  // namespace qassay
