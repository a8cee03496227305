#include "kernels/peers/onnx_model.hpp"

#include <string_view>

namespace qassay::onnx {
namespace {

constexpr int kIrVersion = 8;
constexpr int kOpset = 17;

/// Writes one message, field by field (protobuf.dev, "Encoding").
class Message {
 public:
  Message& number(std::uint64_t field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
    return *this;
  }
  Message& bytes(std::uint64_t field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    bytes_.append(value);
    return *this;
  }
  Message& message(std::uint64_t field, const Message& value) { return bytes(field, value.bytes_); }

  std::string take() { return std::move(bytes_); }

 private:
  void varint(std::uint64_t value) {
    for (; value > 0x7F; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

/// Its data is said to be in a file, which nobody reads where the bytes are given beside the model.
Message constant(const Constant& c) {
  constexpr int kExternal = 1;
  Message place;
  place.bytes(1, "location").bytes(2, c.name);
  Message tensor;
  for (const std::int64_t side : c.sides) tensor.number(1, static_cast<std::uint64_t>(side));
  tensor.number(2, static_cast<std::uint64_t>(c.type)).bytes(8, c.name);
  return tensor.message(13, place).number(14, kExternal);
}

Message node(const Node& n) {
  constexpr int kInteger = 2;
  Message out;
  for (const std::string& input : n.inputs) out.bytes(1, input);
  out.bytes(2, n.output).bytes(3, n.op + " of " + n.output).bytes(4, n.op);
  for (const auto& [name, value] : n.attributes) {
    Message attribute;
    attribute.bytes(1, name).number(3, static_cast<std::uint64_t>(value)).number(20, kInteger);
    out.message(5, attribute);
  }
  return out.bytes(7, n.domain);
}

/// FP32 rows of `width`, as many as there are.
Message rows(std::string_view name, std::int64_t width) {
  Message many;
  many.bytes(2, "M");
  Message wide;
  wide.number(1, static_cast<std::uint64_t>(width));
  Message tensor;
  tensor.number(1, static_cast<std::uint64_t>(Type::f32))
      .message(2, Message().message(1, many).message(1, wide));
  Message info;
  return info.bytes(1, name).message(2, Message().message(1, tensor));
}

Message operators(std::string_view domain, int version) {
  Message set;
  return set.bytes(1, domain).number(2, static_cast<std::uint64_t>(version));
}

}  // namespace

std::string serialize(const Model& model) {
  Message graph;
  for (const Node& n : model.nodes) graph.message(1, node(n));
  graph.bytes(2, "layer");
  for (const Constant& c : model.constants) graph.message(5, constant(c));
  graph.message(11, rows("x", model.inputs)).message(12, rows("y", model.outputs));
  Message file;
  file.number(1, kIrVersion).message(7, graph);
  file.message(8, operators("", kOpset)).message(8, operators("com.microsoft", 1));
  return file.take();
}

}  // namespace qassay::onnx
