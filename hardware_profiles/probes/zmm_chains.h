/* A loop over independent chains of one AVX-512 instruction, written as one piece of assembly so
 * that no compiler copies or spills an accumulator. Registers 16 to 31 only: writing them does not
 * slow down SSE code that follows, and no vzeroupper is needed. 14 chains cover two units with a
 * latency of up to 7 cycles. */
#pragma once

#define QASSAY_ZMM_CHAIN_COUNT 14

/* Both factors are `pattern` in every 32-bit lane; accumulators start at zero. */
#define QASSAY_ZMM_CHAINS(instruction, pattern, steps)                                           \
  do {                                                                                           \
    long left_ = (steps);                                                                        \
    __asm__ volatile(                                                                            \
        "vpbroadcastd %1, %%zmm30\n\t"                                                           \
        "vpbroadcastd %1, %%zmm31\n\t"                                                           \
        ".irp chain, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29\n\t"                 \
        "vpxord %%zmm\\chain, %%zmm\\chain, %%zmm\\chain\n\t"                                    \
        ".endr\n\t"                                                                              \
        ".p2align 6\n"                                                                           \
        "1:\n\t"                                                                                 \
        ".irp chain, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29\n\t" instruction     \
        " %%zmm31, %%zmm30, %%zmm\\chain\n\t"                                                    \
        ".endr\n\t"                                                                              \
        "sub $1, %0\n\t"                                                                         \
        "jnz 1b"                                                                                 \
        : "+r"(left_)                                                                            \
        : "r"(pattern)                                                                           \
        : "cc", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", \
          "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");                        \
  } while (0)
