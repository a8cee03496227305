#include "datasets/idx.hpp"

#include <gmock/gmock.h>

#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string fault(const std::vector<std::byte>& file, int rank) {
  return fault_of([&] { read_idx(file, rank, "a.gz"); });
}

std::vector<std::byte> images() {
  return gzip(idx({2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255}));
}

TEST(IdxTest, ReadsImagesAndLabels) {
  const IdxArray array = read_idx(images(), 3, "a.gz");
  EXPECT_THAT(array.dimensions, ElementsAre(2, 2, 3));
  EXPECT_THAT(array.values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255));
  const IdxArray labels = read_idx(gzip(idx({3}, {9, 0, 4})), 1, "a.gz");
  EXPECT_THAT(labels.dimensions, ElementsAre(3));
  EXPECT_THAT(labels.values, ElementsAre(9, 0, 4));
}

TEST(IdxTest, ReadsAnEmptyArray) {
  EXPECT_TRUE(read_idx(gzip(idx({0}, {})), 1, "a.gz").values.empty());
  EXPECT_TRUE(read_idx(gzip(idx({0, 0xFFFFFFFF, 0xFFFFFFFF}, {})), 3, "a.gz").values.empty());
}

TEST(IdxTest, RefusesWrongMagic) {
  auto bytes = idx({1}, {7});
  bytes[1] = 9;
  EXPECT_THAT(fault(gzip(bytes), 1), AllOf(StartsWith("a.gz: "), HasSubstr("magic bytes 00 09")));
}

TEST(IdxTest, RefusesOtherElementTypes) {
  auto bytes = idx({1}, {7});
  bytes[2] = 0x0D;
  EXPECT_THAT(fault(gzip(bytes), 1), HasSubstr("type 13, not unsigned bytes"));
}

TEST(IdxTest, RefusesAnotherRank) {
  EXPECT_THAT(fault(images(), 1), HasSubstr("3 dimensions where 1 are wanted"));
}

TEST(IdxTest, RefusesSizesThatOverflow) {
  // 2^32-1 cubed wraps around in 64 bits; 2^31 * 2^31 * 4 is 0 in 64 bits.
  EXPECT_THAT(fault(gzip(idx({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {1})), 3),
              HasSubstr("claims 4294967295"));
  EXPECT_THAT(fault(gzip(idx({0x80000000, 0x80000000, 4}, {1})), 3), HasSubstr("claims"));
}

TEST(IdxTest, RefusesSizesBeyondTheFileBeforeTakingMemory) {
  // 16 TiB would end the test if it were asked for.
  EXPECT_THAT(fault(gzip(idx({1 << 22, 2048, 2048}, {1})), 3), HasSubstr("more than a file of"));
}

TEST(IdxTest, RefusesTooFewValues) {
  EXPECT_THAT(fault(gzip(idx({4}, {1, 2, 3})), 1), HasSubstr("cut short by 1 bytes"));
  EXPECT_THAT(fault(gzip({0, 0, 8}), 1), HasSubstr("cut short by 1 bytes"));
}

TEST(IdxTest, RefusesTooManyValues) {
  EXPECT_THAT(fault(gzip(idx({2}, {1, 2, 3})), 1), HasSubstr("bytes after its last value"));
}

TEST(IdxTest, RefusesBytesAfterTheCompressedData) {
  auto file = images();
  file.push_back(std::byte{0});
  EXPECT_THAT(fault(file, 3), HasSubstr("bytes after its last value"));
}

TEST(IdxTest, RefusesEveryTruncation) {
  const auto whole = images();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> part(whole.begin(),
                                      whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(read_idx(part, 3, "a.gz"), InputError) << size;
  }
}

// A few bits have no meaning (the header's time stamp, the padding before the trailer).
TEST(IdxTest, RefusesEveryFlippedBitThatChangesTheContent) {
  const auto whole = images();
  const IdxArray right = read_idx(whole, 3, "a.gz");
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto file = whole;
    file[bit / 8] ^= std::byte(1U << (bit % 8));
    try {
      EXPECT_EQ(read_idx(file, 3, "a.gz").values, right.values) << bit;
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, whole.size() * 8 * 3 / 4);
}

TEST(IdxTest, RefusesWhatIsNotGzip) {
  std::vector<std::byte> plain;
  for (const std::uint8_t byte : idx({1}, {7})) plain.push_back(std::byte(byte));
  EXPECT_THAT(fault(plain, 1), HasSubstr("not a sound gzip file"));
  EXPECT_THAT(fault({}, 1), HasSubstr("ends inside"));
}

}  // namespace
}  // namespace qassay
