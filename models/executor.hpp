#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/buffer.hpp"
#include "core/matrix_view.hpp"
#include "kernels/kernel.hpp"
#include "models/model.hpp"
#include "models/ops/op.hpp"

namespace qassay {

/// Runs a model through the kernels that its layers were packed for: the packed weights that are
/// timed are the ones that are evaluated. Not safe for two calls at once.
class Executor {
 public:
  /// `prepared`: one per layer, in the order of layer_shapes(), made for a Problem of the layer's
  /// shape with m_max >= `m_max`, its bias inside; must outlive the executor. All memory that a
  /// call needs is planned and taken here. Throws std::invalid_argument when a layer lacks its
  /// kernel.
  Executor(const Model& model, std::span<Prepared* const> prepared, std::int64_t m_max,
           int threads);

  /// y[m, outputs] from x[m, features], 1 <= m <= m_max, rows without gaps. Throws
  /// std::invalid_argument for other shapes.
  void run(ConstMatrix x, Matrix y);

  /// Called after every layer with what it took and gave.
  using Hook = std::function<void(std::size_t layer, ConstMatrix input, ConstMatrix output)>;
  void set_hook(Hook hook) { hook_ = std::move(hook); }

  std::int64_t m_max() const { return m_max_; }
  std::int64_t features() const { return features_.front(); }
  std::int64_t outputs() const { return features_.back(); }
  /// Of the one workspace that all layers share.
  std::size_t workspace_bytes() const { return workspace_.size(); }
  /// Of all values between the nodes.
  std::size_t value_bytes() const { return memory_.size(); }

 private:
  struct Step {
    Prepared* kernel = nullptr;  // of a layer; else op
    std::size_t layer = 0;
    std::unique_ptr<Op> op;
    std::vector<ValueId> inputs;
    ValueId output = 0;
  };

  std::unique_ptr<Op> make(const Node& node, const std::vector<Extent>& extents, ValueId output,
                           int threads, const Parameters& parameters);
  Matrix value(ValueId id, std::int64_t rows, Matrix y) const;

  std::int64_t m_max_;
  std::vector<std::int64_t> features_;  // by value
  std::vector<std::size_t> places_;     // by value: in memory_, in floats
  std::vector<bool> is_output_;         // by value: in the caller's y
  std::vector<Step> steps_;
  std::vector<std::unique_ptr<Tensor>> parameters_;  // of operators that are no layers
  Buffer memory_, workspace_;
  Hook hook_;
};

}  // namespace qassay
