#include "kernels/adapters/onednn_layer.hpp"

#include <fmt/format.h>

#include <utility>

#include "kernels/adapters/omp_threads.hpp"
#include "kernels/kernel_table.hpp"

namespace qassay {
namespace {

using dnnl::memory;

/// What the two kinds of primitives have in common.
struct Description {
  dnnl::primitive primitive;
  memory::desc x, weights, bias, y, scratchpad;
  std::string implementation;
};

template <typename Primitive>
Description describe(const typename Primitive::desc& operation,
                     const dnnl::primitive_attr& attributes) {
  const typename Primitive::primitive_desc found(operation, attributes, onednn_engine());
  return {Primitive(found), found.src_desc(),        found.weights_desc(), found.bias_desc(),
          found.dst_desc(), found.scratchpad_desc(), found.impl_info_str()};
}

Description describe_matmul(const OnednnLayerShape& shape, std::int64_t m,
                            const memory::desc& weights, const dnnl::primitive_attr& attributes) {
  const Problem& problem = shape.problem;
  const memory::desc x({m, problem.k}, shape.x, memory::format_tag::ab);
  const memory::desc y({m, problem.n}, shape.y, memory::format_tag::ab);
  const memory::desc bias({1, problem.n}, memory::data_type::f32, memory::format_tag::ab);
  return describe<dnnl::matmul>(
      shape.bias ? dnnl::matmul::desc(x, weights, bias, y) : dnnl::matmul::desc(x, weights, y),
      attributes);
}

Description describe_convolution(const OnednnLayerShape& shape, std::int64_t m,
                                 const memory::desc& weights, dnnl::primitive_attr& attributes) {
  const Convolution& c = *shape.problem.convolution;
  const std::int64_t n = shape.problem.n;
  const memory::desc x({m, c.channels, c.height, c.width}, shape.x, memory::format_tag::nhwc);
  const memory::desc y({m, n, c.out_height(), c.out_width()}, shape.y, memory::format_tag::nhwc);
  const memory::desc bias = shape.bias
                                ? memory::desc({n}, memory::data_type::f32, memory::format_tag::a)
                                : memory::desc();
  if (!shape.output_scales.empty()) attributes.set_output_scales(1 << 1, shape.output_scales);
  // The attribute rules out oneDNN's fastest int8 convolutions.
  if (shape.x_zero != 0) attributes.set_zero_points(DNNL_ARG_SRC, 0, {shape.x_zero});
  return describe<dnnl::convolution_forward>({dnnl::prop_kind::forward_inference,
                                              dnnl::algorithm::convolution_direct,
                                              x,
                                              weights,
                                              bias,
                                              y,
                                              {c.stride, c.stride},
                                              {c.padding, c.padding},
                                              {c.padding, c.padding}},
                                             attributes);
}

Description describe(const OnednnLayerShape& shape, std::int64_t m, const memory::desc& weights) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return shape.problem.convolution ? describe_convolution(shape, m, weights, attributes)
                                   : describe_matmul(shape, m, weights, attributes);
}

enum class Layout { plain, any };

/// W[n,k] as oneDNN sees it: [k][n], or [output][input][y][x] of each group. `any`: in the layout
/// that suits it.
memory::desc weights_of(const OnednnLayerShape& shape, Layout layout) {
  using Tag = memory::format_tag;
  const Problem& problem = shape.problem;
  const auto tag = [layout](Tag plain) { return layout == Layout::plain ? plain : Tag::any; };
  if (!problem.convolution) return {{problem.k, problem.n}, shape.weights, tag(Tag::ba)};
  const Convolution& c = *problem.convolution;
  if (c.groups == 1) {
    return {
        {problem.n, c.channels, c.kernel_height, c.kernel_width}, shape.weights, tag(Tag::ohwi)};
  }
  return {{c.groups, problem.n / c.groups, c.group_channels(), c.kernel_height, c.kernel_width},
          shape.weights,
          tag(Tag::gohwi)};
}

bool has(dnnl::cpu_isa level) {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  return (isa & static_cast<unsigned>(level)) == static_cast<unsigned>(level);
}

/// oneDNN 2 lays its AMX tiles for these shapes so that their first product is an illegal
/// instruction (found by trying all k below 400 with 2.6.2; its issue 1661 is another sight of it).
bool breaks_tiles(const OnednnLayerShape& shape, const std::string& implementation) {
  constexpr std::int64_t kFewRows = 32;
  constexpr std::int64_t kTwoTiles = 128;  // bytes of a row, in words of 4
  const auto size = static_cast<std::int64_t>(memory::data_type_size(shape.x));
  const std::int64_t bytes = shape.problem.k * size;
  return dnnl::version()->major < 3 && implementation.find("amx") != std::string::npos &&
         shape.problem.m_max > kFewRows && bytes < kTwoTiles && bytes > kTwoTiles - 4;
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

std::optional<Refusal> onednn_refuses(const OnednnLayerShape& shape) {
  if (shape.weights == memory::data_type::bf16 && !has(dnnl::cpu_isa::avx512_core_bf16)) {
    return Refusal{"this CPU has no BF16 instructions, and oneDNN would emulate them"};
  }
  try {
    const Description found = describe(shape, shape.problem.m_max, weights_of(shape, Layout::any));
    if (!shape.problem.convolution && breaks_tiles(shape, found.implementation)) {
      return Refusal{
          fmt::format("oneDNN {} crashes on AMX where rows of {} numbers almost fill two tiles",
                      onednn_version(), shape.problem.k)};
    }
  } catch (const dnnl::error& error) {
    return Refusal{fmt::format("oneDNN {} has no such layer on this machine ({})", onednn_version(),
                               error.what())};
  }
  return std::nullopt;
}

std::optional<Refusal> onednn_refuses_int8(const OnednnLayerShape& shape) {
  if (!has(dnnl::cpu_isa::avx512_core_vnni) && !has(dnnl::cpu_isa::avx2_vnni))
    return Refusal{"without VNNI oneDNN saturates int8 sums at 16 bits: results would be wrong"};
  return onednn_refuses(shape);
}

OnednnLayer::OnednnLayer(const OnednnLayerShape& shape, int threads)
    : shape_(shape), threads_(threads), stream_(onednn_engine()) {
  const OmpThreads as_many(threads_);
  const Description widest = describe(shape, shape.problem.m_max, weights_of(shape, Layout::any));
  weights_ = widest.weights;
  scratchpad_bytes_ = widest.scratchpad.get_size();
  implementation_ = widest.implementation;
  plan(shape.problem.m_max);
}

std::string OnednnLayer::implementation() const { return implementation_; }

void OnednnLayer::pack(const void* plain, std::byte* packed) const {
  const OmpThreads as_many(threads_);
  memory from(weights_of(shape_, Layout::plain), onednn_engine(), handle(plain));
  memory to = packed_weights(packed);
  dnnl::stream stream(onednn_engine());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
}

memory OnednnLayer::packed_weights(std::byte* packed) const {
  return {weights_, onednn_engine(), packed};
}

OnednnLayer::Plan& OnednnLayer::plan(std::int64_t m) {
  const auto found = plans_.find(m);
  if (found != plans_.end()) return found->second;

  const Description description = describe(shape_, m, weights_);
  Plan made{description.primitive, {}, {}};
  const auto unplaced = [](const memory::desc& desc) {
    return memory(desc, onednn_engine(), nullptr);
  };
  made.arguments = {{DNNL_ARG_SRC, unplaced(description.x)},
                    {DNNL_ARG_DST, unplaced(description.y)},
                    {DNNL_ARG_SCRATCHPAD, unplaced(description.scratchpad)}};
  if (shape_.bias) made.arguments.emplace(DNNL_ARG_BIAS, unplaced(description.bias));
  const std::size_t scratchpad = description.scratchpad.get_size();
  if (scratchpad > scratchpad_bytes_) made.scratchpad = Buffer(scratchpad);
  return plans_.emplace(m, std::move(made)).first->second;
}

void OnednnLayer::execute(std::int64_t m, const void* x, const memory& weights, const float* bias,
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
