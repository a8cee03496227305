#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/matrix_view.hpp"
#include "models/model.hpp"

namespace qassay {

/// A second forward pass, in double and as plain as it can be, straight from the definitions of
/// models/graph.hpp. It shares no code with the operators and the executor.

/// A value of several samples.
struct NaiveValue {
  std::int64_t samples = 0, height = 1, width = 1, channels = 0;
  std::vector<double> at;  // [samples, height, width, channels]

  NaiveValue() = default;
  NaiveValue(std::int64_t samples_, std::int64_t height_, std::int64_t width_,
             std::int64_t channels_);
  /// Rows of x without gaps.
  NaiveValue(ConstMatrix x, const Extent& extent);

  double& operator()(std::int64_t sample, std::int64_t y, std::int64_t x, std::int64_t channel);
  double operator()(std::int64_t sample, std::int64_t y, std::int64_t x,
                    std::int64_t channel) const {
    return const_cast<NaiveValue&>(*this)(sample, y, x, channel);
  }
};

/// By the names of Parameters.
using NaiveParameters = std::map<std::string, std::vector<double>>;
NaiveParameters in_double(const Parameters& parameters);

/// Which mean and variance batch norms go by.
enum class Statistics { running, of_the_batch };

/// One operator; its parameters are those of the node `name`.
NaiveValue naive_operator(const Operator& op, const std::string& name,
                          std::span<const NaiveValue> inputs, const NaiveParameters& parameters,
                          Statistics statistics);

/// All values, the input first and the model's output last.
std::vector<NaiveValue> naive_values(const Graph& graph, const NaiveParameters& parameters,
                                     const NaiveValue& input, Statistics statistics);

/// The output for evaluation, [x.rows, outputs].
std::vector<double> naive_forward(const Model& model, ConstMatrix x);

}  // namespace qassay
