// What a config.json of Hugging Face may say, and every refusal.

#include <gmock/gmock.h>

#include <optional>

#include "models/import/hugging_face.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/models/hugging_face_sample.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr const char* kLlama = "LlamaForCausalLM";
constexpr const char* kMistral = "MistralForCausalLM";
constexpr const char* kQwen2 = "Qwen2ForCausalLM";
constexpr const char* kGpt2 = "GPT2LMHeadModel";
constexpr const char* kOpt = "OPTForCausalLM";

/// With one key set, or without it.
Json config_with(const char* architecture, const char* key, const std::optional<Json>& value) {
  Json config = drawn_hugging_face(architecture, 0).config;
  if (!value) {
    config.erase(key);
  } else {
    config[key] = *value;
  }
  return config;
}
HuggingFaceConfig parse(const Json& config, std::int64_t context = 0) {
  return parse_hugging_face_config(config.dump(), "m/config.json", context);
}
Decoder decoder_with(const char* architecture, const char* key, const std::optional<Json>& value) {
  return parse(config_with(architecture, key, value)).read.decoder;
}
std::string fault_with(const char* architecture, const char* key,
                       const std::optional<Json>& value) {
  return fault_of([&] { parse(config_with(architecture, key, value)); });
}

TEST(HuggingFaceConfigTest, RefusesArchitecturesThatAreNotRead) {
  EXPECT_EQ(fault_with(kLlama, "architectures", Json{"MambaForCausalLM"}),
            "m/config.json: architectures: names 'MambaForCausalLM', which is not read yet; give a "
            "model of one of LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, "
            "GPT2LMHeadModel, OPTForCausalLM");
  EXPECT_THAT(fault_with(kLlama, "architectures", Json::array()), HasSubstr("does not name one"));
  EXPECT_THAT(fault_with(kLlama, "architectures", Json{kLlama, kOpt}),
              HasSubstr("does not name one"));
  EXPECT_THAT(fault_with(kLlama, "architectures", Json(kLlama)), HasSubstr("wrong type"));
}

TEST(HuggingFaceConfigTest, RefusesMissingAndAbsurdSizes) {
  const auto check = [](const char* architecture, const std::vector<const char*>& keys) {
    for (const char* key : keys) {
      EXPECT_EQ(fault_with(architecture, key, {}),
                std::string("m/config.json: '") + key + "' is missing; give a whole number");
      for (const Json& bad : {Json(0), Json(-4), Json(1.5), Json("4"), Json(std::int64_t{1} << 40)})
        EXPECT_THAT(fault_with(architecture, key, bad),
                    StartsWith(std::string("m/config.json: ") + key + ": "));
    }
  };
  const std::vector<const char*> all{"vocab_size", "hidden_size", "num_hidden_layers",
                                     "num_attention_heads", "max_position_embeddings"};
  for (const char* architecture : {kLlama, kMistral, kQwen2, kOpt}) check(architecture, all);
  for (const char* architecture : {kLlama, kMistral, kQwen2})
    check(architecture, {"intermediate_size"});
  for (const char* architecture : {kMistral, kQwen2}) check(architecture, {"num_key_value_heads"});
  check(kGpt2, {"vocab_size", "n_positions", "n_embd", "n_layer", "n_head"});
  check(kOpt, {"ffn_dim"});
  EXPECT_THAT(fault_with(kGpt2, "n_layer", 1025), HasSubstr("n_layer: is not a whole number"));
}

TEST(HuggingFaceConfigTest, RefusesHeadsThatDoNotDivide) {
  EXPECT_EQ(fault_of([] {
              Json config = config_with(kLlama, "head_dim", {});
              config.update({{"hidden_size", 10}, {"num_attention_heads", 4}});
              config["num_key_value_heads"] = 2;
              parse(config);
            }),
            "m/config.json: num_attention_heads: is 4, which does not divide the 10 of "
            "hidden_size; correct one of them");
  Json config = config_with(kMistral, "num_attention_heads", 4);
  config["num_key_value_heads"] = 3;
  EXPECT_THAT(fault_of([&] { parse(config); }),
              HasSubstr("num_key_value_heads: is 3, which does not divide the 4 of "));
  config["num_key_value_heads"] = 8;
  EXPECT_THAT(fault_of([&] { parse(config); }), HasSubstr("num_key_value_heads: is 8"));
  EXPECT_THAT(fault_with(kQwen2, "head_dim", 5), HasSubstr("head_dim: makes heads of 5 channels"));
  EXPECT_THAT(fault_with(kGpt2, "n_head", 100), HasSubstr("n_head: is 100, which does not divide"));
  EXPECT_THAT(fault_with(kOpt, "num_attention_heads", 100), HasSubstr("does not divide"));
}

