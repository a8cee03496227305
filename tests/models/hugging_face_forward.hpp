#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "models/model.hpp"

namespace qassay {

/// A second implementation of the architectures that are imported, written from their papers and
/// definitions for these tests alone: in double, number by number, from the tensors by the names
/// that they have in the file. It knows nothing of graphs and operators.
///
/// The scores of the next token at each position: [ids, vocab_size].
std::vector<std::vector<double>> hugging_face_scores(const nlohmann::json& config,
                                                     const Parameters& tensors,
                                                     const std::vector<std::size_t>& ids);

}  // namespace qassay
