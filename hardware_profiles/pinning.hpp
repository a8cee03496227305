#pragma once

#include <string>

#include "core/machine.hpp"

namespace qassay {

/// Binds thread i of an OpenMP team of `threads` to machine.cores[i], reads every binding back, and
/// makes `threads` the size of later teams of the calling thread. libgomp keeps a team's threads
/// while its size stays the same; one that grows gets threads that inherit the caller's single
/// core, so pin again after using another size. Returns what was done, for people. Throws
/// InputError when `threads` is below 1 or more than are allowed, or the cores are not ones that
/// this process can be bound to.
std::string pin_threads(const Machine& machine, int threads);

/// Confines the calling thread, and those that it will start, to the first `threads` of
/// machine.cores: for libraries that place their threads themselves. Returns and throws likewise.
std::string confine_threads(const Machine& machine, int threads);

}  // namespace qassay
