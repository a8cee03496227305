#include "kernels/peers/ggml_library.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>
#include <system_error>

namespace qassay::ggml {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kVersion = "0.25.";

/// Loads what all variants need, to stay: it installs a handler of std::terminate when loaded,
/// which would be left behind when unloaded. The program's own is put back.
bool load_base(const fs::path& file) {
  const std::terminate_handler before = std::get_terminate();
  const void* const base = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  std::set_terminate(before);
  return base != nullptr;
}

/// The library of the folder that gives itself the highest score here; scores of 0 cannot run.
fs::path best_variant(const fs::path& folder) {
  fs::path best;
  int highest = 0;
  std::error_code failed;
  for (const auto& file : fs::directory_iterator(folder, failed)) {
    if (!file.path().filename().string().starts_with("libggml-cpu")) continue;
    const std::unique_ptr<void, int (*)(void*)> variant(
        dlopen(file.path().c_str(), RTLD_NOW | RTLD_LOCAL), dlclose);
    if (!variant) continue;
    const auto score = reinterpret_cast<int (*)()>(dlsym(variant.get(), "ggml_backend_score"));
    if (score == nullptr || score() <= highest) continue;
    highest = score();
    best = file.path();
  }
  return best;
}

/// Returns the name of the first function that is not there.
std::string find_functions(void* handle, Api& api) {
  Symbols symbols(handle);
  symbols.find("ggml_init", api.init);
  symbols.find("ggml_free", api.free);
  symbols.find("ggml_tensor_overhead", api.tensor_overhead);
  symbols.find("ggml_graph_overhead_custom", api.graph_overhead_custom);
  symbols.find("ggml_new_tensor_1d", api.new_tensor_1d);
  symbols.find("ggml_new_tensor_2d", api.new_tensor_2d);
  symbols.find("ggml_mul_mat", api.mul_mat);
  symbols.find("ggml_add_inplace", api.add_inplace);
  symbols.find("ggml_new_graph_custom", api.new_graph_custom);
  symbols.find("ggml_build_forward_expand", api.build_forward_expand);
  symbols.find("ggml_nbytes", api.nbytes);
  symbols.find("ggml_log_set", api.log_set);
  symbols.find("ggml_backend_alloc_ctx_tensors_from_buft", api.alloc_ctx_tensors_from_buft);
  symbols.find("ggml_backend_cpu_buffer_from_ptr", api.cpu_buffer_from_ptr);
  symbols.find("ggml_backend_cpu_buffer_type", api.cpu_buffer_type);
  // Not in its C interface: the name of a C++ function.
  symbols.find("_Z35ggml_backend_cpu_repack_buffer_typev", api.cpu_repack_buffer_type);
  symbols.find("ggml_backend_buffer_free", api.buffer_free);
  symbols.find("ggml_backend_tensor_alloc", api.tensor_alloc);
  symbols.find("ggml_backend_view_init", api.view_init);
  symbols.find("ggml_get_data", api.get_data);
  symbols.find("ggml_backend_tensor_set", api.tensor_set);
  symbols.find("ggml_backend_supports_op", api.supports_op);
  symbols.find("ggml_backend_graph_compute", api.graph_compute);
  symbols.find("ggml_backend_free", api.backend_free);
  symbols.find("ggml_backend_cpu_init", api.cpu_init);
  symbols.find("ggml_backend_cpu_set_n_threads", api.cpu_set_n_threads);
  symbols.find("ggml_backend_cpu_set_threadpool", api.cpu_set_threadpool);
  symbols.find("ggml_cpu_has_avx512_bf16", api.cpu_has_avx512_bf16);
  symbols.find("ggml_threadpool_params_default", api.threadpool_params_default);
  symbols.find("ggml_threadpool_new", api.threadpool_new);
  symbols.find("ggml_threadpool_free", api.threadpool_free);
  return symbols.missing();
}

/// ggml tells of every tensor that it packs.
void log_errors(int level, const char* text, void*) {
  constexpr int kError = 4;
  if (level == kError) std::fputs(text, stderr);
}

Library load() {
  const fs::path folder = peers_folder() / "ggml";
  Library found;
  const fs::path base = folder / "libggml-base.so";
  if (!fs::exists(base)) {
    found.state.missing = peer_not_found(base);
    return found;
  }
  const fs::path file = load_base(base) ? best_variant(folder) : fs::path();
  void* const handle = file.empty() ? nullptr : dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    found.state.missing = fmt::format("no library in {} runs on this CPU", folder.string());
    return found;
  }
  found.file = file.filename().string();
  const auto version = reinterpret_cast<const char* (*)()>(dlsym(handle, "ggml_version"));
  found.state.version = version == nullptr ? "unknown" : version();
  const std::string lacking = find_functions(handle, found.api);
  if (!found.state.version.starts_with(kVersion)) {
    found.state.missing = fmt::format("ggml {} in {} is not the {}x that is known here",
                                      found.state.version, folder.string(), kVersion);
  } else if (!lacking.empty()) {
    found.state.missing = fmt::format("{} has no {}", file.string(), lacking);
  } else {
    found.api.log_set(log_errors, nullptr);
  }
  return found;
}

}  // namespace

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

ContextPointer make_context(std::size_t tensors) {
  const Api& api = library().api;
  const std::size_t bytes =
      tensors * api.tensor_overhead() + api.graph_overhead_custom(tensors, false);
  ContextPointer context(api.init({bytes, nullptr, true}));
  if (!context) throw std::bad_alloc();
  return context;
}

BufferPointer place(Tensor* tensor, void* memory) {
  const Api& api = library().api;
  BufferPointer buffer(api.cpu_buffer_from_ptr(memory, api.nbytes(tensor)));
  if (!buffer || api.tensor_alloc(buffer.get(), tensor, memory) != 0)
    throw std::runtime_error("ggml does not take memory of ours");
  return buffer;
}

std::shared_ptr<Engine> Engine::with_threads(int threads) {
  static std::mutex looking;
  static std::map<int, std::weak_ptr<Engine>> engines;
  const std::lock_guard lock(looking);
  std::shared_ptr<Engine> engine = engines[threads].lock();
  if (!engine) engines[threads] = engine = std::make_shared<Engine>(threads);
  return engine;
}

Engine::Engine(int threads) {
  const Api& api = library().api;
  ThreadPoolParams params = api.threadpool_params_default(threads);
  threads_.reset(api.threadpool_new(&params));
  backend_.reset(api.cpu_init());
  if (!threads_ || !backend_) throw std::runtime_error("ggml has no threads or no CPU backend");
  api.cpu_set_n_threads(backend_.get(), threads);
  api.cpu_set_threadpool(backend_.get(), threads_.get());
}

void Engine::compute(Graph* graph) {
  const std::lock_guard lock(busy_);
  const int status = library().api.graph_compute(backend_.get(), graph);
  if (status != 0) throw std::runtime_error(fmt::format("ggml failed with status {}", status));
}

}  // namespace qassay::ggml
