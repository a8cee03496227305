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
#include "models/kv_format.hpp"
#include "models/model.hpp"
#include "models/node_op.hpp"

namespace qassay {

/// How texts are run; nothing of it matters to other models.
struct TextOptions {
  std::int64_t positions = 0;          // the most of a call; 0: all that the model has
  KvFormat kv_cache = KvFormat::fp32;  // the positions before a call are kept so
};

/// Runs a model through the kernels that its layers were packed for: the packed weights that are
/// timed are the ones that are evaluated. Not safe for two calls at once.
class Executor {
 public:
  /// `prepared`: one per layer, in the order of layer_shapes(), made for a Problem of the layer's
  /// shape with m_max >= `samples` times the positions that the layer sees, its bias inside; must
  /// outlive the executor. All memory that a call needs is planned and taken here. Throws
  /// std::invalid_argument when a layer lacks its kernel.
  Executor(const Model& model, std::span<Prepared* const> prepared, std::int64_t samples,
           int threads, const TextOptions& text = {});

  /// y[m, outputs] from x[m, features], 1 <= m <= samples, rows without gaps. Texts may have fewer
  /// positions, p: x is [m, p] and y [m, p * vocabulary], or [m, vocabulary] for the last position
  /// alone. Throws std::invalid_argument for other shapes.
  void run(ConstMatrix x, Matrix y);
  /// The same for the positions that follow those of the calls before.
  void go_on(ConstMatrix x, Matrix y);
  /// Positions of the texts so far; a call goes on from fewer of them after rewind().
  std::int64_t past() const { return text_->past; }
  void rewind(std::int64_t past);

  /// Called after every layer with what it took and gave.
  using Hook = std::function<void(std::size_t layer, ConstMatrix input, ConstMatrix output)>;
  void set_hook(Hook hook) { hook_ = std::move(hook); }

  std::int64_t samples() const { return samples_; }
  std::int64_t features() const { return sizes_.front().features(); }
  std::int64_t outputs() const { return sizes_.back().features(); }
  /// Of the one workspace that all layers share.
  std::size_t workspace_bytes() const { return workspace_.size(); }
  /// Of all values between the nodes.
  std::size_t value_bytes() const { return memory_.size(); }

 private:
  struct Step {
    Prepared* kernel = nullptr;  // of a layer; else op
    std::size_t layer = 0;
    bool is_convolution = false;
    NodeOp op;
    std::vector<ValueId> inputs;
    ValueId output = 0;
  };

  /// The extent of a value in a call for so many positions.
  Extent extent_of(ValueId id, std::int64_t positions) const;
  Matrix value(ValueId id, std::int64_t rows, std::int64_t positions, Matrix y) const;
  void run_layer(const Step& step, ConstMatrix x, Matrix y, std::int64_t positions);

  std::int64_t samples_;
  bool takes_text_;
  std::int64_t context_;  // positions that the model has
  std::unique_ptr<TextState> text_;
  std::vector<Extent> sizes_;        // by value, of a call for the most positions
  std::vector<std::size_t> places_;  // by value: in memory_, in floats
  std::vector<bool> is_output_;      // by value: in the caller's y
  std::vector<Step> steps_;
  Buffer memory_, workspace_;
  Hook hook_;
};

}  // namespace qassay
