/* zmm_chains.h with registers of 32 bytes, of which there are 16: 12 chains cover two units with a
 * latency of up to 6 cycles, and leave registers for the factors. */
#pragma once

#define QASSAY_YMM_CHAIN_COUNT 12

/* Both factors are `pattern` in every 32-bit lane; accumulators start at zero. */
#define QASSAY_YMM_CHAINS(instruction, pattern, steps)                                          \
  do {                                                                                          \
    long left_ = (steps);                                                                       \
    __asm__ volatile(                                                                           \
        "vmovd %1, %%xmm14\n\t"                                                                 \
        "vpbroadcastd %%xmm14, %%ymm14\n\t"                                                     \
        "vmovdqa %%ymm14, %%ymm15\n\t"                                                          \
        ".irp chain, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n\t"                                  \
        "vpxor %%ymm\\chain, %%ymm\\chain, %%ymm\\chain\n\t"                                    \
        ".endr\n\t"                                                                             \
        ".p2align 6\n"                                                                          \
        "1:\n\t"                                                                                \
        ".irp chain, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n\t" instruction                      \
        " %%ymm15, %%ymm14, %%ymm\\chain\n\t"                                                   \
        ".endr\n\t"                                                                             \
        "sub $1, %0\n\t"                                                                        \
        "jnz 1b\n\t"                                                                            \
        "vzeroupper"                                                                            \
        : "+r"(left_)                                                                           \
        : "r"(pattern)                                                                          \
        : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
          "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");                                \
  } while (0)
