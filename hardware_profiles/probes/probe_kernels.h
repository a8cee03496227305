/* The inner loops of the ceilings, one object library for each instruction set. Plain C interface:
 * code that was compiled for one instruction set must not leave inline functions behind that the
 * linker could choose for everybody. */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Read `bytes` (a multiple of 512) from `data` (aligned to 64) in order, `passes` times, and return
 * a digest of them, so that no load can be left out. `ahead`: bytes to prefetch ahead, or 0. */
unsigned long long qassay_read_portable(const void* data, size_t bytes, long passes, size_t ahead);
unsigned long long qassay_read_avx2(const void* data, size_t bytes, long passes, size_t ahead);
unsigned long long qassay_read_avx512(const void* data, size_t bytes, long passes, size_t ahead);

/* Run `steps` rounds of independent multiply-add chains in registers and return the operations done
 * (a multiplication and an addition are two). */
double qassay_f32_portable(long steps);
double qassay_f32_avx2(long steps);
double qassay_f32_avx512(long steps);
double qassay_int8_avxvnni(long steps);
double qassay_int8_avx512vnni(long steps);
double qassay_bf16_avx512bf16(long steps);
double qassay_int8_amx(long steps);
double qassay_bf16_amx(long steps);

#ifdef __cplusplus
}
#endif
