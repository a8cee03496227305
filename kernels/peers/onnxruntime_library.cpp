#include "kernels/peers/onnxruntime_library.hpp"

#include <fmt/format.h>

#include <array>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace qassay::onnxruntime {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kApiVersion = 20;  // the first release that has it is 1.20

struct ApiBase {
  const void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};

Api functions(const void* const* table) {
  Api api{};
  const auto take = [table](std::size_t slot, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
        const_cast<void*>(table[slot]));
  };
  take(2, api.error_message);
  take(6, api.disable_telemetry);
  take(8, api.create_session_from_array);
  take(9, api.run);
  take(10, api.create_session_options);
  take(23, api.set_optimization_level);
  take(24, api.set_intra_op_threads);
  take(25, api.set_inter_op_threads);
  take(49, api.create_tensor_with_data);
  take(69, api.create_cpu_memory_info);
  take(92, api.release_env);
  take(93, api.release_status);
  take(94, api.release_memory_info);
  take(95, api.release_session);
  take(96, api.release_value);
  take(100, api.release_session_options);
  take(119, api.create_env_with_global_threads);
  take(120, api.disable_session_threads);
  take(121, api.create_threading_options);
  take(122, api.release_threading_options);
  take(130, api.add_session_config);
  take(147, api.set_global_intra_op_threads);
  take(148, api.set_global_inter_op_threads);
  take(210, api.add_external_initializers);
  take(176, api.register_allocator);
  return api;
}

Library load() {
  Library found;
  const fs::path file = peers_folder() / "onnxruntime" / "libonnxruntime.so.1";
  if (!fs::exists(file)) {
    found.state.missing = peer_not_found(file);
    return found;
  }
  void* const handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    found.state.missing = fmt::format("cannot be loaded ({})", dlerror());
    return found;
  }
  const auto entry = reinterpret_cast<const ApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  const void* const* const table = entry == nullptr ? nullptr : entry()->table(kApiVersion);
  if (entry != nullptr) found.state.version = entry()->version();
  if (table == nullptr) {
    found.state.missing = fmt::format("{} is older than 1.{}", file.string(), kApiVersion);
  } else {
    found.api = functions(table);
  }
  return found;
}

const Api& api() { return library().api; }

void check(Status* status) {
  if (status == nullptr) return;
  const std::unique_ptr<Status, Release<&Api::release_status>> failed(status);
  throw std::runtime_error(fmt::format("onnxruntime: {}", api().error_message(status)));
}

}  // namespace

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

std::shared_ptr<Environment> Environment::for_threads(int threads) {
  static std::mutex looking;
  static std::weak_ptr<Environment> one;
  const std::lock_guard lock(looking);
  std::shared_ptr<Environment> environment = one.lock();
  if (!environment) one = environment = std::make_shared<Environment>(threads);
  return environment;
}

Environment::Environment(int threads) : threads_(threads) {
  constexpr int kErrors = 3;
  ThreadingOptions* options = nullptr;
  check(api().create_threading_options(&options));
  const std::unique_ptr<ThreadingOptions, Release<&Api::release_threading_options>> owned(options);
  check(api().set_global_intra_op_threads(options, threads));
  check(api().set_global_inter_op_threads(options, 1));
  MemoryInfo* memory = nullptr;
  check(api().create_cpu_memory_info(0, 0, &memory));
  memory_.reset(memory);
  session_memory_ = std::make_unique<SessionMemory>(memory);
  Env* env = nullptr;
  check(api().create_env_with_global_threads(kErrors, "qassay", options, &env));
  env_.reset(env);
  check(api().disable_telemetry(env));
  check(api().register_allocator(env, session_memory_.get()));
}

ValuePointer Environment::value(const void* data, onnx::Type type,
                                std::span<const std::int64_t> sides) const {
  std::int64_t bytes = type == onnx::Type::f32 ? sizeof(float) : 1;
  for (const std::int64_t side : sides) bytes *= side;
  Value* value = nullptr;
  check(api().create_tensor_with_data(memory_.get(), const_cast<void*>(data),
                                      static_cast<std::size_t>(bytes), sides.data(), sides.size(),
                                      static_cast<int>(type), &value));
  return ValuePointer(value);
}

std::size_t Weights::bytes() const {
  std::size_t sum = 0;
  for (const Buffer& constant : constants) sum += constant.size();
  return sum;
}

LoadedModel::LoadedModel(std::shared_ptr<const Weights> weights, int threads)
    : environment_(Environment::for_threads(threads)), weights_(std::move(weights)) {
  constexpr int kAllOptimizations = 99;
  SessionOptions* options = nullptr;
  check(api().create_session_options(&options));
  const std::unique_ptr<SessionOptions, Release<&Api::release_session_options>> owned(options);
  check(api().set_optimization_level(options, kAllOptimizations));
  if (environment_->threads() == threads) {
    check(api().disable_session_threads(options));
  } else {
    check(api().set_intra_op_threads(options, threads));
    check(api().set_inter_op_threads(options, 1));
  }
  check(api().add_session_config(options, "session.use_env_allocators", "1"));
  const onnx::Model& model = weights_->model;
  std::vector<const char*> names;
  std::vector<const Value*> values;
  for (std::size_t i = 0; i < model.constants.size(); ++i) {
    const onnx::Constant& constant = model.constants[i];
    names.push_back(constant.name.c_str());
    values_.push_back(
        environment_->value(weights_->constants[i].data(), constant.type, constant.sides));
    values.push_back(values_.back().get());
  }
  check(api().add_external_initializers(options, names.data(), values.data(), values.size()));
  SessionMemory& memory = environment_->session_memory();
  const std::int64_t before = memory.requests();
  const std::string file = onnx::serialize(model);
  Session* session = nullptr;
  check(api().create_session_from_array(environment_->env(), file.data(), file.size(), options,
                                        &session));
  session_.reset(session);
  memory.trim();
  find_constants(before);
}

/// `before`: requests for memory before the session's.
void LoadedModel::find_constants(std::int64_t before) {
  constants_ = environment_->session_memory().since(before);
  std::size_t packed = 0;
  for (const std::span<const std::byte> piece : constants_) packed += piece.size();
  packs_ = packed >= weights_->bytes();
  if (packs_) return;
  for (const Buffer& given : weights_->constants)
    constants_.emplace_back(given.data(), given.size());
}

LoadedModel::~LoadedModel() {
  session_.reset();
  environment_->session_memory().trim();
}

void LoadedModel::run(const float* x, std::int64_t k, float* y, std::int64_t n, std::int64_t rows) {
  if (x != last_x_ || y != last_y_ || rows != last_rows_) {
    x_ = environment_->value(x, onnx::Type::f32, std::array{rows, k});
    y_ = environment_->value(y, onnx::Type::f32, std::array{rows, n});
    last_x_ = x;
    last_y_ = y;
    last_rows_ = rows;
  }
  const char* const input_name = "x";
  const char* const output_name = "y";
  const Value* const input = x_.get();
  Value* output = y_.get();
  check(api().run(session_.get(), nullptr, &input_name, &input, 1, &output_name, 1, &output));
}

}  // namespace qassay::onnxruntime
