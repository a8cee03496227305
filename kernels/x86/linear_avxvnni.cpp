// Int8 activations with AVX-VNNI: vpdpbusd on registers of 32 bytes, in the VEX encoding.
//
// With QASSAY_EVEX_VNNI the same instruction is in the EVEX encoding of AVX512-VNNI, for tests on
// processors that have that one.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx2.h"

#include "kernels/x86/vnni.h"

#ifdef QASSAY_EVEX_VNNI
#define QASSAY_VPDPBUSD "%{evex%} vpdpbusd"
#else
#define QASSAY_VPDPBUSD "%{vex%} vpdpbusd"
#endif

namespace qassay::own {
namespace {

struct Dot {
  using Sum = Ints;
  // A row and chain are two registers.
  static constexpr int chains(int rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }
  QASSAY_INLINE static void add(Ints& sum, Ints codes, Ints x) {
    asm(QASSAY_VPDPBUSD " %2, %1, %0" : "+x"(sum.low) : "x"(codes.low), "x"(x.low));
    asm(QASSAY_VPDPBUSD " %2, %1, %0" : "+x"(sum.high) : "x"(codes.high), "x"(x.high));
  }
};

template <typename Code>
using Products = VnniProducts<Dot, Code>;

}  // namespace

namespace avxvnni {

void linear_a8_u8(const LinearArgs& args) { run_linear<ChannelFormat<Products<U8>>>(args); }
void linear_a8_u8_groups(const LinearArgs& args) { run_linear<GroupFormat<Products<U8>>>(args); }
void linear_a8_u4(const LinearArgs& args) { run_linear<ChannelFormat<Products<U4>>>(args); }
void linear_a8_u4_groups(const LinearArgs& args) { run_linear<GroupFormat<Products<U4>>>(args); }

}  // namespace avxvnni
}  // namespace qassay::own
