#pragma once

// The memory of ONNX Runtime's sessions: given out here, so that it is known where a session has
// put its packed weights, which it does not tell.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

namespace qassay::onnxruntime {

struct MemoryInfo;

/// The first members of an allocator of ONNX Runtime's C interface. It looks for more of them from
/// version 18 on.
struct Allocator {
  std::uint32_t version;
  void* (*allocate)(Allocator*, std::size_t bytes);
  void (*release)(Allocator*, void*);
  const MemoryInfo* (*info)(const Allocator*);
};

/// What is given back is kept for the next request of as many bytes, as ONNX Runtime's own arena
/// does: a call must not wait for the system's memory.
class SessionMemory final : public Allocator {
 public:
  /// `where` says that it is the CPU's memory, and lives as long.
  explicit SessionMemory(const MemoryInfo* where);
  SessionMemory(const SessionMemory&) = delete;
  SessionMemory& operator=(const SessionMemory&) = delete;
  ~SessionMemory();

  /// How many requests there were so far.
  std::int64_t requests() const;
  /// The pieces in use that were asked for after so many requests.
  std::vector<std::span<const std::byte>> since(std::int64_t requests) const;
  /// Gives what nobody uses to the system.
  void trim();

 private:
  struct Piece {
    std::size_t bytes;
    std::int64_t request;
  };

  void* take(std::size_t bytes);
  void give_back(void* memory);

  const MemoryInfo* info_;
  mutable std::mutex changing_;
  std::map<void*, Piece> used_;
  std::multimap<std::size_t, void*> spare_;
  std::int64_t requests_ = 0;
};

}  // namespace qassay::onnxruntime
