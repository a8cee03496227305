// Read rate and FP32 peak with AVX-512F.

#include <immintrin.h>

#include "hardware_profiles/probes/probe_kernels.h"
#include "hardware_profiles/probes/zmm_chains.h"

namespace {

// `prefetch` is a constant in each caller: two loops, neither with the other's burden.
inline __attribute__((always_inline)) unsigned long long read(const void* data, size_t bytes,
                                                              long passes, size_t ahead,
                                                              bool prefetch) {
  const char* const start = static_cast<const char*>(data);
  __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (long pass = 0; pass < passes; ++pass) {
    for (const char* p = start; p != start + bytes; p += 512) {
      if (prefetch) {
        for (size_t line = 0; line < 512; line += 64) _mm_prefetch(p + ahead + line, _MM_HINT_T0);
      }
      a = _mm512_xor_si512(a, _mm512_load_si512(p));
      b = _mm512_xor_si512(b, _mm512_load_si512(p + 64));
      c = _mm512_xor_si512(c, _mm512_load_si512(p + 128));
      d = _mm512_xor_si512(d, _mm512_load_si512(p + 192));
      e = _mm512_xor_si512(e, _mm512_load_si512(p + 256));
      f = _mm512_xor_si512(f, _mm512_load_si512(p + 320));
      g = _mm512_xor_si512(g, _mm512_load_si512(p + 384));
      h = _mm512_xor_si512(h, _mm512_load_si512(p + 448));
    }
  }
  a = _mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d));
  e = _mm512_xor_si512(_mm512_xor_si512(e, f), _mm512_xor_si512(g, h));
  // Not _mm512_reduce_...: g++ 12 warns of the header's own deliberately undefined values.
  alignas(64) unsigned long long lanes[8];
  _mm512_store_si512(lanes, _mm512_xor_si512(a, e));
  unsigned long long digest = 0;
  for (const unsigned long long lane : lanes) digest ^= lane;
  return digest;
}

}  // namespace

unsigned long long qassay_read_avx512(const void* data, size_t bytes, long passes, size_t ahead) {
  return ahead != 0 ? read(data, bytes, passes, ahead, true) : read(data, bytes, passes, 0, false);
}

double qassay_f32_avx512(long steps) {
  const float half = 0.5F;
  unsigned bits = 0;
  __builtin_memcpy(&bits, &half, sizeof bits);
  QASSAY_ZMM_CHAINS("vfmadd231ps", bits, steps);
  return static_cast<double>(steps) * QASSAY_ZMM_CHAIN_COUNT * 16 * 2;
}
