#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace qassay::onnx {

/// The numbers are ONNX's.
enum class Type : int { f32 = 1, u8 = 2 };

/// Weights of a model, row-major: who loads the model gives it their bytes.
struct Constant {
  std::string name;
  Type type = Type::f32;
  std::vector<std::int64_t> sides;
};

struct Node {
  std::string op;
  std::string domain;               // empty: ONNX's own
  std::vector<std::string> inputs;  // of "x", constants and outputs; empty: left out
  std::string output;               // "y": the model's
  std::vector<std::pair<std::string, std::int64_t>> attributes;
};

/// A model from x[M, inputs] to y[M, outputs], both FP32, any M.
struct Model {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::vector<Constant> constants;
  std::vector<Node> nodes;  // in the order of computation
};

/// The bytes of a model file: protobuf messages as onnx.proto (ONNX IR version 8) names their
/// fields, with operators of ONNX's opset 17 and com.microsoft's 1.
std::string serialize(const Model& model);

}  // namespace qassay::onnx
