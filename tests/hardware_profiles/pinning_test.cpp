#include "hardware_profiles/pinning.hpp"

#include <gmock/gmock.h>
#include <omp.h>
#include <sched.h>

#include <thread>
#include <vector>

#include "core/error.hpp"
#include "hardware_profiles/machine_reader.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Gives the affinity of the test program's main thread back.
class PinningTest : public testing::Test {
 protected:
  PinningTest() { sched_getaffinity(0, sizeof before_, &before_); }
  ~PinningTest() override {
    const cpu_set_t before = before_;
#pragma omp parallel
    sched_setaffinity(0, sizeof before, &before);
    omp_set_num_threads(omp_get_num_procs());
  }

 private:
  cpu_set_t before_{};
};

TEST_F(PinningTest, EachThreadGetsOneCpuOfItsOwn) {
  const Machine machine = read_machine();
  const int threads = std::min(2, allowed_threads(machine));
  const std::string what = pin_threads(machine, threads);

  std::vector<std::vector<int>> cpus(static_cast<std::size_t>(threads));
#pragma omp parallel
  {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof mine, &mine);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &mine))
        cpus[static_cast<std::size_t>(omp_get_thread_num())].push_back(cpu);
    }
  }
  for (std::size_t thread = 0; thread < cpus.size(); ++thread)
    EXPECT_THAT(cpus[thread], testing::ElementsAre(machine.cores[thread]));
  EXPECT_THAT(what, HasSubstr(std::to_string(threads) + " thread"));
}

TEST_F(PinningTest, ConfinedThreadsShareTheirCpusWithThoseThatTheyStart) {
  const Machine machine = read_machine();
  const int threads = std::min(2, allowed_threads(machine));
  confine_threads(machine, threads);

  std::vector<int> cpus;
  std::thread started([&cpus] {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof mine, &mine);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &mine)) cpus.push_back(cpu);
    }
  });
  started.join();
  EXPECT_THAT(cpus, testing::UnorderedElementsAreArray(machine.cores.begin(),
                                                       machine.cores.begin() + threads));
  EXPECT_THROW(confine_threads(machine, 0), InputError);
}

TEST_F(PinningTest, MoreThreadsThanAreAllowedIsAnInputError) {
  Machine machine = read_machine();
  const int most = allowed_threads(machine);
  EXPECT_THAT([&] { pin_threads(machine, most + 1); },
              ThrowsMessage<InputError>(HasSubstr(std::to_string(most) + " are allowed")));
  EXPECT_THROW(pin_threads(machine, 0), InputError);
  machine.cpu_quota = 0.5;
  EXPECT_THROW(pin_threads(machine, 2), InputError);
}

TEST_F(PinningTest, ACpuThatIsNotThereIsAnInputError) {
  Machine machine;
  machine.cores = {100'000};
  EXPECT_THAT([&] { pin_threads(machine, 1); },
              ThrowsMessage<InputError>(HasSubstr("could not be bound to CPU 100000")));
}

}  // namespace
}  // namespace qassay
