#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/matrix_view.hpp"
#include "models/graph.hpp"
#include "models/model.hpp"
#include "models/ops/text_state.hpp"

namespace qassay {

enum class Mode { inference, training };

/// An operator at its place in a graph. A value is a matrix with one row a sample, its features in
/// the order of Extent; of a text that is run in part, those of the positions in hand. Rows are
/// dense; there are up to OpPlace::samples of them in a call. Results do not depend on anything but
/// the arguments and the number of threads.
class Op {
 public:
  virtual ~Op() = default;

  /// y from the inputs. Operators that work number by number may be given y in the place of x.
  virtual void forward(std::span<const ConstMatrix> x, Matrix y, Mode mode) = 0;

  /// From the arguments and result of the last forward in training, and the loss's derivative by y,
  /// the derivatives by the inputs, where dx has data, and by the parameters (OpPlace::gradients).
  /// Both are overwritten.
  virtual void backward(std::span<const ConstMatrix> x, ConstMatrix y, ConstMatrix dy,
                        std::span<const Matrix> dx) = 0;
};

struct OpPlace {
  std::vector<Extent> inputs;
  Extent output;
  std::int64_t samples = 1;
  int threads = 1;
  const TextState* text = nullptr;  // where texts are run piece by piece; else every run begins one
  std::vector<Tensor*> parameters;  // in the order of own_parameters(); the caller's
  std::vector<Tensor*> gradients;   // the same, or empty where nothing is trained
};

/// One overload an operator, in the file of its family. output_extent throws std::invalid_argument
/// with a reason when the inputs do not fit or a number of the operator is out of range.
#define QASSAY_OPERATOR(Type)                                           \
  Extent output_extent(const Type& op, std::span<const Extent> inputs); \
  std::unique_ptr<Op> make_op(const Type& op, const OpPlace& place);

QASSAY_OPERATOR(Linear)
QASSAY_OPERATOR(Conv2d)
QASSAY_OPERATOR(BatchNorm)
QASSAY_OPERATOR(Relu)
QASSAY_OPERATOR(Relu6)
QASSAY_OPERATOR(HardSwish)
QASSAY_OPERATOR(MaxPool)
QASSAY_OPERATOR(AvgPool)
QASSAY_OPERATOR(GlobalAvgPool)
QASSAY_OPERATOR(Add)
QASSAY_OPERATOR(Flatten)
QASSAY_OPERATOR(Softmax)
QASSAY_OPERATOR(Embedding)
QASSAY_OPERATOR(PositionEmbedding)
QASSAY_OPERATOR(RmsNorm)
QASSAY_OPERATOR(LayerNorm)
QASSAY_OPERATOR(Rotary)
QASSAY_OPERATOR(Attention)
QASSAY_OPERATOR(Silu)
QASSAY_OPERATOR(Gelu)
QASSAY_OPERATOR(GeluTanh)
QASSAY_OPERATOR(Multiply)
QASSAY_OPERATOR(Unfold)
QASSAY_OPERATOR(ChannelScale)
QASSAY_OPERATOR(ChannelOrder)

#undef QASSAY_OPERATOR

/// Names ("weight", ...) and dims of the parameters of an operator with these inputs.
std::vector<ParameterShape> own_parameters(const Operator& op, std::span<const Extent> inputs);

Convolution convolution_of(const Conv2d& op, const Extent& input);

/// Linear and convolution run through oneDNN when they are trained: why they cannot here, or
/// nothing.
std::optional<Refusal> training_missing();

}  // namespace qassay
