#include "harness/run/interrupt.hpp"

#include <signal.h>

#include <initializer_list>

namespace qassay {
namespace {

volatile sig_atomic_t noted = 0;

void handle(void (*action)(int), int flags) {
  struct sigaction handler {};
  handler.sa_handler = action;
  handler.sa_flags = flags;
  for (const int number : {SIGINT, SIGTERM}) sigaction(number, &handler, nullptr);
}

void note(int) { noted = 1; }

}  // namespace

InterruptGuard::InterruptGuard() {
  noted = 0;
  handle(note, SA_RESTART | static_cast<int>(SA_RESETHAND));
}

InterruptGuard::~InterruptGuard() { handle(SIG_DFL, 0); }

bool InterruptGuard::interrupted() const { return noted != 0; }

}  // namespace qassay
