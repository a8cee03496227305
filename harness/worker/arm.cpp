#include "harness/worker/arm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hardware_profiles/eviction.hpp"
#include "harness/worker/model_batch.hpp"

namespace qassay {

namespace {

/// Bytes of the copies of a cold layer together, so that its pages, too, are met anew.
constexpr std::int64_t kLeastRing = std::int64_t{64} << 20;

}  // namespace

void Arm::fail(std::string status, std::string reason) {
  result_.status = std::move(status);
  result_.reason = std::move(reason);
  result_.rounds.clear();
}

void LayerArm::fail(std::string status, std::string reason) {
  Arm::fail(std::move(status), std::move(reason));
  copies_.clear();
}

void LayerArm::pack(std::unique_ptr<Prepared> prepared) {
  result().implementation = prepared->implementation();
  result().packed_bytes = static_cast<std::int64_t>(prepared->packed_bytes());
  result().workspace_bytes = static_cast<std::int64_t>(prepared->workspace_bytes());
  copies_.push_back(std::move(prepared));
}

void LayerArm::make_copies(std::int64_t copies) {
  while (static_cast<std::int64_t>(copies_.size()) < copies)
    copies_.push_back(copies_.front()->copy());
}

void LayerArm::cool(std::int64_t calls, int threads) {
  const std::int64_t bytes = std::max<std::int64_t>(result().packed_bytes, 1);
  make_copies(std::max(calls, (kLeastRing + bytes - 1) / bytes));
  for (std::int64_t i = 0; i < calls; ++i) {
    const auto at = (next_ + static_cast<std::size_t>(i)) % copies_.size();
    for (const std::span<const std::byte> piece : copies_[at]->packed()) evict(piece, threads);
  }
}

void LayerArm::run(ConstMatrix x, std::span<std::byte> workspace, Matrix y) {
  copies_[next_]->run(x, workspace, y);
  next_ = (next_ + 1) % copies_.size();
}

void ModelArm::fail(std::string status, std::string reason) {
  Arm::fail(std::move(status), std::move(reason));
  executor_.reset();
}

void ModelArm::assemble(const Model& model, std::span<LayerArm* const> layers, std::int64_t m,
                        int threads) {
  std::vector<std::string> implementations;
  for (LayerArm* layer : layers) {
    if (!layer->packed()) {
      fail(layer->result().status,
           fmt::format("layer {}: {}", layer->row().layer, layer->result().reason));
      return;
    }
    prepared_.push_back(&layer->prepared());
    result().packed_bytes += layer->result().packed_bytes;
    if (std::ranges::count(implementations, layer->result().implementation) == 0)
      implementations.push_back(layer->result().implementation);
  }
  const ModelBatch batch = batch_of(model.graph, m);
  writes_text_ = batch.positions > 0;
  for (const LayerShape& shape : layer_shapes(model.graph)) rows_.push_back(shape.rows);
  const KvFormat kv = parse_kv_format(row().kv_cache).value_or(KvFormat::fp32);
  executor_ = std::make_unique<Executor>(model, prepared_, batch.samples, threads,
                                         TextOptions{.positions = batch.positions, .kv_cache = kv});
  result().workspace_bytes =
      static_cast<std::int64_t>(executor_->workspace_bytes() + executor_->value_bytes());
  result().implementation = fmt::format("{}", fmt::join(implementations, "; "));
}

Traffic ModelArm::traffic(std::int64_t m) const {
  Traffic sum;
  for (std::size_t i = 0; i < prepared_.size(); ++i) {
    // Of a text, the scores of the next token alone are asked for.
    const bool last_alone = writes_text_ && i + 1 == prepared_.size();
    const Traffic traffic = prepared_[i]->traffic(last_alone ? 1 : m * rows_[i]);
    sum.weight_bytes += traffic.weight_bytes;
    sum.activation_bytes += traffic.activation_bytes;
    sum.operations += traffic.operations;
    sum.unit = std::max(sum.unit, traffic.unit);
  }
  return sum;
}

}  // namespace qassay
