#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/matrix_view.hpp"

namespace qassay {

/// What calibration data put into a layer: magnitudes of its input channels, and a sample of its
/// rows. Rows x[m,k] come in batches; how they are cut into batches changes no bit.
class InputStatistics {
 public:
  /// `inputs`: k. `sample_rows`: the most rows of the sample. `place` is for errors: which layer's
  /// input this is.
  explicit InputStatistics(std::int64_t inputs, std::string place = "calibration",
                           std::int64_t sample_rows = 512);

  /// Adds rows x[m,k]. Throws InputError naming row and input column when a value is not finite.
  void add(ConstMatrix x);

  std::int64_t inputs() const { return inputs_; }
  std::int64_t rows() const { return rows_; }
  /// The mean of |x| for each input; zeros before the first row.
  std::vector<float> mean_magnitudes() const;
  /// The largest |x| for each input.
  const std::vector<float>& largest_magnitudes() const { return largest_; }
  /// All rows, or `sample_rows` of them, each as likely as any other, drawn by a fixed seed.
  ConstMatrix sample() const;

 private:
  /// A row of the sample. Those with the smallest keys stay.
  struct Drawn {
    std::uint64_t key;
    std::int64_t slot;

    bool operator<(const Drawn& other) const { return key < other.key; }
  };

  void draw(const float* row);

  std::int64_t inputs_;
  std::int64_t capacity_;
  std::int64_t rows_ = 0;
  std::string place_;
  std::vector<double> sums_;
  std::vector<float> largest_;
  std::vector<Drawn> drawn_;  // a heap, the largest key on top
  std::vector<float> sample_;
};

}  // namespace qassay
