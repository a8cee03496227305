#pragma once

// ONNX Runtime, loaded at run time. The declarations are our own, of its public C interface (MIT
// licence): a table of functions that only ever grows, of which these slots are used.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/buffer.hpp"
#include "kernels/peers/onnx_model.hpp"
#include "kernels/peers/onnxruntime_memory.hpp"
#include "kernels/peers/peer_library.hpp"

namespace qassay::onnxruntime {

struct Status;
struct Env;
struct ThreadingOptions;
struct SessionOptions;
struct Session;
struct Value;

struct Api {
  const char* (*error_message)(const Status*);
  Status* (*disable_telemetry)(const Env*);
  Status* (*run)(Session*, const void* run_options, const char* const* input_names,
                 const Value* const* inputs, std::size_t n_inputs, const char* const* output_names,
                 std::size_t n_outputs, Value** outputs);
  Status* (*create_session_from_array)(const Env*, const void* model, std::size_t bytes,
                                       const SessionOptions*, Session**);
  Status* (*create_session_options)(SessionOptions**);
  Status* (*set_optimization_level)(SessionOptions*, int);
  Status* (*set_intra_op_threads)(SessionOptions*, int);
  Status* (*set_inter_op_threads)(SessionOptions*, int);
  Status* (*create_tensor_with_data)(const MemoryInfo*, void* data, std::size_t bytes,
                                     const std::int64_t* sides, std::size_t n_sides, int type,
                                     Value**);
  Status* (*create_cpu_memory_info)(int allocator, int memory, MemoryInfo**);
  void (*release_env)(Env*);
  void (*release_status)(Status*);
  void (*release_memory_info)(MemoryInfo*);
  void (*release_session)(Session*);
  void (*release_value)(Value*);
  void (*release_session_options)(SessionOptions*);
  Status* (*add_session_config)(SessionOptions*, const char* key, const char* value);
  Status* (*register_allocator)(Env*, Allocator*);
  Status* (*create_env_with_global_threads)(int log_level, const char* name,
                                            const ThreadingOptions*, Env**);
  Status* (*disable_session_threads)(SessionOptions*);
  Status* (*create_threading_options)(ThreadingOptions**);
  void (*release_threading_options)(ThreadingOptions*);
  Status* (*set_global_intra_op_threads)(ThreadingOptions*, int);
  Status* (*set_global_inter_op_threads)(ThreadingOptions*, int);
  Status* (*add_external_initializers)(SessionOptions*, const char* const* names,
                                       const Value* const* values, std::size_t count);
};

struct Library {
  PeerState state;
  Api api{};  // valid where nothing is missing
};

/// Loaded once, when first asked for.
const Library& library();

template <auto kFunction>
struct Release {
  template <typename T>
  void operator()(T* object) const {
    (library().api.*kFunction)(object);
  }
};

using ValuePointer = std::unique_ptr<Value, Release<&Api::release_value>>;

/// The one environment of the process, with threads for all sessions that want as many as the first
/// one did; others have threads of their own. It lives as long as there is a session.
class Environment {
 public:
  static std::shared_ptr<Environment> for_threads(int threads);
  explicit Environment(int threads);

  int threads() const { return threads_; }
  const Env* env() const { return env_.get(); }
  SessionMemory& session_memory() { return *session_memory_; }
  /// A tensor in the caller's memory, dense.
  ValuePointer value(const void* data, onnx::Type type, std::span<const std::int64_t> sides) const;

 private:
  int threads_;
  std::unique_ptr<MemoryInfo, Release<&Api::release_memory_info>> memory_;
  std::unique_ptr<SessionMemory> session_memory_;
  std::unique_ptr<Env, Release<&Api::release_env>> env_;
};

/// A model and the bytes of its constants, in their order.
struct Weights {
  onnx::Model model;
  std::vector<Buffer> constants;

  std::size_t bytes() const;
};

/// A model, optimized and packed by ONNX Runtime. Throws std::runtime_error with its words where it
/// fails.
class LoadedModel {
 public:
  LoadedModel(std::shared_ptr<const Weights> weights, int threads);
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;
  ~LoadedModel();

  /// Where it reads what it needs in every call: the weights as it has packed them, or those that
  /// it was given and left as they are.
  const std::vector<std::span<const std::byte>>& constants() const { return constants_; }
  /// Whether it reads the weights that it was given no more.
  bool packs() const { return packs_; }

  /// y[rows, n] = the model of x[rows, k], dense both.
  void run(const float* x, std::int64_t k, float* y, std::int64_t n, std::int64_t rows);

 private:
  void find_constants(std::int64_t before);

  std::shared_ptr<Environment> environment_;
  std::shared_ptr<const Weights> weights_;
  std::vector<ValuePointer> values_;  // of the weights
  std::unique_ptr<Session, Release<&Api::release_session>> session_;
  std::vector<std::span<const std::byte>> constants_;
  bool packs_ = false;
  // The arguments of the last call, which the next will mostly repeat.
  const float* last_x_ = nullptr;
  float* last_y_ = nullptr;
  std::int64_t last_rows_ = 0;
  ValuePointer x_;
  ValuePointer y_;
};

}  // namespace qassay::onnxruntime
