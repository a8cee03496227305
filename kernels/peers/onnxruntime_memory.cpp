#include "kernels/peers/onnxruntime_memory.hpp"

#include <cstdlib>

namespace qassay::onnxruntime {
namespace {

constexpr std::uint32_t kVersion = 17;
constexpr std::size_t kAlignment = 64;

}  // namespace

SessionMemory::SessionMemory(const MemoryInfo* where)
    : Allocator{
          kVersion,
          [](Allocator* self, std::size_t bytes) {
            return static_cast<SessionMemory*>(self)->take(bytes);
          },
          [](Allocator* self, void* memory) {
            static_cast<SessionMemory*>(self)->give_back(memory);
          },
          [](const Allocator* self) { return static_cast<const SessionMemory*>(self)->info_; }},
      info_(where) {}

SessionMemory::~SessionMemory() { trim(); }

std::int64_t SessionMemory::requests() const {
  const std::lock_guard lock(changing_);
  return requests_;
}

std::vector<std::span<const std::byte>> SessionMemory::since(std::int64_t requests) const {
  const std::lock_guard lock(changing_);
  std::vector<std::span<const std::byte>> pieces;
  for (const auto& [memory, piece] : used_) {
    if (piece.request >= requests)
      pieces.emplace_back(static_cast<const std::byte*>(memory), piece.bytes);
  }
  return pieces;
}

void SessionMemory::trim() {
  const std::lock_guard lock(changing_);
  for (const auto& [bytes, memory] : spare_) std::free(memory);
  spare_.clear();
}

void* SessionMemory::take(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::lock_guard lock(changing_);
  void* memory = nullptr;
  if (const auto found = spare_.find(bytes); found != spare_.end()) {
    memory = found->second;
    spare_.erase(found);
  } else {
    const std::size_t whole = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    memory = whole < bytes ? nullptr : std::aligned_alloc(kAlignment, whole);
  }
  if (memory != nullptr) used_[memory] = {bytes, requests_++};
  return memory;
}

void SessionMemory::give_back(void* memory) {
  if (memory == nullptr) return;
  const std::lock_guard lock(changing_);
  const auto found = used_.find(memory);
  spare_.emplace(found->second.bytes, memory);
  used_.erase(found);
}

}  // namespace qassay::onnxruntime
