#include "kernels/adapters/packed_weights.hpp"

#include <algorithm>
#include <cstring>

namespace qassay {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kPage = 4096;

template <typename Function>
void each_share(std::size_t bytes, int threads, const Function& function) {
  const auto shares = static_cast<std::size_t>(threads);
  const std::size_t share = (bytes / shares / kPage + 1) * kPage;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (std::size_t i = 0; i < shares; ++i) {
    const std::size_t begin = std::min(i * share, bytes);
    function(begin, std::min(begin + share, bytes));
  }
}

}  // namespace

PackedWeights::PackedWeights(std::size_t weight_bytes,
                             std::initializer_list<std::span<const float>> vectors, int threads)
    : threads_(threads) {
  std::size_t end = weight_bytes;
  for (const std::span<const float> vector : vectors) {
    end = (end + kCacheLine - 1) / kCacheLine * kCacheLine;
    places_.push_back(vector.empty() ? 0 : end);
    end += vector.size_bytes();
  }
  buffer_ = Buffer(end);
  each_share(end, threads_, [this](std::size_t begin, std::size_t stop) {
    std::memset(buffer_.data() + begin, 0, stop - begin);
  });
  std::size_t index = 0;
  for (const std::span<const float> vector : vectors) {
    if (!vector.empty())
      std::memcpy(buffer_.data() + places_[index], vector.data(), vector.size_bytes());
    ++index;
  }
}

PackedWeights PackedWeights::copy() const {
  PackedWeights other;
  other.buffer_ = Buffer(bytes());
  other.places_ = places_;
  other.threads_ = threads_;
  each_share(bytes(), threads_, [&](std::size_t begin, std::size_t end) {
    std::memcpy(other.buffer_.data() + begin, buffer_.data() + begin, end - begin);
  });
  return other;
}

const float* PackedWeights::vector(std::size_t index) const {
  if (places_[index] == 0) return nullptr;
  return reinterpret_cast<const float*>(buffer_.data() + places_[index]);
}

}  // namespace qassay
