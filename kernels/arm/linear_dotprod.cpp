// Int8 activations with sdot: four products of signed bytes to a lane of 32 bits.

#include "kernels/arm/functions.h"
#include "kernels/arm/integer.h"

namespace qassay::own {
namespace {

struct SignedDot : IntegerStart {
  QASSAY_INLINE static void add(Sum& sum, int32x4_t weights, int32x4_t x) {
    sum = vdotq_s32(sum, vreinterpretq_s8_s32(weights), vreinterpretq_s8_s32(x));
  }
};

template <int kRows>
struct Sums : IntegerRowSums<SignedDot, kRows> {};

}  // namespace

void linear_a8_s8_dotprod(const LinearArgs& args) { run_linear<ChannelFormat<Sums>>(args); }
void linear_a8_s4_dotprod(const LinearArgs& args) { run_linear<GroupFormat<Sums>>(args); }

}  // namespace qassay::own
