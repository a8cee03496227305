#include "quantizers/input_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "core/seed.hpp"
#include "quantizers/input_check.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kColumns = 64;  // that one thread sums up

}  // namespace

InputStatistics::InputStatistics(std::int64_t inputs, std::string place, std::int64_t sample_rows)
    : inputs_(inputs),
      capacity_(sample_rows),
      place_(std::move(place)),
      sums_(static_cast<std::size_t>(inputs)),
      largest_(static_cast<std::size_t>(inputs)) {}

void InputStatistics::add(ConstMatrix x) {
  check_inputs(x, rows_, place_);
  for_each_row((inputs_ + kColumns - 1) / kColumns, [&](std::int64_t part) {
    const std::int64_t begin = part * kColumns, end = std::min(begin + kColumns, inputs_);
    for (std::int64_t row = 0; row < x.rows; ++row) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const float magnitude = std::fabs(x.row(row)[i]);
        sums_[at] += magnitude;
        largest_[at] = std::max(largest_[at], magnitude);
      }
    }
  });
  for (std::int64_t row = 0; row < x.rows; ++row) {
    draw(x.row(row));
    ++rows_;
  }
}

void InputStatistics::draw(const float* row) {
  const std::uint64_t key =
      Random(seed_from_name("sample of rows") + static_cast<std::uint64_t>(rows_)).next();
  if (rows_ < capacity_) {
    drawn_.push_back({key, rows_});
    sample_.insert(sample_.end(), row, row + inputs_);
  } else {
    if (drawn_.empty() || key >= drawn_.front().key) return;
    std::pop_heap(drawn_.begin(), drawn_.end());
    drawn_.back().key = key;
    std::copy_n(row, inputs_, sample_.data() + drawn_.back().slot * inputs_);
  }
  std::push_heap(drawn_.begin(), drawn_.end());
}

std::vector<float> InputStatistics::mean_magnitudes() const {
  std::vector<float> means;
  for (const double sum : sums_) {
    means.push_back(rows_ == 0 ? 0.0F : static_cast<float>(sum / static_cast<double>(rows_)));
  }
  return means;
}

ConstMatrix InputStatistics::sample() const {
  return {sample_.data(), static_cast<std::int64_t>(drawn_.size()), inputs_};
}

}  // namespace qassay
