#pragma once

#include "core/buffer.hpp"
#include "core/matrix_view.hpp"

namespace qassay {

/// Rows without gaps, for a library that wants them so. Where the view has none, these are its own
/// rows and nothing is copied.
class DenseRows {
 public:
  /// The rows of x; valid until the next call.
  const float* gather(ConstMatrix x, int threads);
  /// Room for the rows of y; to be followed by scatter().
  float* room(Matrix y);
  void scatter(Matrix y, int threads) const;

 private:
  float* hold(std::int64_t numbers);

  Buffer buffer_;
};

}  // namespace qassay
