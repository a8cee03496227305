// Int8 activations with what every 64-bit ARM has. Products of bytes are exact in 16 bits, and so
// are their sums in pairs, |2 * -128 * 127| < 2^15; all further sums are of 32 bits.

#include "kernels/arm/functions.h"
#include "kernels/arm/integer.h"

namespace qassay::own {
namespace {

struct WideningDot : IntegerStart {
  QASSAY_INLINE static void add(Sum& sum, int32x4_t weights, int32x4_t x) {
    const int8x16_t a = vreinterpretq_s8_s32(weights);
    const int8x16_t b = vreinterpretq_s8_s32(x);
    const int16x8_t first = vmull_s8(vget_low_s8(a), vget_low_s8(b));
    const int16x8_t second = vmull_high_s8(a, b);
    sum = vpadalq_s16(sum, vpaddq_s16(first, second));
  }
};

template <int kRows>
struct Sums : IntegerRowSums<WideningDot, kRows> {};

}  // namespace

void linear_a8_s8_neon(const LinearArgs& args) { run_linear<ChannelFormat<Sums>>(args); }
void linear_a8_s4_neon(const LinearArgs& args) { run_linear<GroupFormat<Sums>>(args); }

}  // namespace qassay::own
