#pragma once

// For plain loops outside of the folders of one instruction set: the compiler makes one version of
// the function an instruction set, and the loader takes the best. Such functions call nothing and
// reorder no sum of floats, and fma is asked for where it is meant: all versions give equal bits.
#if defined(__x86_64__)
#define QASSAY_PER_ISA __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define QASSAY_PER_ISA
#endif
