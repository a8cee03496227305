#pragma once

#include <cstdint>
#include <vector>

#include "core/buffer.hpp"
#include "core/matrix_view.hpp"
#include "models/kv_format.hpp"
#include "models/ops/vector_loops.hpp"

namespace qassay {

/// The keys and values of one attention for the tokens so far: of every text and head, the keys as
/// [head, capacity], so that a product with them streams over positions, the values as
/// [capacity, head].
class KvCache {
 public:
  struct Sizes {
    std::int64_t texts = 1, heads = 1, head = 1, positions = 1;
  };
  KvCache(const Sizes& sizes, KvFormat format);

  /// Keeps k and v[positions, head] (rows as far apart as their strides) as those of `first` and
  /// on.
  void append(std::int64_t text, std::int64_t head, std::int64_t first, ConstMatrix k,
              ConstMatrix v);

  /// scores[m, n] = q[m, head] times the keys of the first n positions.
  void score(std::int64_t text, std::int64_t head, ConstMatrix q, Matrix scores) const;
  /// y[m, head] = weights[m, n] times the values of the first n positions. Overwrites the weights.
  void mix(std::int64_t text, std::int64_t head, Matrix weights, Matrix y) const;

  std::size_t bytes() const { return keys_.size() + values_.size() + scales_.size(); }

 private:
  /// Keeps rows as numbers of T: convert(row, to, whether a value, position).
  template <typename T, typename Convert>
  void store(std::int64_t place, std::int64_t first, ConstMatrix k, ConstMatrix v, Convert convert);

  std::int64_t place(std::int64_t text, std::int64_t head) const {
    return text * sizes_.heads + head;
  }
  float* key_scales(std::int64_t place) const {
    return scales_.as<float>() + 2 * place * sizes_.positions;
  }
  float* value_scales(std::int64_t place) const { return key_scales(place) + sizes_.positions; }

  Sizes sizes_;
  KvFormat format_;
  std::int64_t key_stride_;
  Buffer keys_, values_, scales_;  // scales of int8 alone: [place][keys, values][positions]
};

}  // namespace qassay
