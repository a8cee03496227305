#include "tests/harness/store/fixture.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace qassay {

TempFolder::TempFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "qassay-store-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
  std::filesystem::permissions(path_, std::filesystem::perms::all);
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::permissions(path_, std::filesystem::perms::all, ignored);
  std::filesystem::remove_all(path_, ignored);
}

Child::Child(const std::function<std::string()>& work) {
  std::array<int, 2> start{};
  std::array<int, 2> answer{};
  if (pipe(start.data()) != 0 || pipe(answer.data()) != 0) throw std::runtime_error("no pipe");
  process_ = fork();
  if (process_ != 0) {
    close(start[0]);
    close(answer[1]);
    start_ = start[1];
    answer_ = answer[0];
    return;
  }
  close(start[1]);
  char nothing = 0;
  if (read(start[0], &nothing, 1) != 0) _exit(1);
  std::string said;
  try {
    said = work();
  } catch (const std::exception& error) {
    said = fmt::format("exception: {}", error.what());
  }
  _exit(write(answer[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
}

Child::~Child() {
  if (start_ >= 0) answer();
}

std::string Child::answer() {
  close(start_);
  start_ = -1;
  std::string said;
  std::array<char, 4096> block{};
  for (ssize_t got = 0; (got = read(answer_, block.data(), block.size())) > 0;) {
    said.append(block.data(), static_cast<std::size_t>(got));
  }
  close(answer_);
  int status = 0;
  waitpid(process_, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the child died";
  return said;
}

std::string in_child(const std::function<std::string()>& work) { return Child(work).answer(); }

std::string input_error(const std::function<void()>& body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no InputError";
  return "";
}

RunInfo sample_run() {
  RunInfo info;
  info.suite = "default";
  info.suite_hash = "5a17e";
  info.program_hash = "bead";
  info.revision = "0123abc";
  info.build = "g++ 12.2, -O3";
  info.command = "qassay run default --store 'a b.db'";
  info.threads = 2;
  info.isa = "auto";
  info.quick = true;
  info.settings = R"({"legs":4})";
  info.machine.cpu = "Some CPU @ 3 GHz";
  info.machine.isas = {Isa::any, Isa::avx512};
  info.machine.cores = {0, 2};
  info.machine.last_level_cache_bytes = 33'554'432;
  info.machine.memory_bytes = 17'179'869'184;
  info.machine.facts = {{"governor", "unknown"}, {"load", "0.5"}};
  info.machine.fingerprint = "f1n9e7";
  return info;
}

std::vector<CaseRow> sample_cases(int count, const std::string& group, int legs) {
  std::vector<CaseRow> cases;
  for (int i = 0; i < count; ++i) {
    CaseRow& row = cases.emplace_back();
    row.key = fmt::format("{}/c{}", group, i);
    row.group = group;
    row.legs = legs;
    row.model = "decoder-7b";
    row.layer = "4096x4096";
    row.n = 4096;
    row.k = 4097;
    row.m = 128;
    row.cache = "hot";
    row.threads = 2;
    row.protocol = "text=t context=8";
    row.kv_cache = "INT8";
    row.scheme = i == 0 ? "FP32" : "W8A8";
    row.method = i == 0 ? "none" : "rtn";
    row.backend = "cpu";
    row.kernel = fmt::format("kernel_{}", i);
    row.status = "planned";
  }
  return cases;
}

LegRow sample_leg(int cases, const std::string& group, int leg) {
  LegRow row;
  row.group = group;
  row.leg = leg;
  row.started = 1.7e9 + leg;
  row.seconds = 12.25;
  row.peak_rss_bytes = 123'456'789'012;
  row.environment = R"({"load":[0.1,0.2]})";
  const std::string arm = CaseRow().arm;
  for (int i = 0; i < cases; ++i) {
    const std::string key = fmt::format("{}/c{}", group, i);
    LegCaseRow& one = row.cases.emplace_back();
    one.case_key = key;
    one.arm = arm;
    one.status = "passed";
    one.implementation = "jit:avx512";
    one.packed_bytes = 16'777'216;
    one.workspace_bytes = 4096;
    for (int round = 0; round < 10; ++round) {
      one.rounds.push_back(
          {round, (round + i) % cases, 1e-3 / (round + 3), 1.1e-3 / (round + 3), 7, 5});
    }
    row.metrics.push_back({key, arm, "sqnr", 40.1, 40.1, 40.1, 1, "dB", "higher", ""});
    row.samples.push_back({key, arm, "fmnist", "da7a", std::vector<std::uint8_t>(1000, 9)});
  }
  return row;
}

}  // namespace qassay
