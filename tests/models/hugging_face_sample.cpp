#include "tests/models/hugging_face_sample.hpp"

#include <cmath>
#include <fstream>

#include "core/seed.hpp"
#include "models/safetensors.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

using Json = nlohmann::json;

class Drawer {
 public:
  Drawer(const std::string& architecture, std::uint64_t seed)
      : seed_(seed), random_(seed_from_name(architecture + std::to_string(seed))) {
    sample_.config["architectures"] = {architecture};
    sample_.config["vocab_size"] = kVocabulary;
  }

  HuggingFaceSample llama() {
    const std::int64_t kv_heads = 1 + below(3);
    const std::int64_t heads = kv_heads * (1 + below(3));
    const std::int64_t head = 2 * (1 + below(5));
    const bool free_head = below(2) == 1;
    const std::int64_t channels = free_head ? 7 + below(9) : heads * head;
    const std::int64_t inner = 5 + below(20);
    const std::string architecture = sample_.architecture();
    const bool is_llama = architecture == "LlamaForCausalLM";
    const bool bias = is_llama ? below(2) == 1 : architecture == "Qwen2ForCausalLM";
    const bool mlp_bias = is_llama && below(2) == 1;
    Json& config = sample_.config;
    config.update({{"hidden_size", channels},
                   {"num_attention_heads", heads},
                   {"num_key_value_heads", kv_heads},
                   {"num_hidden_layers", kLayers},
                   {"intermediate_size", inner},
                   {"hidden_act", below(2) == 1 ? "silu" : "gelu"},
                   {"max_position_embeddings", 40},
                   {"rms_norm_eps", 1e-5},
                   {"tie_word_embeddings", below(2) == 1},
                   {"torch_dtype", "float32"}});
    if (free_head) config["head_dim"] = head;
    if (is_llama) config.update({{"attention_bias", bias}, {"mlp_bias", mlp_bias}});
    if (is_llama && kv_heads == heads) config.erase("num_key_value_heads");
    if (architecture == "MistralForCausalLM")
      config["sliding_window"] = below(4) > 0 ? Json(1 + below(6)) : Json();
    if (architecture == "Qwen2ForCausalLM") {
      config.update({{"use_sliding_window", below(3) > 0},
                     {"sliding_window", 2 + below(4)},
                     {"max_window_layers", below(kLayers + 1)}});
    }
    rope();
    table("model.embed_tokens", kVocabulary, channels);
    for (std::int64_t i = 0; i < kLayers; ++i) {
      const std::string layer = "model.layers." + std::to_string(i) + ".";
      norm(layer + "input_layernorm", channels, false);
      linear(layer + "self_attn.q_proj", heads * head, channels, bias);
      linear(layer + "self_attn.k_proj", kv_heads * head, channels, bias);
      linear(layer + "self_attn.v_proj", kv_heads * head, channels, bias);
      linear(layer + "self_attn.o_proj", channels, heads * head, bias && is_llama);
      norm(layer + "post_attention_layernorm", channels, false);
      linear(layer + "mlp.gate_proj", inner, channels, mlp_bias);
      linear(layer + "mlp.up_proj", inner, channels, mlp_bias);
      linear(layer + "mlp.down_proj", channels, inner, mlp_bias);
      if (below(2) == 1) add(layer + "self_attn.rotary_emb.inv_freq", {head / 2}, 1);
    }
    norm("model.norm", channels, false);
    head_beside("model.embed_tokens", channels);
    return sample_;
  }

  HuggingFaceSample gpt2() {
    const std::int64_t heads = 1 + below(4);
    const std::int64_t channels = heads * (1 + below(7));
    const std::string net = below(2) == 1 ? "transformer." : "";
    Json& config = sample_.config;
    config.update({{"n_positions", 30},
                   {"n_embd", channels},
                   {"n_layer", kLayers},
                   {"n_head", heads},
                   {"layer_norm_epsilon", 1e-4}});
    std::int64_t inner = 4 * channels;
    if (below(2) == 1) config["n_inner"] = inner = 5 + below(9);
    if (below(2) == 1) config["activation_function"] = below(2) == 1 ? "gelu_new" : "relu";
    if (below(2) == 1) config["tie_word_embeddings"] = false;
    table(net + "wte", kVocabulary, channels);
    table(net + "wpe", 30, channels);
    for (std::int64_t i = 0; i < kLayers; ++i) {
      const std::string layer = net + "h." + std::to_string(i) + ".";
      norm(layer + "ln_1", channels, true);
      conv1d(layer + "attn.c_attn", channels, 3 * channels);
      conv1d(layer + "attn.c_proj", channels, channels);
      norm(layer + "ln_2", channels, true);
      conv1d(layer + "mlp.c_fc", channels, inner);
      conv1d(layer + "mlp.c_proj", inner, channels);
      if (below(2) == 1) {
        add(layer + "attn.bias", {1, 1, 3, 3}, 1);
        add(layer + "attn.masked_bias", {}, 1);
      }
    }
    norm(net + "ln_f", channels, true);
    head_beside(net + "wte", channels, true);
    return sample_;
  }

