#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>

namespace qassay::cuda {

/// Times work on the device by its own events around replays of a graph, in which launching costs
/// the host nothing: the calls follow each other on the device.
class Replay {
 public:
  /// `enqueue`: puts one call on the_stream(), and on no other.
  explicit Replay(std::function<void()> enqueue) : enqueue_(std::move(enqueue)) {}

  /// Seconds a call, over `calls` of them (rounded up to whole graphs). `cold`: each begins with a
  /// cache that holds other memory, in which nothing waits to be written back; emptying it is not
  /// timed.
  double seconds(std::int64_t calls, bool cold);

 private:
  template <auto kDestroy>
  struct Destroy {
    template <typename T>
    void operator()(T* handle) const {
      kDestroy(handle);
    }
  };
  using Graph =
      std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, Destroy<cudaGraphExecDestroy>>;

  void record(std::int64_t calls);
  double hot_seconds(std::int64_t calls);
  double cold_seconds(std::int64_t calls);

  std::function<void()> enqueue_;
  Graph graph_;
  std::int64_t recorded_ = 0;  // calls in it
};

}  // namespace qassay::cuda
