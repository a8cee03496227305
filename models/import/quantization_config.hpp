#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "core/json_object.hpp"
#include "core/scheme.hpp"

namespace qassay {

/// How the tensors of a quantized linear layer are laid out (models/import/packed_layer.hpp).
enum class PackedLayout { gptq, awq };

/// What "quantization_config" of a config.json says.
struct QuantizationConfig {
  PackedLayout layout = PackedLayout::gptq;
  int bits = 4;
  std::int64_t group = 0;   // inputs that share a scale; 0: all of a row
  bool symmetric = false;   // all zero points are 2^(bits-1)
  bool ordered = false;     // by act-order: g_idx is needed
  int zero_is_less_by = 0;  // 1 where the file has each zero point less one

  bool operator==(const QuantizationConfig&) const = default;
};

/// Of "quant_method" gptq, with "checkpoint_format" gptq (the first, whose zero points are stored
/// less one) or gptq_v2; and awq of version gemm. Weights of 2, 3, 4 and 8 bits. Throws InputError
/// naming the key for all else; keys about how the quantization was done are passed over.
QuantizationConfig quantization_config(const JsonObject& json);

/// The scheme of the weights; activations stay as they are.
Scheme scheme_of(const QuantizationConfig& config);

/// How to write weights of a scheme. Readers of zero points less one disagree about a zero point of
/// 0: `some_zero_is_0` makes it the second format. Throws InputError naming the scheme where the
/// format cannot say it.
QuantizationConfig gptq_config(const Scheme& scheme, bool some_zero_is_0);

/// What quantization_config() reads, of the layout gptq.
nlohmann::json to_json(const QuantizationConfig& config);

}  // namespace qassay