TEST(HuggingFaceConfigTest, KnowsActivationsByTheirNames) {
  EXPECT_THAT(fault_with(kLlama, "hidden_act", "quick_gelu"),
              AllOf(HasSubstr("hidden_act: is 'quick_gelu', which is not read yet"),
                    HasSubstr("silu, swish, gelu, gelu_new, gelu_pytorch_tanh, relu")));
  EXPECT_THAT(fault_with(kGpt2, "activation_function", 3), HasSubstr("wrong type"));
  EXPECT_TRUE(std::holds_alternative<Silu>(decoder_with(kLlama, "hidden_act", {}).activation));
  EXPECT_TRUE(
      std::holds_alternative<GeluTanh>(decoder_with(kGpt2, "activation_function", {}).activation));
  EXPECT_TRUE(
      std::holds_alternative<Relu>(decoder_with(kOpt, "activation_function", {}).activation));
  EXPECT_TRUE(
      std::holds_alternative<Gelu>(decoder_with(kOpt, "activation_function", "gelu").activation));
}

Rotary rotary_with(const Json& rope) {
  return std::get<Rotary>(decoder_with(kLlama, "rope_scaling", rope).positions);
}
std::string rope_fault(const Json& rope) { return fault_with(kLlama, "rope_scaling", rope); }
Json llama3() {
  return {{"rope_type", "llama3"},
          {"factor", 8},
          {"low_freq_factor", 1},
          {"high_freq_factor", 4},
          {"original_max_position_embeddings", 8192}};
}

TEST(HuggingFaceConfigTest, ReadsScalingsOfTheRotation) {
  EXPECT_EQ(rotary_with({{"type", "linear"}, {"factor", 2}}).factor, 2);
  EXPECT_EQ(rotary_with({{"type", "linear"}, {"rope_type", "linear"}, {"factor", 2}}).original, 0);
  EXPECT_EQ(rotary_with({{"rope_type", "default"}}).factor, 1);
  EXPECT_EQ(rotary_with(llama3()).original, 8192);
  EXPECT_EQ(std::get<Rotary>(decoder_with(kLlama, "rope_theta", 5e5).positions).base, 5e5);
  EXPECT_EQ(std::get<Rotary>(decoder_with(kLlama, "rope_theta", {}).positions).base, 1e4);
}

