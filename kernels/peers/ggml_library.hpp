#pragma once

// ggml's CPU backend, loaded at run time. The declarations are our own, of its public C interface
// (MIT licence) as it is in ggml 0.25; other versions are refused.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "kernels/peers/peer_library.hpp"

namespace qassay::ggml {

struct Context;
struct Tensor;
struct Graph;
struct Backend;
struct ThreadPool;
struct BufferType;
struct Buffer;

/// The numbers are ggml's.
enum class Type : int { f32 = 0, f16 = 1, q4_0 = 2, q8_0 = 8, bf16 = 30 };

struct InitParams {
  std::size_t bytes;
  void* memory;
  bool no_alloc;
};

struct ThreadPoolParams {
  bool cpus[512];
  int threads;
  int priority;
  std::uint32_t poll;
  bool strict_cpu;
  bool paused;
};

using LogCallback = void(int level, const char* text, void* data);

/// Functions of libggml-base.so and libggml-cpu-*.so; names without "ggml_" and "ggml_backend_".
struct Api {
  Context* (*init)(InitParams);
  void (*free)(Context*);
  std::size_t (*tensor_overhead)();
  std::size_t (*graph_overhead_custom)(std::size_t nodes, bool gradients);
  Tensor* (*new_tensor_1d)(Context*, Type, std::int64_t);
  Tensor* (*new_tensor_2d)(Context*, Type, std::int64_t row, std::int64_t rows);
  Tensor* (*mul_mat)(Context*, Tensor* weights, Tensor* x);
  Tensor* (*add_inplace)(Context*, Tensor*, Tensor*);
  Graph* (*new_graph_custom)(Context*, std::size_t nodes, bool gradients);
  void (*build_forward_expand)(Graph*, Tensor*);
  std::size_t (*nbytes)(const Tensor*);
  void (*log_set)(LogCallback*, void* data);

  Buffer* (*alloc_ctx_tensors_from_buft)(Context*, BufferType*);
  Buffer* (*cpu_buffer_from_ptr)(void* memory, std::size_t bytes);
  BufferType* (*cpu_buffer_type)();
  BufferType* (*cpu_repack_buffer_type)();
  void (*buffer_free)(Buffer*);
  int (*tensor_alloc)(Buffer*, Tensor*, void* memory);
  int (*view_init)(Tensor*);
  void* (*get_data)(const Tensor*);
  void (*tensor_set)(Tensor*, const void* data, std::size_t offset, std::size_t bytes);
  bool (*supports_op)(Backend*, const Tensor*);
  int (*graph_compute)(Backend*, Graph*);
  void (*backend_free)(Backend*);

  Backend* (*cpu_init)();
  void (*cpu_set_n_threads)(Backend*, int);
  void (*cpu_set_threadpool)(Backend*, ThreadPool*);
  int (*cpu_has_avx512_bf16)();
  ThreadPoolParams (*threadpool_params_default)(int threads);
  ThreadPool* (*threadpool_new)(ThreadPoolParams*);
  void (*threadpool_free)(ThreadPool*);
};

/// What was found. The file that ggml itself prefers on this CPU among its libggml-cpu-*.so.
struct Library {
  PeerState state;
  std::string file;  // its name
  Api api{};         // valid where nothing is missing
};

/// Loaded once, when first asked for.
const Library& library();

template <auto kFunction>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    (library().api.*kFunction)(object);
  }
};

using ContextPointer = std::unique_ptr<Context, Free<&Api::free>>;
using BufferPointer = std::unique_ptr<Buffer, Free<&Api::buffer_free>>;

/// A context with room for so many tensors, whose data lie elsewhere, and a graph of them.
ContextPointer make_context(std::size_t tensors);
/// The tensor's data is this memory, which outlives the buffer. Aligned to kAlignment.
BufferPointer place(Tensor* tensor, void* memory);
inline constexpr std::size_t kAlignment = 32;

/// ggml's CPU backend with threads that it keeps: all that want as many share one.
class Engine {
 public:
  static std::shared_ptr<Engine> with_threads(int threads);
  explicit Engine(int threads);

  Backend* backend() const { return backend_.get(); }
  /// Throws std::runtime_error when ggml cannot.
  void compute(Graph* graph);

 private:
  std::unique_ptr<ThreadPool, Free<&Api::threadpool_free>> threads_;
  std::unique_ptr<Backend, Free<&Api::backend_free>> backend_;
  std::mutex busy_;
};

}  // namespace qassay::ggml
