#include "hardware_profiles/topology.hpp"

#include <gmock/gmock.h>

#include "core/error.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr std::int64_t kMebibyte = 1 << 20;
// hwloc numbers the CPUs of a made-up machine in order: siblings are neighbours.
const std::string kTwoSockets =
    "package:2 l3:1(size=33554432) core:4 l2:1(size=1048576) l1d:1(size=32768) pu:2";

TEST(TopologyTest, ListsOneCpuOfEachPhysicalCoreFirst) {
  const Topology topology = read_topology(std::nullopt, kTwoSockets);
  EXPECT_THAT(topology.cores,
              ElementsAreArray({0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15}));
  EXPECT_EQ(topology.physical_cores, 8);
  EXPECT_EQ(topology.packages, 2);
  EXPECT_EQ(topology.last_level_cache_bytes, 64 * kMebibyte);
  EXPECT_EQ(topology.caches, "L1 8 x 32 KiB, L2 8 x 1024 KiB, L3 2 x 32768 KiB");
}

TEST(TopologyTest, CpusetLeavesOutCoresAndTheCachesBehindThem) {
  const Topology topology = read_topology("0-3,5", kTwoSockets);
  EXPECT_THAT(topology.cores, ElementsAre(0, 2, 5, 1, 3));
  EXPECT_EQ(topology.physical_cores, 3);
  EXPECT_EQ(topology.packages, 1);
  EXPECT_EQ(topology.last_level_cache_bytes, 32 * kMebibyte);
}

TEST(TopologyTest, CpusetThatSaysNothingIsIgnored) {
  EXPECT_EQ(read_topology("all of them", kTwoSockets).cores.size(), 16U);
  EXPECT_EQ(read_topology("64-71", kTwoSockets).cores.size(), 16U);
}

TEST(TopologyTest, CountsNumaNodes) {
  EXPECT_EQ(read_topology(std::nullopt, "package:2 numa:2 core:2 pu:1").numa_nodes, 4);
  EXPECT_EQ(read_topology("0-1", "package:2 numa:2 core:2 pu:1").numa_nodes, 1);
}

TEST(TopologyTest, OneCoreWithoutCaches) {
  const Topology topology = read_topology(std::nullopt, "core:1 pu:1");
  EXPECT_THAT(topology.cores, ElementsAre(0));
  EXPECT_EQ(topology.physical_cores, 1);
  EXPECT_EQ(topology.last_level_cache_bytes, 0);
  EXPECT_EQ(topology.caches, "");
}

TEST(TopologyTest, LastLevelIsTheLastOneThatACoreHas) {
  const Topology topology =
      read_topology(std::nullopt, "package:1 l2:2(size=1048576) core:2 l1d:1(size=32768) pu:1");
  EXPECT_EQ(topology.last_level_cache_bytes, 2 * kMebibyte);
}

TEST(TopologyTest, BadDescriptionIsAnInputError) {
  EXPECT_THROW(read_topology(std::nullopt, "teapot:3"), InputError);
}

}  // namespace
}  // namespace qassay
