#include "kernels/cuda/read_buffer.hpp"

#include <algorithm>

#include "kernels/cuda/functions.h"
#include "kernels/cuda/replay.hpp"

namespace qassay::cuda {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 30;  // far beyond any L2
constexpr std::int64_t kCalls = 4;
constexpr int kSpans = 5;

}  // namespace

void ReadBuffer::enqueue() const {
  check(read_words(memory_.as<uint4>(), static_cast<std::int64_t>(bytes() / sizeof(uint4)),
                   sink_.as<std::uint32_t>(), the_stream()),
        "reading memory");
}

double read_bytes_per_second() {
  const ReadBuffer buffer(kReadBytes);
  Replay replay([&buffer] { buffer.enqueue(); });
  double seconds = replay.seconds(kCalls, false);  // the first warms up; the fastest counts
  for (int i = 0; i < kSpans; ++i) seconds = std::min(seconds, replay.seconds(kCalls, false));
  return static_cast<double>(buffer.bytes()) / seconds;
}

}  // namespace qassay::cuda