  HuggingFaceSample opt() {
    const std::int64_t heads = 1 + below(4);
    const std::int64_t channels = heads * (1 + below(7));
    const std::int64_t inner = 5 + below(20);
    const bool bias = below(3) > 0;
    const std::string net = below(2) == 1 ? "decoder." : "model.decoder.";
    sample_.config.update({{"max_position_embeddings", 30},
                           {"hidden_size", channels},
                           {"num_hidden_layers", kLayers},
                           {"num_attention_heads", heads},
                           {"ffn_dim", inner},
                           {"word_embed_proj_dim", channels},
                           {"do_layer_norm_before", true},
                           {"enable_bias", bias}});
    if (below(2) == 1) sample_.config["activation_function"] = "gelu";
    if (below(2) == 1) sample_.config["tie_word_embeddings"] = false;
    table(net + "embed_tokens", kVocabulary, channels);
    table(net + "embed_positions", 32, channels);
    for (std::int64_t i = 0; i < kLayers; ++i) {
      const std::string layer = net + "layers." + std::to_string(i) + ".";
      norm(layer + "self_attn_layer_norm", channels, true);
      for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"})
        linear(layer + "self_attn." + name, channels, channels, bias);
      norm(layer + "final_layer_norm", channels, true);
      linear(layer + "fc1", inner, channels, bias);
      linear(layer + "fc2", channels, inner, bias);
    }
    norm(net + "final_layer_norm", channels, true);
    head_beside(net + "embed_tokens", channels, true);
    return sample_;
  }

 private:
  static constexpr std::int64_t kVocabulary = 23;
  static constexpr std::int64_t kLayers = 3;

  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(n)));
  }

  /// Wavelengths of the pairs lie on all sides of those that llama3 tells apart.
  void rope() {
    const Json llama3{{"rope_type", "llama3"},
                      {"factor", 8.0},
                      {"low_freq_factor", 1.0},
                      {"high_freq_factor", 4.0},
                      {"original_max_position_embeddings", 60}};
    Json& config = sample_.config;
    if (below(2) == 1) config["rope_theta"] = 500;
    switch (seed_ % 5) {
      case 0:
        config["rope_scaling"] = nullptr;
        break;
      case 1:
        config["rope_scaling"] = {{"type", "linear"}, {"factor", 2.5}};
        break;
      case 2:
        config["rope_scaling"] = llama3;
        break;
      default:
        config.erase("rope_theta");
        config["rope_parameters"] = seed_ % 5 == 3 ? llama3 : Json{{"rope_type", "default"}};
        config["rope_parameters"]["rope_theta"] = 300.5;
    }
  }

  void add(const std::string& name, const std::vector<std::int64_t>& dims, float deviation) {
    std::int64_t size = 1;
    for (const std::int64_t dim : dims) size *= dim;
    sample_.tensors[name] = {dims, normal_numbers(size, name + std::to_string(seed_), deviation)};
  }
  void table(const std::string& name, std::int64_t rows, std::int64_t channels) {
    add(name + ".weight", {rows, channels}, 1);
  }
  void linear(const std::string& name, std::int64_t n, std::int64_t k, bool bias) {
    add(name + ".weight", {n, k}, static_cast<float>(1.5 / std::sqrt(static_cast<double>(k))));
    if (bias) add(name + ".bias", {n}, 0.3F);
  }
  void conv1d(const std::string& name, std::int64_t k, std::int64_t n) {
    linear(name, k, n, false);
    add(name + ".bias", {n}, 0.3F);
  }
  void norm(const std::string& name, std::int64_t channels, bool bias) {
    add(name + ".weight", {channels}, 0.3F);
    for (float& value : sample_.tensors[name + ".weight"].values) value += 1;
    if (bias) add(name + ".bias", {channels}, 0.3F);
  }
  /// Where it is tied, some files have it all the same.
  void head_beside(const std::string& table_name, std::int64_t channels,
                   bool tied_unless_said = false) {
    if (!sample_.config.value("tie_word_embeddings", tied_unless_said)) {
      linear("lm_head", kVocabulary, channels, false);
    } else if (below(2) == 1) {
      sample_.tensors["lm_head.weight"] = sample_.tensors[table_name + ".weight"];
    }
  }

  std::uint64_t seed_;
  Random random_;
  HuggingFaceSample sample_;
};

}  // namespace

const std::vector<std::string>& hugging_face_architectures() {
  static const std::vector<std::string> kAll{"LlamaForCausalLM", "MistralForCausalLM",
                                             "Qwen2ForCausalLM", "GPT2LMHeadModel",
                                             "OPTForCausalLM"};
  return kAll;
}

HuggingFaceSample drawn_hugging_face(const std::string& architecture, std::uint64_t seed) {
  Drawer drawer(architecture, seed);
  if (architecture == "GPT2LMHeadModel") return drawer.gpt2();
  if (architecture == "OPTForCausalLM") return drawer.opt();
  return drawer.llama();
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

void write_hugging_face(const HuggingFaceSample& sample, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_text(folder / "config.json", sample.config.dump(2));
  write_safetensors(sample.tensors, {{"format", "pt"}}, folder / "model.safetensors");
}

}  // namespace qassay
