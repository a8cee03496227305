#include "hardware_profiles/machine_reader.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/hardware_profiles/fixtures.hpp"

namespace qassay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Gt;

TEST(MachineReaderTest, BareMetal) {
  const Machine machine = read_machine(fixture("bare_metal"));
  EXPECT_EQ(machine.cpu, "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz");
  EXPECT_EQ(machine.memory_bytes, std::int64_t{196608000} * 1024);
  EXPECT_EQ(machine.cpu_quota, 0);
  EXPECT_EQ(value_of(machine.facts, "microcode"), "0x5003006");
  EXPECT_EQ(value_of(machine.facts, "hypervisor"), "none");
  EXPECT_EQ(value_of(machine.facts, "kernel"), "6.1.0-18-amd64");
  EXPECT_EQ(value_of(machine.facts, "frequency driver"), "intel_pstate");
  EXPECT_EQ(value_of(machine.facts, "governor"), "performance, powersave") << "not the same on all";
  EXPECT_EQ(value_of(machine.facts, "highest frequency kHz"), "3900000");
  EXPECT_EQ(value_of(machine.facts, "turbo"), "off");
  EXPECT_EQ(value_of(machine.facts, "smt control"), "on");
  EXPECT_EQ(value_of(machine.facts, "huge pages"), "madvise");
  EXPECT_EQ(value_of(machine.facts, "load average"), "0.52 1.25 0.75");
}

TEST(MachineReaderTest, VirtualMachineThatShowsNothing) {
  const Machine machine = read_machine(fixture("virtual_machine"));
  EXPECT_EQ(machine.cpu, "AMD EPYC Processor");
  EXPECT_EQ(value_of(machine.facts, "hypervisor"), "QEMU");
  for (const char* const name : {"governor", "frequency driver", "turbo", "smt control", "kernel",
                                 "huge pages", "load average", "cgroup cpuset"})
    EXPECT_EQ(value_of(machine.facts, name), "unknown") << name;
}

TEST(MachineReaderTest, ArmNamesItsCpuByNumbers) {
  EXPECT_EQ(read_machine(fixture("arm")).cpu, "implementer 0x41 part 0xd08");
  EXPECT_EQ(value_of(read_machine(fixture("arm")).facts, "hypervisor"), "unknown");
}

TEST(MachineReaderTest, CgroupNarrowsCoresTimeAndMemory) {
  const Machine machine = read_machine(fixture("cgroup_v2", "core:4 pu:2"));
  EXPECT_THAT(machine.cores, ElementsAre(0, 2, 5, 1));
  EXPECT_EQ(machine.cpu_quota, 1.5);
  EXPECT_EQ(machine.memory_bytes, std::int64_t{4} << 30);
  EXPECT_EQ(value_of(machine.facts, "cgroup cpu quota"), "1.5 CPUs");
}

TEST(MachineReaderTest, GarbageIsUnknownAndPrintable) {
  const Machine machine = read_machine(fixture("garbage"));
  EXPECT_EQ(machine.cpu, "unknown");
  EXPECT_EQ(machine.memory_bytes, 0);
  EXPECT_THAT(machine.cores, ElementsAre(0, 1));
  for (const Fact& fact : machine.facts) {
    EXPECT_TRUE(std::all_of(fact.value.begin(), fact.value.end(), [](char c) {
      return c >= ' ' && c <= '~';
    })) << fact.name;
  }
  EXPECT_EQ(value_of(machine.facts, "governor"), "unknown");
  EXPECT_EQ(value_of(machine.facts, "turbo"), "unknown");
}

TEST(MachineReaderTest, FingerprintIsOfTheMachineNotOfItsLoad) {
  const Sources sources = fixture("bare_metal");
  const std::string here = read_machine(sources).fingerprint;
  EXPECT_EQ(here.size(), 64U);
  EXPECT_EQ(read_machine(sources).fingerprint, here);
  EXPECT_NE(read_machine(fixture("virtual_machine")).fingerprint, here);
  EXPECT_NE(read_machine(fixture("bare_metal", "core:1 pu:2")).fingerprint, here)
      << "two CPUs of one core are not two cores";

  // The same machine, busier and on another kernel.
  const std::filesystem::path copy =
      std::filesystem::path(testing::TempDir()) / "qassay_busy_machine";
  std::filesystem::remove_all(copy);
  std::filesystem::copy(sources.root, copy, std::filesystem::copy_options::recursive);
  std::filesystem::remove(copy / "proc/loadavg");
  std::filesystem::remove(copy / "proc/sys/kernel/osrelease");
  EXPECT_EQ(read_machine({copy, sources.synthetic_topology}).fingerprint, here);
  std::filesystem::remove_all(copy);
}

TEST(MachineReaderTest, AllowedThreadsAreCoresOrWholeCpusOfTheQuota) {
  Machine machine;
  machine.cores = {0, 1, 2, 3};
  EXPECT_EQ(allowed_threads(machine), 4);
  machine.cpu_quota = 2.5;
  EXPECT_EQ(allowed_threads(machine), 2);
  machine.cpu_quota = 0.5;
  EXPECT_EQ(allowed_threads(machine), 1);
  machine.cpu_quota = 1e12;
  EXPECT_EQ(allowed_threads(machine), 4);
}

TEST(MachineReaderTest, ThisMachine) {
  const Machine machine = read_machine();
  EXPECT_FALSE(machine.cores.empty());
  EXPECT_GE(allowed_threads(machine), 1);
  EXPECT_GT(machine.memory_bytes, 0);
  EXPECT_THAT(machine.isas, Contains(Isa::any));
  std::vector<int> sorted = machine.cores;
  std::ranges::sort(sorted);
  EXPECT_EQ(std::ranges::adjacent_find(sorted), sorted.end()) << "no CPU twice";
  EXPECT_THAT(machine.facts.size(), Gt(10U));
}

}  // namespace
}  // namespace qassay
