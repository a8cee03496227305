#include "harness/run/worker_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace qassay {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// After fork: only async-signal-safe calls, then exec.
[[noreturn]] void become_worker(int socket) {
  setpgid(0, 0);  // Ctrl-C at the terminal is for the parent, which ends after the leg in hand
  if (socket == WorkerProcess::kSocket) {
    fcntl(socket, F_SETFD, 0);
  } else {
    dup2(socket, WorkerProcess::kSocket);
  }
  execl("/proc/self/exe", "qassay", "worker", nullptr);
  _exit(127);
}

void set_environment(int threads, bool own_threads) {
  const std::string count = std::to_string(threads);
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"})
    setenv(name, count.c_str(), 1);
  setenv("OMP_DYNAMIC", "false", 1);
  // Waiting actively a parallel region costs 0.6 us instead of 58.
  setenv("OMP_WAIT_POLICY", own_threads ? "passive" : "active", 1);
  unsetenv("OMP_PROC_BIND");  // the worker pins its threads itself
  unsetenv("OMP_PLACES");
  // Huge pages for the many small copies of cold weights too, as a whole model in one file would
  // have; and memory that was given back is used again, for fresh pages are slow to come by in a
  // virtual machine.
  setenv("GLIBC_TUNABLES",
         "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=8589934592",
         1);
}

}  // namespace

WorkerProcess::WorkerProcess(int threads, bool own_threads) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail("socketpair");
  set_environment(threads, own_threads);
  pid_ = fork();
  if (pid_ == 0) become_worker(ends[1]);
  close(ends[1]);
  socket_ = ends[0];
  if (pid_ < 0) {
    close(socket_);
    fail("fork");
  }
}

WorkerProcess::~WorkerProcess() {
  end();
  close(socket_);
}

void WorkerProcess::send(std::string_view line) {
  std::string message(line);
  message += '\n';
  for (std::size_t sent = 0; sent < message.size();) {
    const ssize_t count =
        ::send(socket_, message.data() + sent, message.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;  // the worker is gone: listen() will say so
    sent += static_cast<std::size_t>(count);
  }
}

WorkerProcess::Heard WorkerProcess::listen(std::string& line,
                                           std::chrono::duration<double> patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (const auto end = received_.find('\n'); end != std::string::npos) {
      line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return Heard::line;
    }
    const std::chrono::duration<double, std::milli> left =
        deadline - std::chrono::steady_clock::now();
    pollfd waiting{socket_, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::clamp(left.count(), 0.0, 1e8)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) fail("poll");
    if (ready == 0) return Heard::silence;
    std::array<char, 1 << 16> block{};
    const ssize_t count = read(socket_, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Heard::end;
    received_.append(block.data(), static_cast<std::size_t>(count));
  }
}

void WorkerProcess::pause() {
  kill(pid_, SIGSTOP);
  siginfo_t info{};
  // Until it stands still; what it may have died of is left for end().
  waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT);
}

void WorkerProcess::resume() { kill(pid_, SIGCONT); }

WorkerProcess::Ending WorkerProcess::end() {
  if (pid_ < 0) return {};
  constexpr int kPatience = 20;
  int status = 0;
  int tries = 0;
  for (; waitpid(pid_, &status, WNOHANG) == 0; ++tries) {
    if (tries == kPatience) kill(pid_, SIGKILL);
    usleep(5000);
  }
  pid_ = -1;
  if (!WIFSIGNALED(status))
    return {fmt::format("ended with status {}", WEXITSTATUS(status)), false};
  const int number = WTERMSIG(status);
  return {fmt::format("killed by signal {} ({})", number, strsignal(number)),
          number == SIGKILL && tries <= kPatience};
}

}  // namespace qassay
