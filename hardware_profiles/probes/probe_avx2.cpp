// Read rate and FP32 peak with AVX2 and FMA.

#include <immintrin.h>

#include "hardware_profiles/probes/probe_kernels.h"
#include "hardware_profiles/probes/ymm_chains.h"

namespace {

inline __attribute__((always_inline)) __m256i load(const char* p) {
  return _mm256_load_si256(static_cast<const __m256i*>(static_cast<const void*>(p)));
}

// `prefetch` is a constant in each caller: two loops, neither with the other's burden.
inline __attribute__((always_inline)) unsigned long long read(const void* data, size_t bytes,
                                                              long passes, size_t ahead,
                                                              bool prefetch) {
  const char* const start = static_cast<const char*>(data);
  __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (long pass = 0; pass < passes; ++pass) {
    for (const char* p = start; p != start + bytes; p += 256) {
      if (prefetch) {
        for (size_t line = 0; line < 256; line += 64) _mm_prefetch(p + ahead + line, _MM_HINT_T0);
      }
      a = _mm256_xor_si256(a, load(p));
      b = _mm256_xor_si256(b, load(p + 32));
      c = _mm256_xor_si256(c, load(p + 64));
      d = _mm256_xor_si256(d, load(p + 96));
      e = _mm256_xor_si256(e, load(p + 128));
      f = _mm256_xor_si256(f, load(p + 160));
      g = _mm256_xor_si256(g, load(p + 192));
      h = _mm256_xor_si256(h, load(p + 224));
    }
  }
  a = _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d));
  e = _mm256_xor_si256(_mm256_xor_si256(e, f), _mm256_xor_si256(g, h));
  a = _mm256_xor_si256(a, e);
  const __m128i half = _mm_xor_si128(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  return static_cast<unsigned long long>(_mm_cvtsi128_si64(half) ^ _mm_extract_epi64(half, 1));
}

}  // namespace

unsigned long long qassay_read_avx2(const void* data, size_t bytes, long passes, size_t ahead) {
  return ahead != 0 ? read(data, bytes, passes, ahead, true) : read(data, bytes, passes, 0, false);
}

double qassay_f32_avx2(long steps) {
  const unsigned kHalf = 0x3F000000U;  // 0.5
  QASSAY_YMM_CHAINS("vfmadd231ps", kHalf, steps);
  return static_cast<double>(steps) * QASSAY_YMM_CHAIN_COUNT * 8 * 2;
}
