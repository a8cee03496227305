#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/quant_matrix.hpp"
#include "models/import/quantization_config.hpp"
#include "models/import/tensor_files.hpp"

namespace qassay {

/// The tensors of one quantized linear layer with n outputs and k inputs, G = ceil(k / group)
/// groups of inputs and w(c) = c bits / 32 words for c codes. A weight is (code - zero) * scale.
///
///            gptq                               awq
///   qweight  I32 [w(k), n], along the rows      I32 [k, w(n)], along the columns, AWQ's order
///   qzeros   I32 [G, w(n)], along the columns   I32 [G, w(n)], the same order
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
/// agree where no zero point is 0; of 3 bits, whose codes cross words, those that are 0 are
/// refused.
///
/// With act-order (`desc_act`) groups are of inputs that do not lie side by side, as g_idx says.
/// Kernels take groups that do, so the inputs of such a layer are put in the order of their groups.

/// Whether there is a layer of this name ("model.layers.0.mlp.up_proj") that is packed.
bool has_packed_layer(const TensorFiles& files, const std::string& name);

/// The names of its tensors.
std::vector<std::string> packed_tensors(const std::string& name, PackedLayout layout);

struct ReadLayer {
  QuantMatrix matrix;  // with zero points always: drop_zero_points() makes it symmetric
  /// Input order[i] of the layer is column i of the matrix. Empty where they are as they come.
  std::vector<std::int64_t> order{};
};

/// Throws InputError with file and tensor for what is missing, of another type or shape (before it
/// takes memory), scales that are negative, not finite or overflow FP16 or FP32, a g_idx that does
/// not fill every group, and zero points of a symmetric file that are not in the middle.
ReadLayer read_packed_layer(const TensorFiles& files, const std::string& name, std::int64_t n,
                            std::int64_t k, const QuantizationConfig& config);

/// For zero points that are all in the middle.
void drop_zero_points(QuantMatrix& layer);

/// The tensors of the layout gptq.
struct PackedLayer {
  std::vector<std::uint32_t> qweight, qzeros;
  std::vector<float> scales;  // [G, n]
  std::vector<std::int32_t> g_idx;
};

/// Throws InputError naming the layer where its codes do not fill words, and std::invalid_argument
/// for a zero point of 0 in the first format.
PackedLayer pack_gptq(const QuantMatrix& layer, const QuantizationConfig& config,
                      const std::string& name);

}  // namespace qassay
