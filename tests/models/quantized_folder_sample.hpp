#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/half.hpp"
#include "core/seed.hpp"
#include "models/safetensors.hpp"
#include "tests/models/hugging_face_sample.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {

/// A tensor of a file by itself.
struct RawTensor {
  std::string dtype;
  std::vector<std::int64_t> dims;
  std::vector<std::byte> bytes;
};
using RawTensors = std::map<std::string, RawTensor>;

template <typename T>
RawTensor raw_tensor(const char* dtype, std::vector<std::int64_t> dims,
                     const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {dtype, std::move(dims), {bytes.begin(), bytes.end()}};
}

/// What a layer stands for, in the most naive form: of output o and input i.
struct PlainLayer {
  std::int64_t n, k, group;  // group: of inputs, no more than k
  int bits;
  std::vector<int> codes;       // [n, k]
  std::vector<int> zeros;       // [n, groups]
  std::vector<float> scales;    // [n, groups]
  std::vector<int> group_of{};  // [k]; empty: side by side

  std::int64_t groups() const { return (k + group - 1) / group; }
  int group_at(std::int64_t input) const {
    return group_of.empty() ? static_cast<int>(input / group)
                            : group_of[static_cast<std::size_t>(input)];
  }
};

/// Codes and zero points of all values (but those that `with_0` keeps out), scales that FP16 holds.
inline PlainLayer drawn_layer(std::int64_t n, std::int64_t k, std::int64_t group, int bits,
                              bool symmetric, bool with_0, const std::string& name) {
  Random random(seed_from_name(name));
  const auto below = [&](int count) {
    return static_cast<int>(random.below(static_cast<std::uint64_t>(count)));
  };
  const int lowest = with_0 ? 0 : 1, count = 1 << bits;
  PlainLayer layer{n, k, group == 0 ? k : group, bits, {}, {}, {}};
  for (std::int64_t i = 0; i < n * k; ++i) layer.codes.push_back(lowest + below(count - lowest));
  for (std::int64_t i = 0; i < n * layer.groups(); ++i) {
    layer.zeros.push_back(symmetric ? count / 2 : lowest + below(count - lowest));
    layer.scales.push_back(static_cast<float>(1 + below(500)) / 4096);
  }
  return layer;
}

/// As act-order leaves it: the inputs of a group are anywhere.
inline void scatter_groups(PlainLayer& layer, const std::string& seed) {
  std::vector<int> groups;
  for (std::int64_t i = 0; i < layer.k; ++i) groups.push_back(layer.group_at(i));
  Random random(seed_from_name(seed));
  random.shuffle(groups);
  layer.group_of = std::move(groups);
}

/// The layouts as their authors' documentation has them, a code at a time.
class NaivePacker {
 public:
  explicit NaivePacker(const PlainLayer& layer) : layer_(layer) {}

  /// Bit b of code (o, i) is bit i bits + b of column o.
  RawTensor gptq_weights() const {
    const std::int64_t height = layer_.k * layer_.bits / 32;
    std::vector<std::uint32_t> words(size(height * layer_.n));
    for (std::int64_t o = 0; o < layer_.n; ++o) {
      for (std::int64_t i = 0; i < layer_.k; ++i) {
        for_bits(code(o, i), i, [&](std::int64_t word, std::uint32_t bit) {
          words[size(word * layer_.n + o)] |= bit;
        });
      }
    }
    return raw_tensor("I32", {height, layer_.n}, words);
  }
  /// Bit b of the zero point of output o is bit o bits + b of row g; what is taken off is off the
  /// whole word, or off a code of 3 bits.
  RawTensor gptq_zeros(int less_by) const {
    const std::int64_t width = layer_.n * layer_.bits / 32;
    const bool crosses_words = 32 % layer_.bits != 0;
    std::vector<std::uint32_t> words(size(layer_.groups() * width));
    for (std::int64_t g = 0; g < layer_.groups(); ++g) {
      for (std::int64_t o = 0; o < layer_.n; ++o) {
        for_bits(
            zero(o, g) - (crosses_words ? less_by : 0), o,
            [&](std::int64_t word, std::uint32_t bit) { words[size(g * width + word)] |= bit; });
      }
    }
    for (std::uint32_t& word : words) {
      for (int bit = 0; bit < 32 && !crosses_words; bit += layer_.bits)
        word -= static_cast<std::uint32_t>(less_by) << bit;
    }
    return raw_tensor("I32", {layer_.groups(), width}, words);
  }
  RawTensor groups() const {
    std::vector<std::int32_t> group_of;
    for (std::int64_t i = 0; i < layer_.k; ++i) group_of.push_back(layer_.group_at(i));
    return raw_tensor("I32", {layer_.k}, group_of);
  }
  RawTensor scales() const {
    std::vector<std::uint16_t> halves;
    for (std::int64_t g = 0; g < layer_.groups(); ++g) {
      for (std::int64_t o = 0; o < layer_.n; ++o)
        halves.push_back(f32_to_f16(layer_.scales[size(o * layer_.groups() + g)]));
    }
    return raw_tensor("F16", {layer_.groups(), layer_.n}, halves);
  }
  RawTensor awq_weights() const {
    return awq(layer_.k, [&](std::int64_t i, std::int64_t o) { return code(o, i); });
  }
  RawTensor awq_zeros() const {
    return awq(layer_.groups(), [&](std::int64_t g, std::int64_t o) { return zero(o, g); });
  }

