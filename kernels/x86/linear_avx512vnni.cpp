// Int8 activations with AVX512-VNNI.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx512.h"

#include "kernels/x86/vnni.h"

namespace qassay::own {
namespace {

struct Dot {
  using Sum = Ints;
  static constexpr int chains(int rows) { return rows <= 2 ? 4 : 2; }
  // g++ 12 copies the accumulator of the intrinsic around at every step; the instruction does not.
  QASSAY_INLINE static void add(Ints& sum, Ints codes, Ints x) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(codes), "v"(x));
  }
};

template <typename Code>
using Products = VnniProducts<Dot, Code>;

}  // namespace

namespace avx512vnni {

void linear_a8_u8(const LinearArgs& args) { run_linear<ChannelFormat<Products<U8>>>(args); }
void linear_a8_u8_groups(const LinearArgs& args) { run_linear<GroupFormat<Products<U8>>>(args); }
void linear_a8_u4(const LinearArgs& args) { run_linear<ChannelFormat<Products<U4>>>(args); }
void linear_a8_u4_groups(const LinearArgs& args) { run_linear<GroupFormat<Products<U4>>>(args); }

}  // namespace avx512vnni
}  // namespace qassay::own
