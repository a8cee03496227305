#include "harness/claims/verdict_text.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "harness/claims/printable.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

VerdictRow some_row() {
  VerdictRow row;
  row.id = "speed.int8";
  row.verdict = "confirmed";
  row.kind = "measured";
  row.scheme = "W8A8";
  row.regime = "decode";
  row.backend = "cpu";
  row.baseline = "best-fp32";
  row.estimate = 3.214;
  row.low = 3.101;
  row.high = 3.331;
  row.claimed_low = 2;
  row.claimed_high = 4;
  row.covered = 4;
  row.cells = 4;
  row.statement = "INT8 is 2 to 4 times as fast as FP32";
  row.source = "a page";
  row.unit = "x";
  row.better = "higher";
  return row;
}

VerdictRow silent_row(const std::string& scheme, const std::string& backend) {
  VerdictRow row = some_row();
  row.verdict = "not_testable";
  row.reason = "no_vector_kernel";
  row.scheme = scheme;
  row.backend = backend;
  row.estimate = row.low = row.high = 0;
  row.covered = 0;
  row.note = "no 4-bit type";
  return row;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(VerdictTableTest, SetsClaimRangeAndRowsApart) {
  VerdictRow refuted = some_row();
  refuted.verdict = "refuted";
  refuted.backend = "onednn";
  refuted.estimate = 1.5;
  refuted.low = 1.4;
  refuted.high = 1.6;
  refuted.covered = 0;
  refuted.note = "left out: decoder/up (failed: timeout)";
  VerdictRow exact = some_row();
  exact.id = "fit.gpt3";
  exact.statement = "175 billion parameters take 700 GB";
  exact.kind = "derived";
  exact.scheme = "FP32";
  exact.regime = "model";
  exact.backend = exact.baseline = "";
  exact.estimate = exact.low = exact.high = exact.claimed_low = exact.claimed_high = 700;
  exact.unit = "GB";
  exact.better = "lower";
  exact.cells = exact.covered = 1;
  const std::vector<VerdictRow> rows{some_row(), refuted, silent_row("W4A16", "onednn"),
                                     silent_row("W4A16", "openblas"), exact};
  EXPECT_EQ(verdict_table(rows), R"(speed.int8: INT8 is 2 to 4 times as fast as FP32
  claimed: 2 to 4 x (higher is better), against best-fp32; measured
  confirmed     W8A8  decode  cpu     3.214 x [3.101, 3.331]  4 of 4
  refuted       W8A8  decode  onednn  1.5 x [1.4, 1.6]        0 of 4
      left out: decoder/up (failed: timeout)
  not testable  W4A16 decode onednn; W4A16 decode openblas
      no_vector_kernel: no 4-bit type

fit.gpt3: 175 billion parameters take 700 GB
  claimed: 700 GB (lower is better); derived
  confirmed     FP32  model   -       700 GB                  1 of 1

5 verdicts: 2 confirmed, 1 refuted, 2 not testable
)");
}

TEST(VerdictTableTest, SaysEachRangeOfAClaim) {
  VerdictRow other = some_row();
  other.claimed_low = other.claimed_high = 87.5;
  const std::string table = verdict_table(std::vector{some_row(), other});
  EXPECT_THAT(table, HasSubstr("claimed: 2 to 4 x"));
  EXPECT_THAT(table, HasSubstr("claimed: 87.5 x"));

  other = some_row();
  other.baseline = "own-fp32";
  VerdictRow silent = silent_row("W4A16", "onednn");
  silent.baseline = "";
  const std::string baselines = verdict_table(std::vector{some_row(), silent, other});
  EXPECT_THAT(baselines, HasSubstr("against best-fp32"));
  EXPECT_THAT(baselines, HasSubstr("against own-fp32"));
  EXPECT_THAT(baselines, Not(HasSubstr("(higher is better); measured")));
}

TEST(VerdictTableTest, KeepsToItsWidth) {
  VerdictRow row = some_row();
  row.verdict = "better_than_claimed";
  row.scheme = "W4A16-g128-asym-and-a-very-long-tail";
  row.backend = "a-backend-of-somebody";
  row.estimate = row.low = -1.234e-200;
  row.high = 9.876e300;
  row.covered = row.cells = 12345;
  row.statement = std::string(300, 'x');
  row.note = "ein Wort mit Umlauten: " + std::string(120, 'y') + " äöü äöü äöü äöü äöü äöü äöü äöü";
  std::vector<VerdictRow> rows(3, row);
  for (int i = 0; i < 30; ++i) rows.push_back(silent_row("W4A16-g128", "onednn"));
  for (const std::string& line : lines_of(verdict_table(rows, 100))) {
    EXPECT_LE(display_width(line), 100U) << line;
  }
  std::size_t widest = 0;
  for (const std::string& line :
       lines_of(verdict_table(std::vector{rows.back(), rows.back()}, 70))) {
    widest = std::max(widest, display_width(line));
  }
  EXPECT_LE(widest, 70U);
  EXPECT_THAT(verdict_table(rows), HasSubstr("W4A16-g128-asym…"));
}

TEST(VerdictTableTest, NothingFromOutsideSteersTheTerminal) {
  VerdictRow row = some_row();
  row.scheme = "W8\x1b[31m";
  row.backend = "cpu\a";
  row.note = "layer \"up\"\nconfirmed \x1b]0;title\x07 \xc2\x9b[2J \xff \xe2\x80\xae";
  row.statement = "a\rb";
  VerdictRow mute = silent_row("W\x1b[0m", "x\n");
  mute.reason = "\x1b";
  const std::string table = verdict_table(std::vector{row, mute});
  for (const char c : table) {
    const auto byte = static_cast<unsigned char>(c);
    EXPECT_TRUE(byte == '\n' || byte >= 0x20) << int{byte};
    EXPECT_NE(byte, 0x7F);
  }
  EXPECT_THAT(table, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(table, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(table, HasSubstr(R"(layer "up"\x0aconfirmed \x1b]0;title\x07 \x9b[2J \xff \u202e)"));
}

TEST(PrintableTest, KeepsTextAndSpellsOutTheRest) {
  EXPECT_EQ(printable("scale ±½ 日本 🙂"), "scale ±½ 日本 🙂");
  EXPECT_EQ(printable(std::string_view("\0\t\x7f", 3)), "\\x00\\x09\\x7f");
  EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80") << "an overlong zero";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xe6\x97"), "\\xe6\\x97") << "cut short";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above U+10FFFF";
  EXPECT_EQ(printable("\xf8\x88\x80\x80\x80"), "\\xf8\\x88\\x80\\x80\\x80");
  EXPECT_EQ(display_width("日本±x"), 4U);
}

TEST(ExplainTest, SetsTheIntervalAgainstTheRange) {
  VerdictRow row = some_row();
  EXPECT_EQ(explain(row), "3.101 to 3.331 x against the claimed 2 to 4: no part of it below 2");
  row.verdict = "refuted";
  EXPECT_THAT(explain(row), HasSubstr(": all of it below 2"));
  row.verdict = "better_than_claimed";
  EXPECT_THAT(explain(row), HasSubstr(": all of it above 4"));
  row.verdict = "inconclusive";
  EXPECT_THAT(explain(row), HasSubstr(": partly below 2, partly not"));
  row.reason = "underpowered";
  EXPECT_THAT(explain(row), HasSubstr(": decides nothing (underpowered)"));
  row.better = "lower";
  row.verdict = "refuted";
  EXPECT_THAT(explain(row), HasSubstr(": all of it above 4"));
  row.verdict = "better_than_claimed";
  EXPECT_THAT(explain(row), HasSubstr(": all of it below 2"));
  EXPECT_EQ(explain(silent_row("W4A16", "onednn")),
            "nothing here speaks to the claimed 2 to 4 x (no_vector_kernel)");
}

TEST(VerdictJsonTest, HasTheKeysInOrder) {
  const auto list = nlohmann::ordered_json::parse(verdict_json(std::vector{some_row()}));
  ASSERT_EQ(list.size(), 1U);
  std::vector<std::string> keys;
  for (const auto& [key, value] : list[0].items()) keys.push_back(key);
  EXPECT_THAT(keys,
              ElementsAre("id", "verdict", "reason", "kind", "scheme", "regime", "backend",
                          "baseline", "estimate", "low", "high", "claimed_low", "claimed_high",
                          "covered", "cells", "better", "unit", "statement", "source", "note"));
  EXPECT_EQ(list[0]["id"], "speed.int8");
  EXPECT_EQ(list[0]["verdict"], "confirmed");
  EXPECT_EQ(list[0]["estimate"], 3.214);
  EXPECT_EQ(list[0]["claimed_high"], 4);
  EXPECT_EQ(list[0]["covered"], 4);
  EXPECT_EQ(verdict_json({}), "[]");
}

TEST(VerdictJsonTest, StaysReadableWhateverTheStrings) {
  VerdictRow row = silent_row("W8\"A8\"", "cpu\\");
  row.note = "line\nend\x1b[0m \xff </script>";
  const auto list = nlohmann::json::parse(verdict_json(std::vector{row}));
  EXPECT_EQ(list[0]["scheme"], "W8\"A8\"");
  EXPECT_EQ(list[0]["backend"], "cpu\\");
  EXPECT_EQ(list[0]["note"], "line\nend\x1b[0m \xef\xbf\xbd </script>");
  EXPECT_TRUE(list[0]["estimate"].is_null()) << "nothing was measured";
  EXPECT_TRUE(list[0]["low"].is_null());
  EXPECT_TRUE(list[0]["high"].is_null());
}

}  // namespace
}  // namespace qassay
