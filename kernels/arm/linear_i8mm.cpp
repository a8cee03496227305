// Int8 activations with smmla: 2 rows x 8 k times 2 channels x 8 k, added to the 2 x 2 lanes of a
// vector. Weights come as 8 k of one channel after another, x as 8 k of one row after another.

#include "kernels/arm/functions.h"
#include "kernels/arm/integer.h"

namespace qassay::own {
namespace {

/// Sums of 2 rows and 2 channels to a vector; an odd last row has a row of zeros beside it.
template <int kRows>
struct Sums {
  static constexpr int kPairs = (kRows + 1) / 2;
  static constexpr int kChannelPairs = kBlock / 2;
  int32x4_t at[kPairs][kChannelPairs];

  QASSAY_INLINE static int32x2_t start_of(const int32_t* corrections, int row, int64_t apart) {
    return vdup_n_s32(corrections == nullptr || row >= kRows ? 0 : corrections[row * apart]);
  }
  QASSAY_INLINE void start(const int32_t* corrections, int64_t apart) {
#pragma GCC unroll 3
    for (int p = 0; p < kPairs; ++p) {
      const int32x4_t both = vcombine_s32(start_of(corrections, 2 * p, apart),
                                          start_of(corrections, 2 * p + 1, apart));
#pragma GCC unroll 8
      for (int c = 0; c < kChannelPairs; ++c) at[p][c] = both;
    }
  }

  /// The words of rows 2p and 2p + 1.
  QASSAY_INLINE static int8x16_t rows_at(const Word* x, int p) {
    const unsigned char* bytes = reinterpret_cast<const unsigned char*>(x + 4 * p);
    if (2 * p + 1 < kRows) return vreinterpretq_s8_u8(vld1q_u8(bytes));
    return vreinterpretq_s8_u8(vcombine_u8(vld1_u8(bytes), vdup_n_u8(0)));
  }

  QASSAY_INLINE void add(const unsigned char* lines, const Word* x, int64_t steps) {
    for (int64_t s = 0; s < steps; s += 2, lines += 2 * kLine, x += 2 * kRows) {
      int8x16_t rows[kPairs];
#pragma GCC unroll 3
      for (int p = 0; p < kPairs; ++p) rows[p] = rows_at(x, p);
#pragma GCC unroll 8
      for (int c = 0; c < kChannelPairs; ++c) {
        const int8x16_t weights = vreinterpretq_s8_u8(vld1q_u8(lines + c * kVectorBytes));
#pragma GCC unroll 3
        for (int p = 0; p < kPairs; ++p) at[p][c] = vmmlaq_s32(at[p][c], rows[p], weights);
      }
    }
  }

  QASSAY_INLINE void add_nibbles(const int32x4_t (&low)[kVectors],
                                 const int32x4_t (&high)[kVectors], const Word* x) {
    const int8x16_t row = rows_at(x, 0);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      at[0][v] = vmmlaq_s32(at[0][v], row, vreinterpretq_s8_s32(low[v]));
      at[0][v + 4] = vmmlaq_s32(at[0][v + 4], row, vreinterpretq_s8_s32(high[v]));
    }
  }

  QASSAY_INLINE int32x4_t get(int row, int v) const {
    const int64x2_t first = vreinterpretq_s64_s32(at[row / 2][2 * v]);
    const int64x2_t second = vreinterpretq_s64_s32(at[row / 2][2 * v + 1]);
    return vreinterpretq_s32_s64(row % 2 == 0 ? vzip1q_s64(first, second)
                                              : vzip2q_s64(first, second));
  }
};

}  // namespace

void linear_a8_s8_i8mm(const LinearArgs& args) { run_linear<ChannelFormat<Sums>>(args); }
void linear_a8_s4_i8mm(const LinearArgs& args) { run_linear<GroupFormat<Sums>>(args); }

}  // namespace qassay::own
