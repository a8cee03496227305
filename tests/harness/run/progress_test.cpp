#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "harness/run/progress.hpp"

namespace qassay {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string text_of(std::FILE* file) {
  std::rewind(file);
  std::array<char, 4096> text{};
  return {text.data(), std::fread(text.data(), 1, text.size(), file)};
}

TEST(ProgressTest, TheTimeLeftIsThatOfTheStepsToCome) {
  EXPECT_EQ(steps_text(0, 0, 57), "0 of 57 steps");
  EXPECT_EQ(steps_text(24, 12, 57), "12 of 57 steps, 1:30 left");
  EXPECT_EQ(steps_text(600, 57, 57), "57 of 57 steps, 0:00 left");
}

// A file is no terminal: no line is rewritten, and what passes right behind another is left out.
TEST(ProgressTest, PassingLinesDoNotFillLogs) {
  const File file(std::tmpfile());
  ASSERT_NE(file, nullptr);
  {
    Progress progress({{"group", 2}}, file.get());
    progress.begin_leg("group", 0, 2);
    for (int i = 0; i < 1000; ++i) progress.detail("quantizing");
    progress.end_leg("group", 65);
    progress.begin_leg("group", 1, 2);
    progress.say("stays");
  }
  EXPECT_EQ(text_of(file.get()),
            "[1/2] group leg 1 of 2\n[2/2] group leg 2 of 2  1:05 left\nstays\n");
}

}  // namespace
}  // namespace qassay
