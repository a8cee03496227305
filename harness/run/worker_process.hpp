#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

namespace qassay {

/// A worker: this program again, as `qassay worker`, in a fresh process, speaking lines over a
/// socket. The destructor ends it.
class WorkerProcess {
 public:
  /// `threads`: of OpenMP and of every library, set in the environment before the process starts.
  /// `own_threads`: of a library, that OpenMP's are not to disturb.
  WorkerProcess(int threads, bool own_threads);
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();

  void send(std::string_view line);

  enum class Heard { line, end, silence };
  /// Waits for one line (stored in `line`), for the end of the worker, or until `patience` is over.
  Heard listen(std::string& line, std::chrono::duration<double> patience);

  struct Ending {
    std::string text;     // "killed by signal 11 (Segmentation fault)", "ended with status 3"
    bool killed = false;  // by a SIGKILL that was not ours
  };
  /// Waits a moment for the worker to end by itself, kills it if it does not, and says how it
  /// ended.
  Ending end();

  /// Stops all of its threads, which may be waiting busily, until it is resumed.
  void pause();
  void resume();

  pid_t pid() const { return pid_; }

  /// The descriptor at which a worker finds its end of the socket.
  static constexpr int kSocket = 3;

 private:
  pid_t pid_ = -1;
  int socket_ = -1;
  std::string received_;
};

}  // namespace qassay
