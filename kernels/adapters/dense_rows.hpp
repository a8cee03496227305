#pragma once

#include "core/buffer.hpp"
#include "core/matrix_view.hpp"

namespace qassay {

/// Rows without gaps, for a library that wants them so, and aligned as it wants. Where the view's
/// are, these are its own rows and nothing is copied.
class DenseRows {
 public:
  /// `alignment`: of the first row; a power of two up to that of Buffer.
  explicit DenseRows(std::size_t alignment = alignof(float)) : alignment_(alignment) {}

  /// The rows of x; valid until the next call.
  const float* gather(ConstMatrix x, int threads);
  /// Room for the rows of y; to be followed by scatter().
  float* room(Matrix y);
  void scatter(Matrix y, int threads) const;

 private:
  bool is_dense(ConstMatrix view) const;
  float* hold(std::int64_t numbers);

  std::size_t alignment_;
  Buffer buffer_;
};

}  // namespace qassay
