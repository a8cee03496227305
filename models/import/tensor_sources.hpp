#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "models/import/decoder_config.hpp"
#include "models/model.hpp"

namespace qassay {

/// Where a parameter of decoder_graph() is in a model of Hugging Face: the rows from `first_row` on
/// of a tensor, which is turned first where the architecture has its layers as [in, out].
struct TensorSource {
  ParameterShape parameter;
  std::string tensor;
  std::vector<std::int64_t> dims;  // of the tensor, as it is in the file
  bool turned = false;
  std::int64_t first_row = 0;
};

/// The names of one architecture. Some files lack the name of the outermost part ("transformer."):
/// `has` says which tensors there are.
class TensorNaming {
 public:
  TensorNaming(const DecoderConfig& config, const std::function<bool(const std::string&)>& has);

  /// One for each of the parameters of the graph. A tied lm_head has the table's tensor.
  std::vector<TensorSource> sources(const Graph& graph) const;

  /// Whether a tensor that is no source says nothing: tables of numbers that the library computes
  /// (masks, frequencies) and keeps.
  bool is_computed(std::string_view tensor) const;

 private:
  TensorSource source(const ParameterShape& parameter) const;

  bool tied_;
  TensorNames names_;
  std::string prefix_;
};

/// The parameter from its tensor, whose dims are those of the source.
Tensor take_parameter(const TensorSource& source, Tensor tensor);
/// The other way: makes the parameter that part of the tensor.
void put_parameter(const TensorSource& source, const Tensor& parameter, Tensor& tensor);

}  // namespace qassay
