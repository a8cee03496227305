#include "tests/kernels/guarded_memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace qassay {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::byte kUntouched{0xA5};

}  // namespace

GuardedMemory::GuardedMemory(std::size_t bytes, std::size_t alignment, bool last)
    : size_(bytes), open_bytes_(std::max<std::size_t>((bytes + kPage - 1) / kPage, 1) * kPage) {
  void* const start = mmap(nullptr, open_bytes_ + 2 * kPage, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
  open_ = static_cast<std::byte*>(start) + kPage;
  mprotect(open_ - kPage, kPage, PROT_NONE);
  mprotect(open_ + open_bytes_, kPage, PROT_NONE);
  std::fill_n(open_, open_bytes_, kUntouched);
  data_ = last ? open_ + (open_bytes_ - bytes) / alignment * alignment : open_;
}

GuardedMemory::~GuardedMemory() { munmap(open_ - kPage, open_bytes_ + 2 * kPage); }

bool GuardedMemory::surroundings_untouched() const {
  const auto untouched = [](std::byte byte) { return byte == kUntouched; };
  return std::all_of(open_, data_, untouched) &&
         std::all_of(data_ + size_, open_ + open_bytes_, untouched);
}

}  // namespace qassay
