// Not for people: the process that `qassay run` starts for every leg. Reads a job from the socket,
// says each step, answers with the leg or with what is wrong with its input, one line of JSON each.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "core/error.hpp"
#include "harness/cli/command.hpp"
#include "harness/run/job.hpp"
#include "harness/run/worker_process.hpp"
#include "harness/worker/leg.hpp"

namespace qassay {
namespace {

void write_line(const nlohmann::json& json) {
  // Text from libraries may be anything; the line must be UTF-8.
  const std::string line =
      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  for (std::size_t written = 0; written < line.size();) {
    const ssize_t count =
        write(WorkerProcess::kSocket, line.data() + written, line.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) _exit(1);  // the parent is gone
    written += static_cast<std::size_t>(count);
  }
}

std::string read_line() {
  std::string line;
  std::array<char, 1 << 16> block{};
  while (line.empty() || line.back() != '\n') {
    const ssize_t count = read(WorkerProcess::kSocket, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      throw InputError("qassay worker", "has no job on its socket",
                       "use `qassay run`, which starts workers itself");
    }
    line.append(block.data(), static_cast<std::size_t>(count));
  }
  return line;
}

/// More than the machine has would wake the kernel's killer, which may choose somebody else.
void limit_memory([[maybe_unused]] std::int64_t bytes) {
#ifndef __SANITIZE_ADDRESS__
  if (bytes <= 0) return;
  const rlimit limit{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
  setrlimit(RLIMIT_DATA, &limit);
#endif
}

}  // namespace

int worker_command(const Command&, const Arguments&) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // no worker outlives its parent
  const Job job = nlohmann::json::parse(read_line()).get<Job>();
  limit_memory(job.machine.memory_bytes);
  try {
    const LegRow leg = run_leg(
        job,
        [](const Step& step) {
          write_line({{"step", step}});
        },
        []() -> std::optional<int> {
          write_line({{"ready", true}});
          const nlohmann::json turn = nlohmann::json::parse(read_line());
          return turn.contains("round") ? std::optional(turn["round"].get<int>()) : std::nullopt;
        });
    write_line({{"leg", leg}});
  } catch (const InputError& error) {
    write_line({{"error", error.what()}});
  }
  return kFine;
}

}  // namespace qassay
