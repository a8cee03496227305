#include "tests/models/hugging_face_forward.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>

namespace qassay {
namespace {

using Json = nlohmann::json;
using Row = std::vector<double>;
using Rows = std::vector<Row>;

template <typename T>
T get(const Json& config, const std::string& key, T otherwise) {
  return config.contains(key) && !config[key].is_null() ? config[key].get<T>() : otherwise;
}

std::function<double(double)> activation_of(const std::string& name) {
  if (name == "silu") return [](double x) { return x / (1 + std::exp(-x)); };
  if (name == "relu") return [](double x) { return x > 0 ? x : 0; };
  if (name == "gelu") return [](double x) { return x * std::erfc(-x / std::sqrt(2.0)) / 2; };
  if (name == "gelu_new") {
    return [](double x) {
      return 0.5 * x *
             (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    };
  }
  throw std::invalid_argument(name);
}

Rows sum(Rows a, const Rows& b) {
  for (std::size_t p = 0; p < a.size(); ++p)
    for (std::size_t c = 0; c < a[p].size(); ++c) a[p][c] += b[p][c];
  return a;
}

class Net {
 public:
  Net(const Json& config, const Parameters& tensors) : config_(config), tensors_(tensors) {}

 protected:
  bool has(const std::string& name) const { return tensors_.contains(name); }
  const Tensor& tensor(const std::string& name) const { return tensors_.at(name); }
  double number(const std::string& name, std::size_t row, std::size_t column) const {
    const Tensor& from = tensor(name);
    return from.values[row * static_cast<std::size_t>(from.dims[1]) + column];
  }
  Rows rows(const std::string& table, const std::vector<std::size_t>& ids) const {
    Rows out;
    for (const std::size_t id : ids) {
      out.emplace_back();
      for (std::size_t c = 0; c < static_cast<std::size_t>(tensor(table).dims[1]); ++c)
        out.back().push_back(number(table, id, c));
    }
    return out;
  }
  /// [out, in] weights, or [in, out] of GPT-2's "Conv1D".
  Rows linear(const Rows& x, const std::string& name, bool in_out = false) const {
    const auto outputs = static_cast<std::size_t>(tensor(name + ".weight").dims[in_out ? 1 : 0]);
    Rows y;
    for (const Row& row : x) {
      y.emplace_back();
      for (std::size_t n = 0; n < outputs; ++n) {
        double total = has(name + ".bias") ? tensor(name + ".bias").values[n] : 0;
        for (std::size_t k = 0; k < row.size(); ++k)
          total +=
              row[k] * (in_out ? number(name + ".weight", k, n) : number(name + ".weight", n, k));
        y.back().push_back(total);
      }
    }
    return y;
  }
  Rows rms_norm(Rows x, const std::string& name) const {
    for (Row& row : x) {
      double squares = 0;
      for (const double value : row) squares += value * value;
      const double root =
          std::sqrt(squares / static_cast<double>(row.size()) + get(config_, "rms_norm_eps", 1e-6));
      for (std::size_t c = 0; c < row.size(); ++c)
        row[c] = tensor(name + ".weight").values[c] * row[c] / root;
    }
    return x;
  }
  Rows layer_norm(Rows x, const std::string& name, double epsilon) const {
    for (Row& row : x) {
      const auto size = static_cast<double>(row.size());
      double mean = 0;
      double variance = 0;
      for (const double value : row) mean += value / size;
      for (const double value : row) variance += (value - mean) * (value - mean) / size;
      for (std::size_t c = 0; c < row.size(); ++c) {
        row[c] =
            (row[c] - mean) / std::sqrt(variance + epsilon) * tensor(name + ".weight").values[c] +
            tensor(name + ".bias").values[c];
      }
    }
    return x;
  }
  static Rows apply(Rows x, const std::function<double(double)>& f) {
    for (Row& row : x)
      for (double& value : row) value = f(value);
    return x;
  }
  /// Position i sees j of [0, i], and with a window only those with i - j < window.
  static Rows attention(const Rows& q, const Rows& k, const Rows& v, std::size_t heads,
                        std::size_t kv_heads, std::size_t window) {
    const std::size_t size = q[0].size() / heads;
    Rows out(q.size(), Row(q[0].size()));
    for (std::size_t h = 0; h < heads; ++h) {
      const std::size_t shared = h / (heads / kv_heads) * size;
      for (std::size_t i = 0; i < q.size(); ++i) {
        Row weights;
        double total = 0;
        for (std::size_t j = 0; j <= i; ++j) {
          double score = 0;
          for (std::size_t c = 0; c < size; ++c) score += q[i][h * size + c] * k[j][shared + c];
          const bool seen = window == 0 || i - j < window;
          weights.push_back(seen ? std::exp(score / std::sqrt(static_cast<double>(size))) : 0);
          total += weights.back();
        }
        for (std::size_t j = 0; j <= i; ++j)
          for (std::size_t c = 0; c < size; ++c)
            out[i][h * size + c] += weights[j] / total * v[j][shared + c];
      }
    }
    return out;
  }
  /// Against the rows of a table.
  Rows scores(const Rows& x, const std::string& table) const {
    return linear(x, has("lm_head.weight") ? "lm_head"
                                           : table.substr(0, table.size() - sizeof(".weight") + 1));
  }

  const Json& config_;
  const Parameters& tensors_;
};

class Llama : public Net {
 public:
  using Net::Net;

  Rows run(const std::vector<std::size_t>& ids) const {
    const std::size_t heads = config_["num_attention_heads"];
    const std::size_t kv_heads = get(config_, "num_key_value_heads", heads);
    Rows x = rows("model.embed_tokens.weight", ids);
    for (std::size_t i = 0; i < config_["num_hidden_layers"]; ++i) {
      const std::string layer = "model.layers." + std::to_string(i) + ".";
      const Rows normed = rms_norm(x, layer + "input_layernorm");
      const Rows q = turned(linear(normed, layer + "self_attn.q_proj"));
      const Rows k = turned(linear(normed, layer + "self_attn.k_proj"));
      const Rows v = linear(normed, layer + "self_attn.v_proj");
      const Rows mixed = attention(q, k, v, heads, kv_heads, window(i));
      x = sum(x, linear(mixed, layer + "self_attn.o_proj"));
      const Rows again = rms_norm(x, layer + "post_attention_layernorm");
      Rows inner = apply(linear(again, layer + "mlp.gate_proj"),
                         activation_of(get<std::string>(config_, "hidden_act", "silu")));
      const Rows up = linear(again, layer + "mlp.up_proj");
      for (std::size_t p = 0; p < inner.size(); ++p)
        for (std::size_t c = 0; c < inner[p].size(); ++c) inner[p][c] *= up[p][c];
      x = sum(x, linear(inner, layer + "mlp.down_proj"));
    }
    return scores(rms_norm(x, "model.norm"), "model.embed_tokens.weight");
  }

 private:
  std::size_t window(std::size_t layer) const {
    const std::string architecture = config_["architectures"][0];
    if (architecture == "MistralForCausalLM") return get<std::size_t>(config_, "sliding_window", 0);
    if (architecture == "Qwen2ForCausalLM" && get(config_, "use_sliding_window", false) &&
        layer >= config_["max_window_layers"])
      return config_["sliding_window"];
    return 0;
  }

  /// Radians a position, of each pair.
  Row frequencies() const {
    const bool newer = config_.contains("rope_parameters");
    const Json rope = newer ? config_["rope_parameters"] : config_.value("rope_scaling", Json());
    const double theta = newer ? rope["rope_theta"].get<double>() : get(config_, "rope_theta", 1e4);
    const std::string type =
        rope.is_null() ? "default" : rope.value("rope_type", rope.value("type", "default"));
    Row all;
    for (std::size_t i = 0; i < head(); i += 2) {
      double frequency = 1 / std::pow(theta, static_cast<double>(i) / static_cast<double>(head()));
      if (type == "linear") frequency /= rope["factor"].get<double>();
      if (type == "llama3") {
        const double low = rope["low_freq_factor"];
        const double high = rope["high_freq_factor"];
        const double positions = rope["original_max_position_embeddings"];
        const double length = 2 * std::numbers::pi / frequency;
        const double slow = frequency / rope["factor"].get<double>();
        if (length > positions / low) {
          frequency = slow;
        } else if (length >= positions / high) {
          const double smooth = (positions / length - low) / (high - low);
          frequency = (1 - smooth) * slow + smooth * frequency;
        }
      }
      all.push_back(frequency);
    }
    return all;
  }
  std::size_t head() const {
    return get(config_, "head_dim",
               config_["hidden_size"].get<std::size_t>() /
                   config_["num_attention_heads"].get<std::size_t>());
  }
  /// x cos + rotate_half(x) sin, with rotate_half(first, second) = (-second, first).
  Rows turned(Rows x) const {
    const Row frequency = frequencies();
    const std::size_t half = frequency.size();
    for (std::size_t p = 0; p < x.size(); ++p) {
      const Row before = x[p];
      for (std::size_t c = 0; c < before.size(); ++c) {
        const std::size_t within = c % head();
        const double angle = static_cast<double>(p) * frequency[within % half];
        const double other = within < half ? -before[c + half] : before[c - half];
        x[p][c] = before[c] * std::cos(angle) + other * std::sin(angle);
      }
    }
    return x;
  }
};

class Gpt2 : public Net {
 public:
  using Net::Net;

  Rows run(const std::vector<std::size_t>& ids) const {
    const std::string net = has("transformer.wte.weight") ? "transformer." : "";
    const double epsilon = get(config_, "layer_norm_epsilon", 1e-5);
    std::vector<std::size_t> places;
    for (std::size_t p = 0; p < ids.size(); ++p) places.push_back(p);
    Rows x = sum(rows(net + "wte.weight", ids), rows(net + "wpe.weight", places));
    for (std::size_t i = 0; i < config_["n_layer"]; ++i) {
      const std::string layer = net + "h." + std::to_string(i) + ".";
      const Rows qkv = linear(layer_norm(x, layer + "ln_1", epsilon), layer + "attn.c_attn", true);
      const auto part = [&](std::size_t which) {
        Rows out;
        for (const Row& row : qkv) {
          const auto begin = row.begin() + static_cast<std::ptrdiff_t>(which * row.size() / 3);
          out.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(row.size() / 3));
        }
        return out;
      };
      const std::size_t heads = config_["n_head"];
      const Rows mixed = attention(part(0), part(1), part(2), heads, heads, 0);
      x = sum(x, linear(mixed, layer + "attn.c_proj", true));
      const Rows inner =
          apply(linear(layer_norm(x, layer + "ln_2", epsilon), layer + "mlp.c_fc", true),
                activation_of(get<std::string>(config_, "activation_function", "gelu_new")));
      x = sum(x, linear(inner, layer + "mlp.c_proj", true));
    }
    return scores(layer_norm(x, net + "ln_f", epsilon), net + "wte.weight");
  }
};

class Opt : public Net {
 public:
  using Net::Net;

