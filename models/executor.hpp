#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/buffer.hpp"
#include "core/matrix_view.hpp"
#include "kernels/kernel.hpp"
#include "models/model.hpp"

namespace qassay {

/// Runs a model through the kernels that its layers were packed for: the packed weights that are
/// timed are the ones that are evaluated. Not safe for two calls at once.
class Executor {
 public:
  /// `prepared`: one per layer, made for a Problem of the layer's shape with m_max >= `m_max`, its
  /// bias inside; must outlive the executor. Allocates everything that a call needs. Throws
  /// std::invalid_argument when the model is no chain or a layer lacks its kernel.
  Executor(const Model& model, std::span<Prepared* const> prepared, std::int64_t m_max);

  /// y[m, outputs] from x[m, features], 1 <= m <= m_max. Throws std::invalid_argument for other
  /// shapes.
  void run(ConstMatrix x, Matrix y);

  std::int64_t m_max() const { return m_max_; }
  std::int64_t features() const { return steps_.front().k; }
  std::int64_t outputs() const { return steps_.back().n; }
  /// Of the one workspace that all layers share.
  std::size_t workspace_bytes() const { return workspace_.size(); }

 private:
  struct Step {
    Prepared* kernel;
    std::int64_t n, k;
    bool relu;
  };

  std::vector<Step> steps_;
  std::int64_t m_max_;
  Buffer workspace_;
  Buffer between_[2];  // a layer's output is the next one's input, in turns
};

}  // namespace qassay
