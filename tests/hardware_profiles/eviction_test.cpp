#include "hardware_profiles/eviction.hpp"

#include <gtest/gtest.h>

#include <cstddef>

#include "core/buffer.hpp"

namespace qassay {
namespace {

constexpr std::size_t kLine = 64;

/// Every size and alignment around a line keeps its contents, and its neighbours'.
TEST(EvictionTest, KeepsTheContents) {
  Buffer buffer(8 * kLine);
  for (std::size_t i = 0; i < buffer.size(); ++i) buffer.data()[i] = static_cast<std::byte>(i);
  for (const int threads : {1, 3}) {
    for (std::size_t begin = 0; begin < 2 * kLine; begin += 13) {
      for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kLine, 3 * kLine + 5})
        evict({buffer.data() + begin, bytes}, threads);
    }
  }
  for (std::size_t i = 0; i < buffer.size(); ++i)
    ASSERT_EQ(buffer.data()[i], static_cast<std::byte>(i)) << i;
}

}  // namespace
}  // namespace qassay
