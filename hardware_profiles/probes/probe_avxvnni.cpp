// INT8 peak with AVX-VNNI.

#include "hardware_profiles/probes/probe_kernels.h"
#include "hardware_profiles/probes/ymm_chains.h"

double qassay_int8_avxvnni(long steps) {
  const unsigned kOnes = 0x01010101U;
  QASSAY_YMM_CHAINS("%{vex%} vpdpbusd", kOnes, steps);
  return static_cast<double>(steps) * QASSAY_YMM_CHAIN_COUNT * 32 * 2;
}
