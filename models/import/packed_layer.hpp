#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/quant_matrix.hpp"
#include "models/import/quantization_config.hpp"
#include "models/import/tensor_files.hpp"

namespace qassay {

/// The tensors of one quantized linear layer with n outputs and k inputs, G = ceil(k / group)
/// groups of inputs and P = 32 / bits codes in a word. A weight is (code - zero) * scale.
///
///            gptq                               awq
///   qweight  I32 [k / P, n], along the rows     I32 [k, n / P], along the columns, AWQ's order
///   qzeros   I32 [G, n / P], along the columns  I32 [G, n / P], the same order
///   scales   F16, BF16 or F32 [G, n]            the same
///   g_idx    I32 [k], the group of each input   -
///
/// The order of codes in words: models/import/packed_codes.hpp. They follow AutoGPTQ
/// (github.com/AutoGPTQ/AutoGPTQ) and AutoAWQ (github.com/casper-hansen/AutoAWQ), version gemm.
///
/// Zero points of the first format of GPTQ are stored less one, so that 0 has no code of its own.
/// Readers that add one code by code make 0 of 2^bits - 1, or 2^bits; here one is added to all
/// codes of a word in one sum, carries and all, as GPTQModel does (github.com/ModelCloud/GPTQModel,
/// utils/model.py, which Transformers reads with) and did the other way round when it wrote. All
/// agree where no zero point is 0.

/// Whether there is a layer of this name ("model.layers.0.mlp.up_proj") that is packed.
bool has_packed_layer(const TensorFiles& files, const std::string& name);

/// The names of its tensors.
std::vector<std::string> packed_tensors(const std::string& name, PackedLayout layout);

/// The layer, with zero points always: drop_zero_points() makes it symmetric. Throws InputError
/// with file and tensor for what is missing, of another type or shape (before it takes memory),
/// scales that are negative, not finite or overflow FP16 or FP32, a g_idx that does not go through
/// the groups in order, and zero points of a symmetric file that are not in the middle.
QuantMatrix read_packed_layer(const TensorFiles& files, const std::string& name, std::int64_t n,
                              std::int64_t k, const QuantizationConfig& config);

/// For zero points that are all in the middle.
void drop_zero_points(QuantMatrix& layer);

/// The tensors of the layout gptq.
struct PackedLayer {
  std::vector<std::uint32_t> qweight, qzeros;
  std::vector<float> scales;  // [G, n]
  std::vector<std::int32_t> g_idx;
};

/// Throws InputError naming the layer where n or k is no multiple of the codes in a word, and
/// std::invalid_argument for a zero point of 0 in the first format.
PackedLayer pack_gptq(const QuantMatrix& layer, const QuantizationConfig& config,
                      const std::string& name);

}  // namespace qassay