TEST(HuggingFaceConfigTest, RefusesScalingsThatAreNotReadOrAbsurd) {
  EXPECT_EQ(
      rope_fault({{"rope_type", "yarn"}, {"factor", 2}}),
      "m/config.json: rope_scaling, rope_type: is 'yarn', which is not read yet; give a model "
      "with one of default, linear, llama3");
  EXPECT_THAT(rope_fault({{"type", "dynamic"}}), HasSubstr("rope_scaling, type: is 'dynamic'"));
  EXPECT_THAT(rope_fault(Json::object()), HasSubstr("rope_scaling: 'type' is missing"));
  EXPECT_THAT(rope_fault({{"type", "linear"}, {"rope_type", "llama3"}}),
              HasSubstr("type: is another than rope_type"));
  EXPECT_THAT(rope_fault({{"type", "linear"}}), HasSubstr("'factor' is missing"));
  EXPECT_THAT(rope_fault({{"type", "linear"}, {"factor", 0.5}}), HasSubstr("factor: is out of"));
  EXPECT_THAT(rope_fault({{"type", "linear"}, {"factor", 2}, {"beta_fast", 1}}),
              HasSubstr("beta_fast: is not a known key"));
  EXPECT_THAT(rope_fault("linear"), HasSubstr("rope_scaling: is not a JSON object"));
  for (const char* key :
       {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
    Json rope = llama3();
    rope.erase(key);
    EXPECT_THAT(rope_fault(rope), HasSubstr(std::string("'") + key + "' is missing"));
    rope[key] = 0;
    EXPECT_THAT(rope_fault(rope), HasSubstr(std::string(key) + ": is"));
  }
  Json rope = llama3();
  rope["high_freq_factor"] = 1;
  EXPECT_THAT(rope_fault(rope), HasSubstr("is not above low_freq_factor"));
}

TEST(HuggingFaceConfigTest, RefusesContradictionsOfTheRotation) {
  Json config = config_with(kLlama, "rope_parameters", llama3());
  config["rope_scaling"] = llama3();
  EXPECT_THAT(fault_of([&] { parse(config); }),
              HasSubstr("rope_scaling: stands beside rope_parameters"));
  config.erase("rope_scaling");
  config["rope_theta"] = 500;
  config["rope_parameters"]["rope_theta"] = 501;
  EXPECT_THAT(fault_of([&] { parse(config); }),
              HasSubstr("rope_parameters, rope_theta: is another than that outside"));
  config["rope_parameters"]["rope_theta"] = 500;
  EXPECT_NO_THROW(parse(config));
  config["rope_parameters"]["partial_rotary_factor"] = 0.5;
  EXPECT_THAT(fault_of([&] { parse(config); }), HasSubstr("partial_rotary_factor: is not 1"));
  EXPECT_THAT(fault_with(kLlama, "partial_rotary_factor", 0.25), HasSubstr("is not 1"));
  EXPECT_THAT(fault_with(kLlama, "rope_theta", 0), HasSubstr("rope_theta: is out of range"));
}

TEST(HuggingFaceConfigTest, TakesWindowsAsEachArchitectureDoes) {
  EXPECT_EQ(decoder_with(kLlama, "sliding_window", 4).window, 0);
  EXPECT_EQ(decoder_with(kMistral, "sliding_window", 4).window, 4);
  EXPECT_EQ(decoder_with(kMistral, "sliding_window", Json()).window, 0);
  EXPECT_EQ(decoder_with(kMistral, "sliding_window", {}).window, 4096);
  EXPECT_EQ(decoder_with(kQwen2, "use_sliding_window", false).window, 0);
  Json config = config_with(kQwen2, "use_sliding_window", true);
  config.update({{"sliding_window", 5}, {"max_window_layers", 1}, {"num_hidden_layers", 3}});
  EXPECT_EQ(parse(config).read.decoder.window, 5);
  EXPECT_EQ(parse(config).read.decoder.window_from, 1);
  config["layer_types"] = {"full_attention", "sliding_attention", "sliding_attention"};
  EXPECT_NO_THROW(parse(config));
  config["layer_types"][1] = "full_attention";
  EXPECT_THAT(fault_of([&] { parse(config); }), HasSubstr("layer_types: is not what the windows"));
  config.erase("layer_types");
  config.erase("max_window_layers");
  EXPECT_THAT(fault_of([&] { parse(config); }), HasSubstr("'max_window_layers' is missing"));
}

TEST(HuggingFaceConfigTest, RefusesOptionsThatChangeTheResultAndAreNotRead) {
  EXPECT_EQ(fault_with(kOpt, "do_layer_norm_before", false),
            "m/config.json: do_layer_norm_before: is false, which is not read yet; give a model "
            "where it is true");
  EXPECT_THAT(fault_with(kOpt, "_remove_final_layer_norm", true), HasSubstr("is true, which"));
  EXPECT_THAT(fault_with(kOpt, "layer_norm_elementwise_affine", false), HasSubstr("is false"));
  EXPECT_THAT(fault_with(kOpt, "word_embed_proj_dim", 1024),
              HasSubstr("word_embed_proj_dim: is another than the"));
  EXPECT_THAT(fault_with(kGpt2, "scale_attn_weights", false), HasSubstr("is false"));
  EXPECT_THAT(fault_with(kGpt2, "scale_attn_by_inverse_layer_idx", true), HasSubstr("is true"));
  EXPECT_THAT(fault_with(kGpt2, "add_cross_attention", true), HasSubstr("is true"));
  EXPECT_THAT(fault_with(kLlama, "attention_bias", 1), HasSubstr("attention_bias: has the wrong"));
  EXPECT_THAT(fault_with(kLlama, "rms_norm_eps", 0), HasSubstr("rms_norm_eps: is out of range"));
  EXPECT_THAT(fault_with(kGpt2, "layer_norm_epsilon", 2), HasSubstr("is out of range"));
}

TEST(HuggingFaceConfigTest, ALongContextNeedsOneThatAGraphCanHave) {
  Json config = config_with(kLlama, "max_position_embeddings", 131072);
  config["vocab_size"] = 128256;
  EXPECT_EQ(fault_of([&] { parse(config); }),
            "m/config.json: is of a model of 131072 positions, each of up to 128256 numbers: too "
            "many at once; read it with a context of 16743 or less");
  EXPECT_EQ(parse(config, 16743).graph.input.width, 16743);
  EXPECT_EQ(parse(config, 16743).read.decoder.context, 131072);
  EXPECT_THROW(parse(config, 16744), InputError);
}

TEST(HuggingFaceConfigTest, NamesTheFileOfAGraphThatIsNone) {
  Json config = config_with(kLlama, "head_dim", 1 << 20);
  config.update({{"num_attention_heads", 4}, {"num_key_value_heads", 4}});
  EXPECT_THAT(fault_of([&] { parse(config); }),
              AllOf(StartsWith("m/config.json: "), HasSubstr("q_proj")));
  EXPECT_THAT(fault_of([] { parse_hugging_face_config("[]", "m/config.json"); }),
              HasSubstr("is not a JSON object"));
  EXPECT_THAT(fault_of([] { is_hugging_face("{", "m/config.json"); }), HasSubstr("is not JSON"));
  EXPECT_FALSE(is_hugging_face("[]", ""));
  EXPECT_FALSE(is_hugging_face(R"({"format": "qassay-graph"})", ""));
}

}  // namespace
}  // namespace qassay
