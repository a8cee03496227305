#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/safetensors.hpp"

namespace qassay {

/// The tensors of a folder by name: of model.safetensors, or of the files (shards) that
/// model.safetensors.index.json lists:
///
///   {"metadata": {...}, "weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors", ...}}
///
/// Not trusted: every fault is an InputError with file, tensor, fault and mend.
class TensorFiles {
 public:
  /// Maps the files, and proves that they and the index say the same.
  explicit TensorFiles(const std::filesystem::path& folder);
  /// Of one file, that is open.
  TensorFiles(Safetensors file, std::string_view place);

  bool has(const std::string& name) const { return tensors_.contains(name); }
  std::vector<std::string> names() const;
  /// "FILE: TENSOR", for messages.
  std::string place_of(const std::string& name) const;

  /// Throws InputError where it is missing or has other dims. What it gives lives as long as this.
  const TensorEntry& entry(const std::string& name, const std::vector<std::int64_t>& dims) const;
  /// The same before it takes memory; else as Safetensors::tensor().
  Tensor tensor(const std::string& name, const std::vector<std::int64_t>& dims) const;

 private:
  struct Found {
    std::size_t file;
    std::size_t entry;
  };

  void open_shards(const std::filesystem::path& index);
  void add(Safetensors file, std::string path);

  std::string folder_;
  std::vector<std::string> paths_;
  std::vector<Safetensors> files_;
  std::map<std::string, Found> tensors_;
};

}  // namespace qassay
