#pragma once

#include <cstddef>
#include <span>

namespace qassay {

/// Drops a piece of memory from all caches of the machine, by `threads` OpenMP threads: what is
/// read next comes from memory, however large the last-level cache is and whoever shares it. Takes
/// about as long as reading it. Contents stay.
void evict(std::span<const std::byte> memory, int threads);

}  // namespace qassay
