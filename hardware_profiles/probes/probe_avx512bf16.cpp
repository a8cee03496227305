// BF16 peak with AVX512-BF16.

#include "hardware_profiles/probes/probe_kernels.h"
#include "hardware_profiles/probes/zmm_chains.h"

double qassay_bf16_avx512bf16(long steps) {
  const unsigned kHalves = 0x3F003F00U;  // 0.5 twice
  QASSAY_ZMM_CHAINS("vdpbf16ps", kHalves, steps);
  return static_cast<double>(steps) * QASSAY_ZMM_CHAIN_COUNT * 32 * 2;
}
