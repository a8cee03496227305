#include "hardware_profiles/sources.hpp"

#include <gmock/gmock.h>

#include "tests/hardware_profiles/fixtures.hpp"

namespace qassay {
namespace {

using ::testing::Optional;

TEST(SourcesTest, NumbersAreWholeOrNothing) {
  EXPECT_THAT(parse_integer("42"), Optional(42));
  EXPECT_THAT(parse_integer("-1"), Optional(-1));
  EXPECT_EQ(parse_integer(""), std::nullopt);
  EXPECT_EQ(parse_integer("42 "), std::nullopt);
  EXPECT_EQ(parse_integer("0x10"), std::nullopt);
  EXPECT_EQ(parse_integer("99999999999999999999"), std::nullopt);
}

TEST(SourcesTest, SizesOfProcAreKilobytes) {
  EXPECT_THAT(parse_kilobytes("1024 kB"), Optional(1024 * 1024));
  EXPECT_EQ(parse_kilobytes("1024"), std::nullopt);
  EXPECT_EQ(parse_kilobytes("1024 MB"), std::nullopt);
  EXPECT_EQ(parse_kilobytes("-1 kB"), std::nullopt);
  EXPECT_EQ(parse_kilobytes("9223372036854775807 kB"), std::nullopt);
}

TEST(SourcesTest, FieldIsFoundByItsWholeName) {
  const std::string_view text = "model\t\t: 85\nmodel name\t: Some CPU: fast\nempty :\nno colon";
  EXPECT_THAT(find_field(text, "model"), Optional(std::string("85")));
  EXPECT_THAT(find_field(text, "model name"), Optional(std::string("Some CPU: fast")));
  EXPECT_EQ(find_field(text, "empty"), std::nullopt);
  EXPECT_EQ(find_field(text, "name"), std::nullopt);
  EXPECT_EQ(find_field("", "model"), std::nullopt);
}

TEST(SourcesTest, OnlyPrintableLinesAreRead) {
  const Sources bare = fixture("bare_metal");
  EXPECT_THAT(read_line(bare.at("/proc/sys/kernel/osrelease")),
              Optional(std::string("6.1.0-18-amd64")));
  EXPECT_EQ(read_line(fixture("garbage").at("/proc/sys/kernel/osrelease")), std::nullopt);
  EXPECT_EQ(read_line(bare.at("/proc/self")), std::nullopt) << "a folder";
  EXPECT_EQ(read_line(bare.at("/proc/nothing")), std::nullopt);
}

}  // namespace
}  // namespace qassay
