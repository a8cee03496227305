// Read rate and FP32 peak with what every processor of the architecture has, in vectors of 16
// bytes. Compiled with contraction, so that processors whose baseline has a fused multiply-add use
// it.

#include "hardware_profiles/probes/probe_kernels.h"

namespace {

typedef unsigned long long Words __attribute__((vector_size(16), may_alias));
typedef float Floats __attribute__((vector_size(16)));

}  // namespace

unsigned long long qassay_read_portable(const void* data, size_t bytes, long passes, size_t ahead) {
  const Words* const start = static_cast<const Words*>(data);
  const Words* const end = start + bytes / sizeof(Words);
  const size_t words_ahead = ahead / sizeof(Words);
  Words a = {}, b = {}, c = {}, d = {};
  for (long pass = 0; pass < passes; ++pass) {
    for (const Words* p = start; p != end; p += 4) {
      // Of no use without `ahead`, and of little cost beside four loads.
      __builtin_prefetch(p + words_ahead);
      a ^= p[0];
      b ^= p[1];
      c ^= p[2];
      d ^= p[3];
    }
  }
  a ^= b ^ c ^ d;
  return a[0] ^ a[1];
}

double qassay_f32_portable(long steps) {
  const int kChains = 10;
  Floats chains[kChains + 1] = {};
  chains[kChains] = Floats{0.5F, 0.5F, 0.5F, 0.5F};
  // To the compiler the values are unknown from here on: equal chains stay apart, nothing is
  // folded.
  __asm__ volatile("" : : "r"(chains) : "memory");
  Floats a = chains[0], b = chains[1], c = chains[2], d = chains[3], e = chains[4];
  Floats f = chains[5], g = chains[6], h = chains[7], i = chains[8], j = chains[9];
  const Floats x = chains[kChains];
  for (long step = 0; step < steps; ++step) {
    a = a * x + x;
    b = b * x + x;
    c = c * x + x;
    d = d * x + x;
    e = e * x + x;
    f = f * x + x;
    g = g * x + x;
    h = h * x + x;
    i = i * x + x;
    j = j * x + x;
  }
  const Floats results[kChains] = {a, b, c, d, e, f, g, h, i, j};
  __asm__ volatile("" : : "r"(results) : "memory");
  return static_cast<double>(steps) * kChains * 4 * 2;
}
