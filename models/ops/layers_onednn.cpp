// Linear layers and convolutions in FP32 for training, by oneDNN's jitted primitives. A linear
// layer is three products of matrices. A convolution is a primitive each for forward, and backward
// by data and by weights: images stay NHWC; weights are in the layout that each primitive likes
// best, written there from the model's own at every step, for the optimizer changes them.

#include <algorithm>
#include <dnnl.hpp>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/buffer.hpp"
#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"

namespace qassay {
namespace {

using dnnl::memory;
using tag = memory::format_tag;

dnnl::engine& engine() {
  static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

void* handle(const float* data) { return const_cast<float*>(data); }

/// A primitive with its arguments, whose handles are set at every run.
class Step {
 public:
  Step() = default;
  template <typename Description>
  Step(const Description& description, const dnnl::primitive& primitive)
      : primitive_(primitive), scratchpad_(description.scratchpad_desc().get_size()) {
    arguments_[DNNL_ARG_SCRATCHPAD] = {description.scratchpad_desc(), engine(), scratchpad_.data()};
  }

  void set(int argument, const memory::desc& desc, const float* data) {
    arguments_.insert_or_assign(argument, memory(desc, engine(), handle(data)));
  }
  void run(dnnl::stream& stream) {
    primitive_.execute(stream, arguments_);
    stream.wait();
  }

 private:
  dnnl::primitive primitive_;
  Buffer scratchpad_;
  std::unordered_map<int, memory> arguments_;
};

dnnl::primitive_attr with_own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// c[m,n] = a[m,k] b[k,n]. Not by dnnl::sgemm: with signals arriving, oneDNN 2.6's gave wrong
/// results and broke the heap.
class MatrixProduct {
 public:
  struct Sizes {
    std::int64_t m, n, k;
  };
  struct Turned {
    bool a = false, b = false;  // the matrix is stored as its transpose
  };

  MatrixProduct() = default;
  MatrixProduct(const Sizes& sizes, const Turned& turned) {
    const auto layout = [](bool is_turned) { return is_turned ? tag::ba : tag::ab; };
    const memory::desc a({sizes.m, sizes.k}, kType, layout(turned.a));
    const memory::desc b({sizes.k, sizes.n}, kType, layout(turned.b));
    const memory::desc c({sizes.m, sizes.n}, kType, tag::ab);
    description_ = {dnnl::matmul::desc(a, b, c), with_own_scratchpad(), engine()};
    step_ = Step(description_, dnnl::matmul(description_));
  }

  void run(const float* a, const float* b, float* c, dnnl::stream& stream) {
    step_.set(DNNL_ARG_SRC, description_.src_desc(), a);
    step_.set(DNNL_ARG_WEIGHTS, description_.weights_desc(), b);
    step_.set(DNNL_ARG_DST, description_.dst_desc(), c);
    step_.run(stream);
  }

 private:
  static constexpr memory::data_type kType = memory::data_type::f32;
  dnnl::matmul::primitive_desc description_;
  Step step_;
};

class TrainedLinear final : public Op {
 public:
  TrainedLinear(const Linear& op, const OpPlace& place)
      : outputs_(op.outputs),
        inputs_(place.inputs.front().channels),
        threads_(place.threads),
        bias_(op.bias),
        parameters_(place.parameters),
        gradients_(place.gradients),
        stream_(engine()) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    const std::int64_t rows = y.rows * y.cols / outputs_;
    for_rows(rows).forward.run(x.front().data, weights(), y.data, stream_);
    if (!bias_) return;
    const float* const bias = parameters_[1]->values.data();
    for_shares(rows, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t n = 0; n < outputs_; ++n) y.data[row * outputs_ + n] += bias[n];
      }
    });
  }

  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    const std::int64_t rows = dy.rows * dy.cols / outputs_;
    Products& products = for_rows(rows);
    products.by_weights.run(dy.data, x.front().data, gradients_[0]->values.data(), stream_);
    if (bias_) sum_rows(dy, rows, gradients_[1]->values);
    if (dx.front().data != nullptr)
      products.by_data.run(dy.data, weights(), dx.front().data, stream_);
  }

 private:
  struct Products {
    MatrixProduct forward, by_data, by_weights;
  };

  Products& for_rows(std::int64_t rows) {
    const auto found = products_.find(rows);
    if (found != products_.end()) return found->second;
    return products_
        .emplace(rows, Products{.forward = {{rows, outputs_, inputs_}, {.b = true}},
                                .by_data = {{rows, inputs_, outputs_}, {}},
                                .by_weights = {{outputs_, inputs_, rows}, {.a = true}}})
        .first->second;
  }
  const float* weights() const { return parameters_[0]->values.data(); }

  void sum_rows(ConstMatrix dy, std::int64_t rows, std::vector<float>& sums) const {
    for_shares(outputs_, threads_, [&](std::int64_t begin, std::int64_t end) {
      std::fill(sums.begin() + begin, sums.begin() + end, 0.0F);
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t n = begin; n < end; ++n)
          sums[static_cast<std::size_t>(n)] += dy.data[row * outputs_ + n];
      }
    });
  }

  std::int64_t outputs_, inputs_;
  int threads_;
  bool bias_;
  std::vector<Tensor*> parameters_, gradients_;
  dnnl::stream stream_;
  std::map<std::int64_t, Products> products_;
};