 private:
  static std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }
  /// visit(word, bit in it) for each set bit of the code at a place of a stream.
  template <typename Visit>
  void for_bits(int code, std::int64_t place, Visit visit) const {
    for (int b = 0; b < layer_.bits; ++b) {
      const std::int64_t at = place * layer_.bits + b;
      if ((code >> b & 1) != 0) visit(at / 32, 1U << (at % 32));
    }
  }
  int code(std::int64_t o, std::int64_t i) const { return layer_.codes[size(o * layer_.k + i)]; }
  int zero(std::int64_t o, std::int64_t g) const {
    return layer_.zeros[size(o * layer_.groups() + g)];
  }

  /// Nibble j of word [row][w] is that of output 8 w + order[j].
  template <typename Code>
  RawTensor awq(std::int64_t rows, Code code_of) const {
    static constexpr int kOrder[8] = {0, 2, 4, 6, 1, 3, 5, 7};
    std::vector<std::uint32_t> words;
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t w = 0; w < layer_.n / 8; ++w) {
        words.push_back(0);
        for (int j = 0; j < 8; ++j)
          words.back() |= static_cast<std::uint32_t>(code_of(row, 8 * w + kOrder[j])) << 4 * j;
      }
    }
    return raw_tensor("I32", {rows, layer_.n / 8}, words);
  }

  const PlainLayer& layer_;
};

/// A Llama whose layers are whole numbers of words; of 3 bits too with 4 heads of keys and values
/// and inner layers of 96.
inline HuggingFaceSample even_llama(bool tied, std::int64_t kv_heads = 2, std::int64_t inner = 80) {
  HuggingFaceSample sample;
  sample.config = {{"architectures", {"LlamaForCausalLM"}},
                   {"vocab_size", 48},
                   {"hidden_size", 32},
                   {"num_attention_heads", 4},
                   {"num_key_value_heads", kv_heads},
                   {"num_hidden_layers", 2},
                   {"intermediate_size", inner},
                   {"max_position_embeddings", 16},
                   {"tie_word_embeddings", tied}};
  const auto add = [&](const std::string& name, std::vector<std::int64_t> dims) {
    const std::int64_t count = dims.size() == 2 ? dims[0] * dims[1] : dims[0];
    sample.tensors[name + ".weight"] = {std::move(dims), normal_numbers(count, name, 0.5F)};
  };
  add("model.embed_tokens", {48, 32});
  for (const char* layer : {"model.layers.0.", "model.layers.1."}) {
    const std::string in = layer;
    for (const char* norm : {"input_layernorm", "post_attention_layernorm"}) add(in + norm, {32});
    add(in + "self_attn.q_proj", {32, 32});
    add(in + "self_attn.k_proj", {8 * kv_heads, 32});
    add(in + "self_attn.v_proj", {8 * kv_heads, 32});
    add(in + "self_attn.o_proj", {32, 32});
    add(in + "mlp.gate_proj", {inner, 32});
    add(in + "mlp.up_proj", {inner, 32});
    add(in + "mlp.down_proj", {32, inner});
  }
  add("model.norm", {32});
  if (!tied) add("lm_head", {48, 32});
  return sample;
}

inline bool is_projection(const std::string& tensor) { return tensor.ends_with("_proj.weight"); }

inline void write_raw(const nlohmann::json& config, const RawTensors& tensors,
                      const std::filesystem::path& folder) {
  std::vector<TensorEntry> entries;
  for (const auto& [name, raw] : tensors) entries.push_back({name, raw.dtype, raw.dims, raw.bytes});
  std::filesystem::create_directories(folder);
  write_text(folder / "config.json", config.dump(2));
  write_safetensors(entries, {}, folder / "model.safetensors");
}

}  // namespace qassay
