#pragma once

#include <cstddef>
#include <cstdint>

namespace qassay {

/// Memory between two pages that nobody may touch: one byte too far ends the program. `last`: the
/// memory ends at a page's end (up to its alignment), else it begins at a page's begin.
class GuardedMemory {
 public:
  GuardedMemory(std::size_t bytes, std::size_t alignment, bool last);
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  ~GuardedMemory();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }
  /// Whether the bytes on the open pages that are not part of the memory are as they were.
  bool surroundings_untouched() const;

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::byte* open_ = nullptr;  // the pages between the guards
  std::size_t open_bytes_ = 0;
};

}  // namespace qassay
