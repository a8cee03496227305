#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/scheme.hpp"

namespace qassay {

inline constexpr double kBytesPerGb = 1e9;

/// Keys and values kept while a decoder writes text.
struct KvCache {
  std::int64_t layers = 0;
  std::int64_t heads = 0;  // of keys and values, not of queries
  std::int64_t head_size = 0;
  std::int64_t tokens = 0;  // of one sequence
  std::int64_t sequences = 1;
  int bits = 16;

  /// Two tensors a layer: 2 * layers * heads * head_size * tokens * sequences * bits / 8.
  double bytes() const;
};

/// The memory that a model needs in a scheme, by arithmetic: every parameter at the scheme's
/// precision, scales and zero points included, and its KV cache, which quantizing the weights does
/// not shrink. Either the number of parameters is given, or the total at a known precision, of
/// which the weights are what the KV cache leaves; or a model known by shape (models/shapes.hpp),
/// whose linear layers are at the scheme's precision with their own rows, and all else, which no
/// scheme quantizes, in FP16 (in FP32 with FP32).
struct Footprint {
  std::optional<std::string> shape;
  std::optional<double> parameters;
  std::optional<double> total_gb;  // decimal: 1 GB = 1e9 bytes
  std::vector<std::string> from;   // schemes to read total_gb in; one result each
  std::int64_t row = 0;            // in features a row: how many weights share a per-channel scale
  std::optional<KvCache> kv_cache;

  /// `from`: one of this->from; unused where parameters are given.
  double parameter_count(const std::string& from_scheme) const;
  double total_bytes(const Scheme& scheme, const std::string& from_scheme) const;
  /// How the parameters of a scheme were counted, in words.
  std::string explain(const Scheme& scheme, const std::string& from_scheme) const;
};

}  // namespace qassay
