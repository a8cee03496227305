#include "hardware_profiles/cgroup.hpp"

#include <gmock/gmock.h>

#include "tests/hardware_profiles/fixtures.hpp"

namespace qassay {
namespace {

using ::testing::Optional;

TEST(CgroupTest, Version2TakesTheStrictestLimitOfAllGroupsAbove) {
  const CgroupLimits limits = read_cgroup(fixture("cgroup_v2"));
  EXPECT_THAT(limits.cpus, Optional(1.5)) << "the parent's: its own group would leave 2";
  EXPECT_THAT(limits.memory_bytes, Optional(std::int64_t{4} << 30));
  EXPECT_THAT(limits.cpuset, Optional(std::string("0-2,5")));
}

TEST(CgroupTest, Version1ReadsEachControllerWhereItIsMounted) {
  const CgroupLimits limits = read_cgroup(fixture("cgroup_v1"));
  EXPECT_THAT(limits.cpus, Optional(3.0));
  EXPECT_EQ(limits.memory_bytes, std::nullopt) << "the largest page-aligned number means none";
  EXPECT_THAT(limits.cpuset, Optional(std::string("1,3"))) << "own group not mounted: its mount's";
}

TEST(CgroupTest, MaxMeansNoLimit) {
  const CgroupLimits limits = read_cgroup(fixture("bare_metal"));
  EXPECT_EQ(limits.cpus, std::nullopt);
  EXPECT_EQ(limits.memory_bytes, std::nullopt);
  EXPECT_EQ(limits.cpuset, std::nullopt);
}

TEST(CgroupTest, GarbageIsNoLimit) {
  const CgroupLimits limits = read_cgroup(fixture("garbage"));
  EXPECT_EQ(limits.cpus, std::nullopt);
  EXPECT_EQ(limits.memory_bytes, std::nullopt);
}

TEST(CgroupTest, NothingToReadIsNoLimit) {
  const CgroupLimits limits = read_cgroup(fixture("virtual_machine"));
  EXPECT_EQ(limits.cpus, std::nullopt);
  EXPECT_EQ(limits.memory_bytes, std::nullopt);
  EXPECT_EQ(limits.cpuset, std::nullopt);
}

}  // namespace
}  // namespace qassay