  Rows run(const std::vector<std::size_t>& ids) const {
    constexpr double kEpsilon = 1e-5;
    const std::string net = has("decoder.embed_tokens.weight") ? "decoder." : "model.decoder.";
    std::vector<std::size_t> places;
    for (std::size_t p = 0; p < ids.size(); ++p) places.push_back(p + 2);
    Rows x =
        sum(rows(net + "embed_tokens.weight", ids), rows(net + "embed_positions.weight", places));
    for (std::size_t i = 0; i < config_["num_hidden_layers"]; ++i) {
      const std::string layer = net + "layers." + std::to_string(i) + ".";
      const Rows normed = layer_norm(x, layer + "self_attn_layer_norm", kEpsilon);
      const std::size_t heads = config_["num_attention_heads"];
      const Rows mixed = attention(linear(normed, layer + "self_attn.q_proj"),
                                   linear(normed, layer + "self_attn.k_proj"),
                                   linear(normed, layer + "self_attn.v_proj"), heads, heads, 0);
      x = sum(x, linear(mixed, layer + "self_attn.out_proj"));
      const Rows inner =
          apply(linear(layer_norm(x, layer + "final_layer_norm", kEpsilon), layer + "fc1"),
                activation_of(get<std::string>(config_, "activation_function", "relu")));
      x = sum(x, linear(inner, layer + "fc2"));
    }
    return scores(layer_norm(x, net + "final_layer_norm", kEpsilon), net + "embed_tokens.weight");
  }
};

}  // namespace

std::vector<std::vector<double>> hugging_face_scores(const nlohmann::json& config,
                                                     const Parameters& tensors,
                                                     const std::vector<std::size_t>& ids) {
  const std::string architecture = config["architectures"][0];
  if (architecture == "GPT2LMHeadModel") return Gpt2(config, tensors).run(ids);
  if (architecture == "OPTForCausalLM") return Opt(config, tensors).run(ids);
  return Llama(config, tensors).run(ids);
}

}  // namespace qassay
