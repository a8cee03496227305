#include "models/import/tensor_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <stdexcept>
#include <utility>

namespace qassay {
namespace {

struct NodeName {
  std::string_view node, tensor;
  int part = 0, parts = 1;  // of the rows, where one tensor serves several nodes
};

constexpr std::string_view kHead = "lm_head";
constexpr std::string_view kLayers = "layers.";

constexpr std::string_view kLlamaPrefixes[] = {"model."};
constexpr NodeName kLlamaNodes[] = {
    {"embed_tokens", "embed_tokens"},  {"norm", "norm"},
    {"input_norm", "input_layernorm"}, {"q_proj", "self_attn.q_proj"},
    {"k_proj", "self_attn.k_proj"},    {"v_proj", "self_attn.v_proj"},
    {"o_proj", "self_attn.o_proj"},    {"post_norm", "post_attention_layernorm"},
    {"gate_proj", "mlp.gate_proj"},    {"up_proj", "mlp.up_proj"},
    {"down_proj", "mlp.down_proj"}};
constexpr std::string_view kLlamaComputed[] = {"self_attn.rotary_emb.inv_freq"};

constexpr std::string_view kGpt2Prefixes[] = {"transformer.", ""};
constexpr NodeName kGpt2Nodes[] = {{"embed_tokens", "wte"},
                                   {"embed_positions", "wpe"},
                                   {"norm", "ln_f"},
                                   {"input_norm", "ln_1"},
                                   {"q_proj", "attn.c_attn", 0, 3},
                                   {"k_proj", "attn.c_attn", 1, 3},
                                   {"v_proj", "attn.c_attn", 2, 3},
                                   {"o_proj", "attn.c_proj"},
                                   {"post_norm", "ln_2"},
                                   {"up_proj", "mlp.c_fc"},
                                   {"down_proj", "mlp.c_proj"}};
constexpr std::string_view kGpt2Computed[] = {"attn.bias", "attn.masked_bias"};

constexpr std::string_view kOptPrefixes[] = {"model.decoder.", "decoder."};
constexpr NodeName kOptNodes[] = {{"embed_tokens", "embed_tokens"},
                                  {"embed_positions", "embed_positions"},
                                  {"norm", "final_layer_norm"},
                                  {"input_norm", "self_attn_layer_norm"},
                                  {"q_proj", "self_attn.q_proj"},
                                  {"k_proj", "self_attn.k_proj"},
                                  {"v_proj", "self_attn.v_proj"},
                                  {"o_proj", "self_attn.out_proj"},
                                  {"post_norm", "final_layer_norm"},
                                  {"up_proj", "fc1"},
                                  {"down_proj", "fc2"}};

struct NamingTable {
  std::span<const std::string_view> prefixes;  // of all but lm_head
  std::string_view layers;                     // before the number of a layer
  std::span<const NodeName> nodes;
  std::span<const std::string_view> computed;  // in a layer
  bool turned = false;                         // the layers but lm_head are [in, out]
  std::int64_t unused_positions = 0;           // rows at the begin of their table
};

const NamingTable& table_of(TensorNames names) {
  static const NamingTable kLlama{kLlamaPrefixes, kLayers, kLlamaNodes, kLlamaComputed};
  static const NamingTable kGpt2{kGpt2Prefixes, "h.", kGpt2Nodes, kGpt2Computed, true};
  static const NamingTable kOpt{kOptPrefixes, kLayers, kOptNodes, {}, false, 2};
  switch (names) {
    case TensorNames::gpt2:
      return kGpt2;
    case TensorNames::opt:
      return kOpt;
    default:
      return kLlama;
  }
}

/// "3.rest" to "3." and "rest"; no digits, none of both.
std::pair<std::string_view, std::string_view> split_number(std::string_view text) {
  const auto digits = static_cast<std::size_t>(
      std::ranges::find_if_not(text, [](unsigned char c) { return std::isdigit(c) != 0; }) -
      text.begin());
  if (digits == 0 || digits == text.size() || text[digits] != '.') return {};
  return {text.substr(0, digits + 1), text.substr(digits + 1)};
}

}  // namespace

TensorNaming::TensorNaming(const DecoderConfig& config,
                           const std::function<bool(const std::string&)>& has)
    : tied_(config.tied), names_(config.names) {
  const NamingTable& table = table_of(names_);
  const std::string first = fmt::format("{}.weight", table.nodes.front().tensor);
  const auto found = std::ranges::find_if(
      table.prefixes, [&](std::string_view prefix) { return has(std::string(prefix) + first); });
  prefix_ = found == table.prefixes.end() ? table.prefixes.front() : *found;
}

TensorSource TensorNaming::source(const ParameterShape& parameter) const {
  const NamingTable& table = table_of(names_);
  const std::string_view name = parameter.name;
  const std::string_view own = name.substr(name.rfind('.'));  // ".weight"
  std::string_view node = name.substr(0, name.rfind('.'));
  TensorSource source{.parameter = parameter, .tensor = {}, .dims = parameter.dims};
  const bool head = node == kHead;
  if (head && !tied_) {
    source.tensor = name;
    return source;
  }
  if (head) node = table.nodes.front().node;
  std::string place = prefix_;
  if (node.starts_with(kLayers)) {
    const auto [number, rest] = split_number(node.substr(kLayers.size()));
    place += fmt::format("{}{}", table.layers, number);
    node = rest;
  }
  const auto found = std::ranges::find(table.nodes, node, &NodeName::node);
  if (found == table.nodes.end())
    throw std::logic_error(fmt::format("no tensor is known for '{}'", name));
  source.tensor = fmt::format("{}{}{}", place, found->tensor, own);
  source.first_row = found->part * source.dims.front();
  source.dims.front() *= found->parts;
  if (node == "embed_positions") {
    source.first_row = table.unused_positions;
    source.dims.front() += table.unused_positions;
  }
  const bool linear = node.ends_with("_proj");
  if (table.turned && linear && source.dims.size() == 2) {
    source.turned = true;
    std::swap(source.dims[0], source.dims[1]);
  }
  return source;
}

std::vector<TensorSource> TensorNaming::sources(const Graph& graph) const {
  std::vector<TensorSource> all;
  for (const ParameterShape& parameter : parameter_shapes(graph)) all.push_back(source(parameter));
  return all;
}

bool TensorNaming::is_computed(std::string_view tensor) const {
  const NamingTable& table = table_of(names_);
  const std::string layers = prefix_ + std::string(table.layers);
  if (!tensor.starts_with(layers)) return false;
  const std::string_view rest = split_number(tensor.substr(layers.size())).second;
  return std::ranges::count(table.computed, rest) > 0;
}

Tensor take_parameter(const TensorSource& source, Tensor tensor) {
  if (source.dims == source.parameter.dims && !source.turned) return tensor;
  Tensor taken{source.parameter.dims, {}};
  const auto rows = static_cast<std::size_t>(taken.dims.front());
  const auto first = static_cast<std::size_t>(source.first_row);
  const std::size_t columns = taken.dims.size() == 2 ? static_cast<std::size_t>(taken.dims[1]) : 1;
  if (!source.turned) {
    const float* const begin = tensor.values.data() + first * columns;
    taken.values.assign(begin, begin + rows * columns);
    return taken;
  }
  const auto width = static_cast<std::size_t>(tensor.dims[1]);
  taken.values.resize(rows * columns);
  for (std::size_t column = 0; column < columns; ++column) {
    for (std::size_t row = 0; row < rows; ++row)
      taken.values[row * columns + column] = tensor.values[column * width + first + row];
  }
  return taken;
}

void put_parameter(const TensorSource& source, const Tensor& parameter, Tensor& tensor) {
  const auto first = static_cast<std::size_t>(source.first_row);
  const std::vector<std::int64_t>& dims = parameter.dims;
  const auto rows = static_cast<std::size_t>(dims[0]);
  const std::size_t columns = dims.size() == 2 ? static_cast<std::size_t>(dims[1]) : 1;
  const std::size_t width = source.turned ? static_cast<std::size_t>(tensor.dims[1]) : columns;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t place =
          source.turned ? column * width + first + row : (first + row) * width + column;
      tensor.values[place] = parameter.values[row * columns + column];
    }
  }
}

}  // namespace qassay
