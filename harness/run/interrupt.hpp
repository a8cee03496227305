#pragma once

namespace qassay {

/// While it lives, the first Ctrl-C (or SIGTERM) is only noted; a second one ends the program at
/// once.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();

  bool interrupted() const;
};

}  // namespace qassay