class TrainedConvolution final : public Op {
 public:
  TrainedConvolution(const Convolution& geometry, std::int64_t outputs, bool bias,
                     const OpPlace& place)
      : geometry_(geometry),
        outputs_(outputs),
        bias_(bias),
        parameters_(place.parameters),
        gradients_(place.gradients),
        stream_(engine()) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    Batch& batch = for_samples(y.rows);
    reorder(plain_weights(), parameters_[0]->values.data(), batch.forward.weights_desc(), weights_);
    Step& step = batch.forward_step;
    step.set(DNNL_ARG_SRC, batch.forward.src_desc(), x.front().data);
    step.set(DNNL_ARG_WEIGHTS, batch.forward.weights_desc(), weights_.as<float>());
    if (bias_) step.set(DNNL_ARG_BIAS, batch.forward.bias_desc(), parameters_[1]->values.data());
    step.set(DNNL_ARG_DST, batch.forward.dst_desc(), y.data);
    step.run(stream_);
  }

  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    Batch& batch = for_samples(dy.rows);
    make_backward(batch);
    Step& by_weights = batch.weights_step;
    gradient_ = reserve(std::move(gradient_), batch.by_weights.diff_weights_desc().get_size());
    by_weights.set(DNNL_ARG_SRC, batch.by_weights.src_desc(), x.front().data);
    by_weights.set(DNNL_ARG_DIFF_DST, batch.by_weights.diff_dst_desc(), dy.data);
    by_weights.set(DNNL_ARG_DIFF_WEIGHTS, batch.by_weights.diff_weights_desc(),
                   gradient_.as<float>());
    if (bias_) {
      by_weights.set(DNNL_ARG_DIFF_BIAS, batch.by_weights.diff_bias_desc(),
                     gradients_[1]->values.data());
    }
    by_weights.run(stream_);
    convert(batch.by_weights.diff_weights_desc(), gradient_.as<float>(), plain_weights(),
            gradients_[0]->values.data());
    if (dx.front().data == nullptr) return;
    reorder(plain_weights(), parameters_[0]->values.data(), batch.by_data.weights_desc(), weights_);
    Step& by_data = batch.data_step;
    by_data.set(DNNL_ARG_DIFF_DST, batch.by_data.diff_dst_desc(), dy.data);
    by_data.set(DNNL_ARG_WEIGHTS, batch.by_data.weights_desc(), weights_.as<float>());
    by_data.set(DNNL_ARG_DIFF_SRC, batch.by_data.diff_src_desc(), dx.front().data);
    by_data.run(stream_);
  }

 private:
  /// The primitives for one number of samples.
  struct Batch {
    dnnl::convolution_forward::primitive_desc forward;
    dnnl::convolution_backward_data::primitive_desc by_data;
    dnnl::convolution_backward_weights::primitive_desc by_weights;
    Step forward_step, data_step, weights_step;
    bool has_backward = false;
  };

  static constexpr auto kType = memory::data_type::f32;

  memory::desc source(std::int64_t samples) const {
    return {{samples, geometry_.channels, geometry_.height, geometry_.width}, kType, tag::nhwc};
  }
  memory::desc destination(std::int64_t samples) const {
    return {{samples, outputs_, geometry_.out_height(), geometry_.out_width()}, kType, tag::nhwc};
  }
  memory::desc weights(tag layout, tag grouped_layout) const {
    if (geometry_.groups == 1) {
      return {{outputs_, geometry_.channels, geometry_.kernel_height, geometry_.kernel_width},
              kType,
              layout};
    }
    return {{geometry_.groups, outputs_ / geometry_.groups, geometry_.group_channels(),
             geometry_.kernel_height, geometry_.kernel_width},
            kType,
            grouped_layout};
  }
  memory::desc plain_weights() const { return weights(tag::ohwi, tag::gohwi); }
  memory::desc any_weights() const { return weights(tag::any, tag::any); }
  memory::desc bias() const { return {{outputs_}, kType, tag::x}; }
  memory::dims strides() const { return {geometry_.stride, geometry_.stride}; }
  memory::dims padding() const { return {geometry_.padding, geometry_.padding}; }
  /// On the far side: as much as the last window reaches, which may be less than the padding.
  memory::dims far_padding() const {
    const auto reach = [&](std::int64_t out, std::int64_t kernel, std::int64_t in) {
      return (out - 1) * geometry_.stride + kernel - in - geometry_.padding;
    };
    return {reach(geometry_.out_height(), geometry_.kernel_height, geometry_.height),
            reach(geometry_.out_width(), geometry_.kernel_width, geometry_.width)};
  }

  Batch& for_samples(std::int64_t samples) {
    const auto found = batches_.find(samples);
    if (found != batches_.end()) return found->second;
    constexpr auto kKind = dnnl::prop_kind::forward_training;
    constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;
    const auto description = bias_ ? dnnl::convolution_forward::desc(
                                         kKind, kAlgorithm, source(samples), any_weights(), bias(),
                                         destination(samples), strides(), padding(), far_padding())
                                   : dnnl::convolution_forward::desc(
                                         kKind, kAlgorithm, source(samples), any_weights(),
                                         destination(samples), strides(), padding(), far_padding());
    Batch batch;
    batch.forward = {description, with_own_scratchpad(), engine()};
    batch.forward_step = Step(batch.forward, dnnl::convolution_forward(batch.forward));
    return batches_.emplace(samples, std::move(batch)).first->second;
  }

  void make_backward(Batch& batch) {
    if (batch.has_backward) return;
    constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;
    const std::int64_t samples = batch.forward.src_desc().dims()[0];
    batch.by_data = {dnnl::convolution_backward_data::desc(kAlgorithm, source(samples),
                                                           any_weights(), destination(samples),
                                                           strides(), padding(), far_padding()),
                     with_own_scratchpad(), engine(), batch.forward};
    batch.data_step = Step(batch.by_data, dnnl::convolution_backward_data(batch.by_data));
    const auto description = bias_ ? dnnl::convolution_backward_weights::desc(
                                         kAlgorithm, source(samples), any_weights(), bias(),
                                         destination(samples), strides(), padding(), far_padding())
                                   : dnnl::convolution_backward_weights::desc(
                                         kAlgorithm, source(samples), any_weights(),
                                         destination(samples), strides(), padding(), far_padding());
    batch.by_weights = {description, with_own_scratchpad(), engine(), batch.forward};
    batch.weights_step =
        Step(batch.by_weights, dnnl::convolution_backward_weights(batch.by_weights));
    batch.has_backward = true;
  }

  static Buffer reserve(Buffer buffer, std::size_t bytes) {
    return buffer.size() >= bytes ? std::move(buffer) : Buffer(bytes);
  }

  void reorder(const memory::desc& from, const float* data, const memory::desc& to, Buffer& out) {
    out = reserve(std::move(out), to.get_size());
    convert(from, data, to, out.as<float>());
  }

  void convert(const memory::desc& from, const float* in, const memory::desc& to, float* out) {
    memory source(from, engine(), handle(in));
    memory target(to, engine(), out);
    dnnl::reorder(source, target).execute(stream_, source, target);
    stream_.wait();
  }

  Convolution geometry_;
  std::int64_t outputs_;
  bool bias_;
  std::vector<Tensor*> parameters_, gradients_;
  dnnl::stream stream_;
  std::map<std::int64_t, Batch> batches_;
  Buffer weights_, gradient_;
};

}  // namespace

std::optional<Refusal> training_missing() { return std::nullopt; }

std::unique_ptr<Op> make_op(const Linear& op, const OpPlace& place) {
  return std::make_unique<TrainedLinear>(op, place);
}

std::unique_ptr<Op> make_op(const Conv2d& op, const OpPlace& place) {
  return std::make_unique<TrainedConvolution>(convolution_of(op, place.inputs.front()), op.outputs,
                                              op.bias, place);
}

}  // namespace qassay
