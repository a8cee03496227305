#include "kernels/adapters/onednn_matmul.hpp"

#include <fmt/format.h>

#include <utility>

#include "kernels/adapters/omp_threads.hpp"
#include "kernels/kernel_table.hpp"

namespace qassay {
namespace {

using dnnl::memory;

dnnl::matmul::primitive_desc describe(const MatmulShape& shape, std::int64_t m,
                                      const memory::desc& weights) {
  const memory::desc x({m, shape.k}, shape.factors, memory::format_tag::ab);
  const memory::desc y({m, shape.n}, shape.product, memory::format_tag::ab);
  const memory::desc bias({1, shape.n}, memory::data_type::f32, memory::format_tag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::matmul::desc product =
      shape.bias ? dnnl::matmul::desc(x, weights, bias, y) : dnnl::matmul::desc(x, weights, y);
  return {product, attributes, onednn_engine()};
}

/// oneDNN sees W as [k][n]. `any`: in the layout that suits it.
memory::desc weights_of(const MatmulShape& shape, memory::format_tag layout) {
  return {{shape.k, shape.n}, shape.factors, layout};
}

bool has_bf16_instructions() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto native = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (isa & native) == native;
}

/// Arguments are read only; oneDNN's handles do not say so.
void* handle(const void* data) { return const_cast<void*>(data); }

}  // namespace

dnnl::engine& onednn_engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

std::string_view onednn_version() {
  static const std::string version = [] {
    const dnnl::version_t* library = dnnl::version();
    return fmt::format("{}.{}.{}", library->major, library->minor, library->patch);
  }();
  return version;
}

std::optional<Refusal> onednn_refuses(const MatmulShape& shape) {
  if (shape.factors == memory::data_type::bf16 && !has_bf16_instructions()) {
    return Refusal{"this CPU has no BF16 instructions, and oneDNN would emulate them"};
  }
  try {
    describe(shape, shape.m_max, weights_of(shape, memory::format_tag::any));
  } catch (const dnnl::error& error) {
    return Refusal{fmt::format("oneDNN {} has no such product on this machine ({})",
                               onednn_version(), error.what())};
  }
  return std::nullopt;
}

OnednnMatmul::OnednnMatmul(const MatmulShape& shape, int threads)
    : shape_(shape), threads_(threads), stream_(onednn_engine()) {
  const OmpThreads as_many(threads_);
  const auto widest = describe(shape, shape.m_max, weights_of(shape, memory::format_tag::any));
  weights_ = widest.weights_desc();
  scratchpad_bytes_ = widest.scratchpad_desc().get_size();
  implementation_ = widest.impl_info_str();
  plan(shape.m_max);
}

std::string OnednnMatmul::implementation() const { return implementation_; }

void OnednnMatmul::pack(const void* plain, std::byte* packed) const {
  const OmpThreads as_many(threads_);
  memory from(weights_of(shape_, memory::format_tag::ba), onednn_engine(), handle(plain));
  memory to = packed_weights(packed);
  dnnl::stream stream(onednn_engine());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
}

memory OnednnMatmul::packed_weights(std::byte* packed) const {
  return {weights_, onednn_engine(), packed};
}

OnednnMatmul::Plan& OnednnMatmul::plan(std::int64_t m) {
  const auto found = plans_.find(m);
  if (found != plans_.end()) return found->second;

  const auto description = describe(shape_, m, weights_);
  Plan made{dnnl::matmul(description), {}, {}};
  const auto unplaced = [](const memory::desc& desc) {
    return memory(desc, onednn_engine(), nullptr);
  };
  made.arguments = {{DNNL_ARG_SRC, unplaced(description.src_desc())},
                    {DNNL_ARG_DST, unplaced(description.dst_desc())},
                    {DNNL_ARG_SCRATCHPAD, unplaced(description.scratchpad_desc())}};
  if (shape_.bias) made.arguments.emplace(DNNL_ARG_BIAS, unplaced(description.bias_desc()));
  const std::size_t scratchpad = description.scratchpad_desc().get_size();
  if (scratchpad > scratchpad_bytes_) made.scratchpad = Buffer(scratchpad);
  return plans_.emplace(m, std::move(made)).first->second;
}

void OnednnMatmul::execute(std::int64_t m, const void* x, const memory& weights, const float* bias,
                           std::byte* scratchpad, void* y) {
  const OmpThreads as_many(threads_);
  Plan& now = plan(m);
  auto& arguments = now.arguments;
  arguments[DNNL_ARG_WEIGHTS] = weights;
  arguments[DNNL_ARG_SRC].set_data_handle(handle(x));
  arguments[DNNL_ARG_DST].set_data_handle(y);
  arguments[DNNL_ARG_SCRATCHPAD].set_data_handle(now.scratchpad.size() > 0 ? now.scratchpad.data()
                                                                           : scratchpad);
  if (shape_.bias) arguments[DNNL_ARG_BIAS].set_data_handle(handle(bias));
  now.primitive.execute(stream_, arguments);
  stream_.wait();
}

void OnednnConversion::run(ConstMatrix x, std::byte* dense, int threads) {
  const OmpThreads as_many(threads);
  if (x.rows != rows_ || x.stride != stride_) {
    const memory::desc from({x.rows, x.cols}, memory::data_type::f32, memory::dims{x.stride, 1});
    const memory::desc to({x.rows, x.cols}, type_, memory::format_tag::ab);
    from_ = memory(from, onednn_engine(), nullptr);
    to_ = memory(to, onednn_engine(), nullptr);
    primitive_ = dnnl::reorder(from_, to_);
    rows_ = x.rows;
    stride_ = x.stride;
  }
  from_.set_data_handle(handle(x.data));
  to_.set_data_handle(dense);
  dnnl::stream stream(onednn_engine());
  primitive_.execute(stream, from_, to_);
  stream.wait();
}

}  // namespace qassay
