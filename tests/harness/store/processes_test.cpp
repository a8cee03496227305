#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>
#include <thread>

#include "tests/harness/store/fixture.hpp"

// Several processes and one store: what a user sees who starts two runs at once, or whose run is
// killed.

namespace qassay {
namespace {

namespace fs = std::filesystem;

constexpr int kCases = 6;

/// Starts a process that runs the body and exits with 0, or with 1 if it threw.
template <typename Body>
pid_t start(Body body) {
  const pid_t child = fork();
  if (child != 0) return child;
  try {
    body();
  } catch (const std::exception& error) {
    fmt::print(stderr, "in the child: {}\n", error.what());
    _exit(1);
  }
  _exit(0);
}

bool ended_well(pid_t child) {
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Every leg has all its cases, rounds, metrics and scores; no round is there twice.
void expect_whole(const fs::path& path) {
  const Database plain(path, Database::Access::read, std::chrono::seconds(5));
  EXPECT_EQ(plain.value<std::string>("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(plain.value<int>("SELECT count(*) FROM pragma_foreign_key_check"), 0);
  const auto legs = plain.value<int>("SELECT count(*) FROM legs");
  EXPECT_EQ(plain.value<int>("SELECT count(*) FROM leg_cases"), legs * kCases);
  EXPECT_EQ(plain.value<int>("SELECT count(*) FROM rounds"), legs * kCases * 10);
  EXPECT_EQ(plain.value<int>("SELECT count(*) FROM metrics"), legs * kCases);
  EXPECT_EQ(plain.value<int>("SELECT count(*) FROM sample_scores"), legs * kCases);
  EXPECT_EQ(plain.value<int>(
                "SELECT count(*) FROM (SELECT 1 FROM rounds r JOIN leg_cases lc ON lc.id = "
                "r.leg_case JOIN legs l ON l.id = lc.leg "
                "GROUP BY l.run, l.group_name, l.leg, lc.case_id, r.round HAVING count(*) > 1)"),
            0);
}

TEST(ProcessesTest, TwoRunsWriteOneStoreAndBothEndWell) {
  constexpr int kLegs = 15;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const TempFolder folder;
    const fs::path path = folder / "a.db";
    std::array<int, 2> gate{};
    ASSERT_EQ(pipe(gate.data()), 0);
    const auto run = [&] {
      // Both wait for the pipe to close, so that they also create the file at the same time.
      char nothing = 0;
      close(gate[1]);
      if (read(gate[0], &nothing, 1) != 0) throw std::runtime_error("the gate did not open");
      Store store = Store::open_for_writing(path);
      const auto id = store.begin_run(sample_run(), sample_cases(kCases, "g", kLegs));
      for (int leg = 0; leg < kLegs; ++leg) store.add_leg(id, sample_leg(kCases, "g", leg));
      store.end_run(id, RunEnd::finished);
    };
    const pid_t one = start(run);
    const pid_t two = start(run);
    close(gate[0]);
    close(gate[1]);
    EXPECT_TRUE(ended_well(one));
    EXPECT_TRUE(ended_well(two));

    const Store store = Store::open_for_reading(path);
    for (const std::int64_t id : {1, 2}) {
      EXPECT_EQ(store.run(id).status, "finished");
      EXPECT_EQ(store.finished_legs(id).size(), std::size_t{kLegs});
    }
    expect_whole(path);
  }
}

TEST(ProcessesTest, TwoProcessesThatResumeOneRunStoreEachLegOnce) {
  constexpr int kLegs = 30;
  const TempFolder folder;
  const fs::path path = folder / "a.db";
  Store::open_for_writing(path).begin_run(sample_run(), sample_cases(kCases, "g", kLegs));
  const auto resume = [&] {
    Store store = Store::open_for_writing(path);
    for (int leg = 0; leg < kLegs; ++leg) {
      try {
        store.add_leg(1, sample_leg(kCases, "g", leg));
      } catch (const InputError&) {
        // The other was faster.
      }
    }
  };
  const pid_t one = start(resume);
  const pid_t two = start(resume);
  EXPECT_TRUE(ended_well(one));
  EXPECT_TRUE(ended_well(two));
  EXPECT_EQ(Store::open_for_reading(path).finished_legs(1).size(), std::size_t{kLegs});
  expect_whole(path);
}

TEST(ProcessesTest, KilledWriterLosesTheLegInHandAtMost) {
  constexpr int kPlenty = 1'000'000;
  const TempFolder folder;
  const fs::path path = folder / "a.db";
  std::mt19937 random(20);
  std::uniform_int_distribution<int> microseconds(0, 20'000);
  std::size_t legs_before = 0;
  for (int kill_number = 0; kill_number < 20; ++kill_number) {
    std::array<int, 2> written{};
    ASSERT_EQ(pipe(written.data()), 0);
    const pid_t writer = start([&] {
      Store store = Store::open_for_writing(path);
      const auto latest = store.latest_run();
      const auto run =
          latest ? *latest : store.begin_run(sample_run(), sample_cases(kCases, "g", kPlenty));
      for (int leg = static_cast<int>(store.finished_legs(run).size()); leg < kPlenty; ++leg) {
        store.add_leg(run, sample_leg(kCases, "g", leg));
        if (write(written[1], "!", 1) != 1) throw std::runtime_error("cannot tell the parent");
      }
    });
    close(written[1]);
    // Even kills may hit the opening and the making of the schema; odd ones wait for a leg.
    char mark = 0;
    if (kill_number % 2 == 1) {
      ASSERT_EQ(read(written[0], &mark, 1), 1);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
    kill(writer, SIGKILL);
    int status = 0;
    waitpid(writer, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    std::size_t told = kill_number % 2 == 1 ? 1 : 0;
    while (read(written[0], &mark, 1) == 1) ++told;
    close(written[0]);

    if (told == 0 && legs_before == 0) continue;
    const std::size_t legs = Store::open_for_reading(path).finished_legs(1).size();
    EXPECT_GE(legs, legs_before + told) << "a leg that was committed is gone";
    EXPECT_LE(legs, legs_before + told + 1);
    legs_before = legs;
  }
  EXPECT_GE(legs_before, 10U);
  expect_whole(path);

  Store store = Store::open_for_writing(path);
  store.add_leg(1, sample_leg(kCases, "g", static_cast<int>(legs_before)));
  EXPECT_EQ(store.finished_legs(1).size(), legs_before + 1);
}

}  // namespace
}  // namespace qassay
