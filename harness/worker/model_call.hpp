#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "models/executor.hpp"

namespace qassay {

/// What is timed of a whole model, on `inputs` (first_inputs()); `scores` takes a call's output.
/// Both and the executor must outlive it.
///   images, sound   from a batch to its scores
///   text            prefill: from all tokens to the scores of the next one
///   text, m = 1     decode: one token behind kTokensBefore others, again and again
std::function<void()> model_call(Executor& executor, const Graph& graph,
                                 std::span<const float> inputs, std::span<float> scores);

/// Numbers in `scores` for m rows.
std::size_t score_count(const Graph& graph, std::int64_t m);

}  // namespace qassay
