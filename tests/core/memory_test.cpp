#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

#include "core/buffer.hpp"
#include "core/matrix_view.hpp"

namespace qassay {
namespace {

TEST(BufferTest, IsAlignedZeroedAndWritable) {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{4095}, std::size_t{4097}, (std::size_t{2} << 20) - 1,
        std::size_t{2} << 20, (std::size_t{5} << 20) + 3}) {
    const Buffer buffer(bytes);
    ASSERT_EQ(buffer.size(), bytes);
    const std::size_t alignment = bytes >= (std::size_t{2} << 20) ? std::size_t{2} << 20 : 64;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % alignment, 0U) << bytes;
    EXPECT_TRUE(std::all_of(buffer.data(), buffer.data() + bytes,
                            [](std::byte byte) { return byte == std::byte{0}; }));
    std::fill(buffer.data(), buffer.data() + bytes, std::byte{0xA5});
    EXPECT_EQ(buffer.data()[bytes - 1], std::byte{0xA5});
  }
}

TEST(BufferTest, MovesItsMemory) {
  Buffer first(100);
  std::byte* const data = first.data();
  data[99] = std::byte{7};
  Buffer second(std::move(first));
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(second.size(), 100U);
  EXPECT_EQ(first.data(),
            nullptr);  // NOLINT(bugprone-use-after-move): the moved-from state is ours
  EXPECT_EQ(first.size(), 0U);

  Buffer third(5000);
  third = std::move(second);
  EXPECT_EQ(third.data(), data);
  EXPECT_EQ(third.data()[99], std::byte{7});
  Buffer& same = third;
  third = std::move(same);
  EXPECT_EQ(third.data(), data);
}

TEST(BufferTest, EmptyBuffersHoldNothing) {
  EXPECT_EQ(Buffer().data(), nullptr);
  EXPECT_EQ(Buffer(0).data(), nullptr);
}

TEST(BufferTest, SizesBeyondMemoryAreRefused) {
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  for (const std::size_t bytes : {most, most - (std::size_t{2} << 20),
                                  most - (std::size_t{4} << 20), most / 2, most / 2 + 1}) {
    EXPECT_THROW(Buffer{bytes}, std::bad_alloc) << bytes;
  }
}

TEST(MatrixViewTest, WalksRowsByStride) {
  float values[] = {1, 2, 99, 3, 4, 99};
  const Matrix matrix(values, 2, 2, 3);
  EXPECT_EQ(matrix.row(1)[0], 3);
  const ConstMatrix constant = matrix;
  EXPECT_EQ(constant.row(1)[1], 4);
  EXPECT_EQ(constant.stride, 3);
  EXPECT_EQ(Matrix(values, 2, 3).stride, 3);
}

}  // namespace
}  // namespace qassay
