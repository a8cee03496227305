// INT8 peak with VNNI.

#include "hardware_profiles/probes/probe_kernels.h"
#include "hardware_profiles/probes/zmm_chains.h"

double qassay_int8_avx512vnni(long steps) {
  const unsigned kOnes = 0x01010101U;
  QASSAY_ZMM_CHAINS("vpdpbusd", kOnes, steps);
  return static_cast<double>(steps) * QASSAY_ZMM_CHAIN_COUNT * 64 * 2;
}
