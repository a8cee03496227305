#include "hardware_profiles/environment.hpp"

#include <gtest/gtest.h>

#include "tests/hardware_profiles/fixtures.hpp"

namespace qassay {
namespace {

TEST(EnvironmentTest, ReadsLoadStealAndHugePages) {
  const std::vector<Fact> facts = environment(fixture("bare_metal"));
  EXPECT_EQ(value_of(facts, "load average"), "0.52 1.25 0.75");
  EXPECT_EQ(value_of(facts, "steal ticks"), "0");
  EXPECT_EQ(value_of(facts, "bytes on huge pages"), "8388608");
  EXPECT_EQ(value_of(environment(fixture("virtual_machine")), "steal ticks"), "77");
}

TEST(EnvironmentTest, SaysUnknownForGarbageAndForNothing) {
  for (const char* const name : {"garbage", "no_such_tree"}) {
    const std::vector<Fact> facts = environment(fixture(name));
    ASSERT_EQ(facts.size(), 3U);
    for (const Fact& fact : facts) EXPECT_EQ(fact.value, "unknown") << fact.name << " of " << name;
  }
}

}  // namespace
}  // namespace qassay
