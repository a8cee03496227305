#pragma once

#include <cstdint>
#include <functional>

// Runs kernels written for CUDA on the host: their own source, included behind this header, with
// CUDA's words and kernels/cuda/instructions.cuh replaced. A block's threads are fibers that take
// turns and change over only where they wait for each other, always in the same order. It shows
//
//   an index or a layout that is wrong: in the product, or by a fault at a guarded page
//   shared memory that is read before all have written it, for others have not run by then
//   a copy to shared memory that nobody waited for, or that overwrites what is still read: from its
//   begin until it is waited for, NaN stands there
//   a warp or block that does not come together where it must: thrown as std::logic_error
//
// and nothing of time, of registers or of how the hardware orders accesses. Whole blocks run one
// after another, so one `static` variable stands for the shared memory of all.

namespace qassay::simt {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};

/// Runs `thread` for every thread of `grid` blocks of `threads` each, a multiple of 32. Throws what
/// a thread throws.
void run(Index grid, unsigned threads, const std::function<void()>& thread);

/// Of the thread that runs.
const Index& thread_index();
const Index& block_index();
const Index& grid_size();
/// Waits for all threads of the block.
void block_barrier();

}  // namespace qassay::simt

// CUDA's words, as kernels use them.
#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)
#define threadIdx (qassay::simt::thread_index())
#define blockIdx (qassay::simt::block_index())
#define gridDim (qassay::simt::grid_size())
#define __syncthreads qassay::simt::block_barrier

struct alignas(16) uint4 {
  std::uint32_t x, y, z, w;
};

template <typename T>
T __ldg(const T* at) {
  return *at;
}

namespace qassay::cuda {

// As kernels/cuda/instructions.cuh declares them.
void multiply_tile(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1);
std::uint32_t subtract_halves(std::uint32_t a, std::uint32_t b);
float value_of_half(std::uint16_t bits);
std::uint16_t half_of_value(float value);
std::uint16_t bf16_of_value(float value);
std::uint32_t bits_of_float(float value);
float float_of_bits(std::uint32_t bits);
std::uint32_t largest_of_warp(std::uint32_t value);
inline uint4 read_once(const uint4* at) { return *at; }

void copy_later(uint4* to, const void* from);
void commit_copies();
/// Waits for all groups of the thread but the last `left`.
void finish_copies(std::size_t left);
template <int kLeft>
void wait_for_copies() {
  finish_copies(kLeft);
}

}  // namespace qassay::cuda
