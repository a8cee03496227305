#include "harness/worker/model_call.hpp"

#include <algorithm>

#include "harness/suite/plan.hpp"
#include "harness/worker/model_batch.hpp"

namespace qassay {
namespace {

std::function<void()> decode(Executor& executor, std::int64_t context, ConstMatrix token,
                             Matrix scores) {
  executor.run(token, scores);
  while (executor.past() < std::min(kTokensBefore, context - 1)) executor.go_on(token, scores);
  return [&executor, token, scores, before = executor.past()] {
    executor.rewind(before);
    executor.go_on(token, scores);
  };
}

}  // namespace

std::size_t score_count(const Graph& graph, std::int64_t m) {
  const Extent output = infer_extents(graph).back();
  const std::int64_t count =
      takes_text(graph) ? output.channels : batch_of(graph, m).samples * output.features();
  return static_cast<std::size_t>(count);
}

std::function<void()> model_call(Executor& executor, const Graph& graph,
                                 std::span<const float> inputs, std::span<float> scores) {
  const std::int64_t samples = executor.samples();
  const ConstMatrix x(inputs.data(), samples, static_cast<std::int64_t>(inputs.size()) / samples);
  const Matrix y(scores.data(), samples, static_cast<std::int64_t>(scores.size()) / samples);
  if (takes_text(graph) && x.cols == 1) return decode(executor, graph.input.width, x, y);
  return [&executor, x, y] { executor.run(x, y); };
}

}  // namespace qassay
