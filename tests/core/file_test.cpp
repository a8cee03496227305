#include "core/file.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

void replace(const std::filesystem::path& path, const std::vector<std::string>& texts) {
  std::vector<std::span<const std::byte>> parts;
  for (const std::string& text : texts) parts.push_back(std::as_bytes(std::span(text)));
  replace_file(path, parts);
}

std::string content(const std::filesystem::path& path) {
  const MappedFile file(path);
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST(FileTest, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "deep" / "file";
  replace(path, {"a", "", "bc"});
  EXPECT_EQ(content(path), "abc");
  replace(path, {});
  EXPECT_EQ(content(path), "");
}

TEST(FileTest, ReplacesWithoutATraceAndLeavesWhatIsMapped) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  replace(path, {"old"});
  const MappedFile old(path);
  replace(path, {"new and longer"});
  EXPECT_EQ(old.bytes().front(), std::byte('o'));
  EXPECT_EQ(content(path), "new and longer");
  const auto files = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST(FileTest, IsWholeWhereManyWriteAtOnce) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  std::vector<std::jthread> writers;
  for (const char letter : {'a', 'b', 'c', 'd'}) {
    writers.emplace_back([path, letter] {
      for (int i = 0; i < 20; ++i) replace(path, {std::string(10'000, letter)});
    });
  }
  writers.clear();
  const std::string text = content(path);
  EXPECT_EQ(text, std::string(10'000, text.front()));
}

TEST(FileTest, MovesItsMapping) {
  const TemporaryFolder folder;
  replace(folder.path() / "file", {"x"});
  MappedFile first(folder.path() / "file");
  MappedFile second(std::move(first));
  EXPECT_EQ(second.bytes().front(), std::byte('x'));
  replace(folder.path() / "other", {"y"});
  second = MappedFile(folder.path() / "other");
  EXPECT_EQ(second.bytes().front(), std::byte('y'));
}

TEST(FileTest, SaysWhatCannotBeRead) {
  const TemporaryFolder folder;
  EXPECT_THAT(fault_of([&] { MappedFile(folder.path() / "none"); }),
              AllOf(StartsWith((folder.path() / "none").string()), HasSubstr("No such file")));
  EXPECT_THAT(fault_of([&] { MappedFile(folder.path()); }), HasSubstr("not a regular file"));
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(fault_of([&] { MappedFile{pipe}; }), HasSubstr("not a regular file"));
}

TEST(FileTest, RefusesFilesAboveTheLimit) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  replace(path, {"1234"});
  EXPECT_EQ(MappedFile(path, 4).bytes().size(), 4U);
  EXPECT_THAT(fault_of([&] { MappedFile(path, 3); }), HasSubstr("has 4 bytes, more than 3"));
}

TEST(FileTest, SaysWhatCannotBeWritten) {
  const TemporaryFolder folder;
  replace(folder.path() / "file", {"x"});
  EXPECT_THAT(fault_of([&] { replace(folder.path() / "file" / "below", {"x"}); }),
              HasSubstr("cannot be written"));
  std::filesystem::create_directories(folder.path() / "taken" / "by a folder");
  EXPECT_THAT(fault_of([&] { replace(folder.path() / "taken", {"x"}); }),
              HasSubstr("cannot be written"));
  const auto files = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);
}

}  // namespace
}  // namespace qassay
