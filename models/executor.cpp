#include "models/executor.hpp"

#include <algorithm>
#include <stdexcept>

namespace qassay {
namespace {

/// max(y, 0), but a NaN stays one: a broken kernel must not turn into a plausible zero.
void relu(Matrix y) {
  for (std::int64_t row = 0; row < y.rows; ++row) {
    for (std::int64_t col = 0; col < y.cols; ++col) {
      float& value = y.row(row)[col];
      value = value < 0 ? 0 : value;
    }
  }
}

}  // namespace

Executor::Executor(const Model& model, std::span<Prepared* const> prepared, std::int64_t m_max)
    : m_max_(m_max) {
  check_chain(model);
  if (prepared.size() != model.layers.size() || m_max < 1 ||
      std::find(prepared.begin(), prepared.end(), nullptr) != prepared.end()) {
    throw std::invalid_argument(
        "an executor needs a prepared kernel for each layer, and m_max > 0");
  }
  std::size_t workspace = 0;
  std::int64_t widest = 0;
  for (std::size_t i = 0; i < prepared.size(); ++i) {
    const LinearLayer& layer = model.layers[i];
    steps_.push_back({prepared[i], layer.n, layer.k, layer.relu});
    workspace = std::max(workspace, prepared[i]->workspace_bytes());
    if (i + 1 < prepared.size()) widest = std::max(widest, layer.n);
  }
  workspace_ = Buffer(workspace);
  for (Buffer& buffer : between_) {
    buffer = Buffer(static_cast<std::size_t>(m_max * widest) * sizeof(float));
  }
}

void Executor::run(ConstMatrix x, Matrix y) {
  if (x.rows < 1 || x.rows > m_max_ || y.rows != x.rows || x.cols != features() ||
      y.cols != outputs()) {
    throw std::invalid_argument("a batch that does not fit the executor");
  }
  const std::span<std::byte> workspace(workspace_.data(), workspace_.size());
  ConstMatrix input = x;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    const bool last = i + 1 == steps_.size();
    const Matrix output = last ? y : Matrix(between_[i % 2].as<float>(), x.rows, step.n);
    step.kernel->run(input, workspace, output);
    if (step.relu) relu(output);
    input = output;
  }
}

}  // namespace qassay
