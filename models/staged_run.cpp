#include "models/staged_run.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>
#include <variant>

#include "models/linear_algebra.hpp"
#include "models/node_op.hpp"
#include "models/patches.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kRowsOfABatch = 4096;
constexpr std::int64_t kSamplesOfAnOperator = 16;

/// Calls work(first, count) for pieces of `all`.
template <typename Work>
void in_pieces(std::int64_t all, std::int64_t most, const Work& work) {
  for (std::int64_t first = 0; first < all; first += most) work(first, std::min(most, all - first));
}

std::int64_t images_of_a_batch(const Convolution& convolution) {
  return std::max<std::int64_t>(kRowsOfABatch / convolution.out_pixels(), 1);
}

class StagedRun {
 public:
  StagedRun(const Model& model, ConstMatrix inputs, int threads)
      : model_(model),
        threads_(threads),
        samples_(inputs.rows),
        extents_(infer_extents(model.graph)),
        values_(extents_.size()),
        readers_(extents_.size(), 0) {
    Graph sized = model.graph;
    if (takes_text(model.graph)) sized.input.width = inputs.cols;
    if (inputs.rows < 1 || inputs.cols < 1 || inputs.cols > model.graph.input.features() ||
        inputs.cols != sized.input.features()) {
      throw std::invalid_argument("samples that are not the model's");
    }
    sizes_ = infer_extents(sized);
    for (const Node& node : model.graph.nodes) {
      for (const ValueId input : node.inputs) ++readers_[input];
    }
    for (std::int64_t row = 0; row < inputs.rows; ++row)
      values_[0].insert(values_[0].end(), inputs.row(row), inputs.row(row) + inputs.cols);
  }

  void run(const VisitLayer& visit) {
    const std::vector<LayerShape> shapes = layer_shapes(model_.graph);
    std::size_t layer = 0;
    for (std::size_t i = 0; i < model_.graph.nodes.size(); ++i) {
      const Node& node = model_.graph.nodes[i];
      if (is_layer(node.op)) {
        const LayerInput input = input_of(node, shapes[layer]);
        const std::vector<float> weights = visit(layer, input);
        if (readers_[i + 1] > 0) run_layer(i, shapes[layer], input, weights);
        ++layer;
      } else if (readers_[i + 1] > 0) {
        run_op(i);
      }
      for (const ValueId read : node.inputs) {
        if (--readers_[read] == 0)
          values_[read] = std::vector<float>();  // {} would keep the memory
      }
    }
  }

 private:
  Matrix value(ValueId id) { return {values_[id].data(), samples_, sizes_[id].features()}; }

  LayerInput input_of(const Node& node, const LayerShape& shape) {
    const ValueId id = node.inputs.front();
    const Matrix x = value(id);
    if (shape.convolution) return {id, x, shape.convolution};
    return {id, {x.data, samples_ * sizes_[id].width, shape.k}, std::nullopt};
  }

  void make_room(ValueId id) {
    values_[id].resize(static_cast<std::size_t>(samples_ * sizes_[id].features()));
  }

  void run_layer(std::size_t index, const LayerShape& shape, const LayerInput& input,
                 const std::vector<float>& weights) {
    make_room(index + 1);
    float* const y = values_[index + 1].data();
    const std::int64_t n = shape.n / input.groups();
    for (std::int64_t group = 0; group < input.groups(); ++group) {
      const ConstMatrix w{weights.data() + group * n * shape.k, n, shape.k};
      std::int64_t done = 0;
      input.for_each_batch(group, [&](ConstMatrix x) {
        multiply_transposed(x, w, {y + done * shape.n + group * n, x.rows, n, shape.n}, threads_);
        done += x.rows;
      });
    }
    const std::vector<float> bias = layer_of(model_, shape).bias;
    if (bias.empty()) return;
    const auto rows = static_cast<std::int64_t>(values_[index + 1].size()) / shape.n;
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t i = 0; i < shape.n; ++i)
        y[row * shape.n + i] += bias[static_cast<std::size_t>(i)];
    }
  }

  void run_op(std::size_t index) {
    make_room(index + 1);
    const Node& node = model_.graph.nodes[index];
    const NodeOp made =
        make_node_op(model_, index, extents_, std::min(samples_, kSamplesOfAnOperator), threads_);
    in_pieces(samples_, kSamplesOfAnOperator, [&](std::int64_t first, std::int64_t count) {
      std::vector<ConstMatrix> inputs;
      for (const ValueId id : node.inputs) {
        const Matrix all = value(id);
        inputs.emplace_back(all.row(first), count, all.cols);
      }
      const Matrix all = value(index + 1);
      made.op->forward(inputs, {all.row(first), count, all.cols}, Mode::inference);
    });
  }

  const Model& model_;
  int threads_;
  std::int64_t samples_;
  std::vector<Extent> extents_;  // of all positions that the model has,
  std::vector<Extent> sizes_;    // and of those that the samples have
  std::vector<std::vector<float>> values_;
  std::vector<int> readers_;  // still to come, by value
};

}  // namespace

void LayerInput::for_each_batch(std::int64_t group,
                                const std::function<void(ConstMatrix)>& take) const {
  if (!convolution_) {
    in_pieces(x_.rows, kRowsOfABatch, [&](std::int64_t first, std::int64_t count) {
      take({x_.row(first), count, x_.cols, x_.stride});
    });
    return;
  }
  const std::int64_t pixels = convolution_->out_pixels();
  const std::int64_t k = convolution_->k();
  const std::int64_t images = images_of_a_batch(*convolution_);
  std::vector<float> patches(static_cast<std::size_t>(std::min(images, x_.rows) * pixels * k));
  in_pieces(x_.rows, images, [&](std::int64_t first, std::int64_t count) {
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < count; ++i)
      fill_patches(*convolution_, x_.row(first + i), group,
                   {patches.data() + i * pixels * k, pixels, k});
    take({patches.data(), count * pixels, k});
  });
}

void run_staged(const Model& model, ConstMatrix inputs, int threads, const VisitLayer& visit) {
  StagedRun(model, inputs, threads).run(visit);
}

}  // namespace qassay
