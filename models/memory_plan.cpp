#include "models/memory_plan.hpp"

#include <algorithm>

namespace qassay {
namespace {

constexpr std::size_t kAlign = 16;

bool works_in_place(const Operator& op) {
  return std::holds_alternative<Relu>(op) || std::holds_alternative<Relu6>(op) ||
         std::holds_alternative<HardSwish>(op) || std::holds_alternative<BatchNorm>(op) ||
         std::holds_alternative<Flatten>(op) || std::holds_alternative<Add>(op) ||
         std::holds_alternative<Silu>(op) || std::holds_alternative<Gelu>(op) ||
         std::holds_alternative<GeluTanh>(op) || std::holds_alternative<Multiply>(op) ||
         std::holds_alternative<ChannelScale>(op) || std::holds_alternative<Rotary>(op) ||
         std::holds_alternative<PositionEmbedding>(op);
}

/// A piece of memory that one value, or several one after the other, live in.
struct Piece {
  std::size_t first = 0, last = 0;  // nodes that write it first and read it last
  std::size_t floats = 0;
  std::size_t place = 0;
};

/// Lowest place at which a piece meets none of those that live at the same time.
std::size_t find_place(const Piece& piece, std::vector<Piece> placed) {
  std::erase_if(placed, [&](const Piece& other) {
    return other.last < piece.first || piece.last < other.first;
  });
  std::ranges::sort(placed, {}, &Piece::place);
  std::size_t place = 0;
  for (const Piece& other : placed) {
    if (place + piece.floats <= other.place) break;
    place = std::max(place, other.place + other.floats);
  }
  return place;
}

}  // namespace

MemoryPlan plan_memory(const Graph& graph, std::int64_t samples) {
  const std::vector<Extent> extents = infer_extents(graph);
  const std::size_t values = extents.size();
  std::vector<std::size_t> last_use(values);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId input : graph.nodes[i].inputs) last_use[input] = i;
  }
  last_use.back() = graph.nodes.size();

  std::vector<Piece> pieces;
  std::vector<std::size_t> piece_of(values);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const ValueId input = node.inputs.front();
    const ValueId output = i + 1;
    if (works_in_place(node.op) && input != 0 && last_use[input] == i &&
        std::ranges::count(node.inputs, input) == 1) {
      piece_of[output] = piece_of[input];
      pieces[piece_of[output]].last = last_use[output];
      continue;
    }
    const auto floats = static_cast<std::size_t>(samples * extents[output].features());
    piece_of[output] = pieces.size();
    pieces.push_back({i, last_use[output], (floats + kAlign - 1) / kAlign * kAlign, 0});
  }

  MemoryPlan plan{std::vector<std::size_t>(values), 0, std::vector<bool>(values)};
  const std::size_t output_piece = piece_of.back();
  std::vector<Piece> placed;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i == output_piece) continue;
    pieces[i].place = find_place(pieces[i], placed);
    plan.floats = std::max(plan.floats, pieces[i].place + pieces[i].floats);
    placed.push_back(pieces[i]);
  }
  for (std::size_t id = 1; id < values; ++id) {
    plan.places[id] = pieces[piece_of[id]].place;
    plan.is_output[id] = piece_of[id] == output_piece;
  }
  return plan;
}

}  // namespace qassay
