#pragma once

#include <cstddef>

namespace qassay {

/// Zeroed memory aligned to 64 bytes. From 2 MiB up it is aligned to 2 MiB, huge pages are asked
/// for, and pages are placed by whoever touches them first; below, it comes from the heap. Throws
/// std::bad_alloc.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;  // 0: from the heap
};

}  // namespace qassay
