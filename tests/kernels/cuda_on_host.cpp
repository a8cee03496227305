#include "tests/kernels/cuda_on_host.hpp"

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/half.hpp"

namespace qassay {
namespace simt {
namespace {

constexpr unsigned kLanes = 32;
constexpr std::size_t kStackBytes = std::size_t{128} << 10;

/// Lets go when so many have come.
struct Barrier {
  unsigned come = 0;
  unsigned passed = 0;
};

struct Copy {
  uint4* to;
  const void* from;
};

/// Registers that the lanes of a warp show each other.
struct Lane {
  std::array<std::uint32_t, 4> a{};
  std::array<std::uint32_t, 2> b{};
  std::uint32_t value = 0;
};

struct Warp {
  Barrier barrier;
  std::array<Lane, kLanes> lanes;
};

struct Fiber {
  ucontext_t context{};
  std::unique_ptr<std::byte[]> stack = std::make_unique_for_overwrite<std::byte[]>(kStackBytes);
  Index index;
  bool done = false;
  std::vector<Copy> begun;                  // since the last commit
  std::deque<std::vector<Copy>> committed;  // groups that were not waited for
};

/// The block that runs.
struct Block {
  Index grid, index;
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  Barrier barrier;
  const std::function<void()>* thread = nullptr;
  std::exception_ptr fault;
  ucontext_t scheduler{};
  std::size_t running = 0;
  bool moved = false;  // whether any thread came further in this turn

  Fiber& fiber() { return fibers[running]; }
  Warp& warp() { return warps[running / kLanes]; }
  Lane& lane() { return warp().lanes[running % kLanes]; }
};

Block* block = nullptr;  // NOLINT: what CUDA's words speak of

void give_way() { swapcontext(&block->fiber().context, &block->scheduler); }

void wait_at(Barrier& barrier, unsigned all) {
  block->moved = true;
  const unsigned before = barrier.passed;
  if (++barrier.come == all) {
    barrier.come = 0;
    ++barrier.passed;
    return;
  }
  while (barrier.passed == before) give_way();
  block->moved = true;
}

void start_fiber() {
  try {
    (*block->thread)();
  } catch (...) {
    block->fault = std::current_exception();
  }
  block->fiber().done = true;
  block->moved = true;
  give_way();
}

/// On its own, for getcontext may return twice as far as a compiler knows.
void start_over(Fiber& fiber, unsigned index) {
  fiber.index = {index, 0, 0};
  fiber.done = false;
  fiber.begun.clear();
  fiber.committed.clear();
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = kStackBytes;
  makecontext(&fiber.context, start_fiber, 0);
}

void run_block() {
  for (std::size_t left = block->fibers.size(); left > 0 && !block->fault;) {
    block->moved = false;
    for (block->running = 0; block->running < block->fibers.size(); ++block->running) {
      if (block->fiber().done || block->fault) continue;
      swapcontext(&block->scheduler, &block->fiber().context);
      if (block->fiber().done) --left;
    }
    if (!block->moved) throw std::logic_error("threads wait for others that do not come");
  }
  if (block->fault) std::rethrow_exception(block->fault);
}

}  // namespace

const Index& thread_index() { return block->fiber().index; }
const Index& block_index() { return block->index; }
const Index& grid_size() { return block->grid; }

void block_barrier() { wait_at(block->barrier, static_cast<unsigned>(block->fibers.size())); }

void run(Index grid, unsigned threads, const std::function<void()>& thread) {
  Block here;
  here.grid = grid;
  here.fibers = std::vector<Fiber>(threads);
  here.thread = &thread;
  block = &here;
  for (unsigned y = 0; y < std::max(grid.y, 1U); ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      here.index = {x, y, 0};
      here.warps = std::vector<Warp>(threads / kLanes);
      for (unsigned i = 0; i < threads; ++i) start_over(here.fibers[i], i);
      run_block();
    }
  }
}

}  // namespace simt

namespace cuda {

using simt::block;

namespace {

double half_at(std::uint32_t pair, int which) {
  return f16_to_f32(static_cast<std::uint16_t>(pair >> (16 * which)));
}

void wait_for_warp() { simt::wait_at(block->warp().barrier, simt::kLanes); }

}  // namespace

/// mma.m16n8k16. Which registers hold what is written down from the PTX ISA ("Matrix Fragments for
/// mma.m16n8k16 with floating point type"), not from kernels/cuda/layout.h. Sums in double, rounded
/// once.
void multiply_tile(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  simt::Warp& warp = block->warp();
  std::copy_n(a, 4, block->lane().a.begin());
  block->lane().b = {b0, b1};
  wait_for_warp();  // all lanes show theirs
  const auto lane = static_cast<unsigned>(block->running % simt::kLanes);
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = lane / 4 + (i < 2 ? 0 : 8);
    const unsigned col = lane % 4 * 2 + i % 2;
    double sum = d[i];
    for (unsigned k = 0; k < 16; ++k) {
      // a: 0 <= i < 2 and 4 <= i < 6 have row groupID, the others groupID + 8; i < 4 has column
      // threadID_in_group * 2 + (i & 1), the others that + 8.
      const simt::Lane& of_a = warp.lanes[row % 8 * 4 + k % 8 / 2];
      const double left = half_at(of_a.a[row / 8 + (k / 8) * 2], static_cast<int>(k % 2));
      // b: row threadID_in_group * 2 + (i & 1), and 8 more from i = 2; column groupID.
      const simt::Lane& of_b = warp.lanes[col * 4 + k % 8 / 2];
      sum += left * half_at(of_b.b[k / 8], static_cast<int>(k % 2));
    }
    d[i] = static_cast<float>(sum);
  }
  wait_for_warp();  // none shows the next before all have seen these
}

std::uint32_t subtract_halves(std::uint32_t a, std::uint32_t b) {
  std::uint32_t both = 0;
  for (const int which : {0, 1}) {
    const auto difference = static_cast<float>(half_at(a, which) - half_at(b, which));
    both |= static_cast<std::uint32_t>(f32_to_f16(difference)) << (16 * which);
  }
  return both;
}

float value_of_half(std::uint16_t bits) { return f16_to_f32(bits); }
std::uint16_t half_of_value(float value) { return f32_to_f16(value); }
std::uint16_t bf16_of_value(float value) { return f32_to_bf16(value); }
std::uint32_t bits_of_float(float value) { return std::bit_cast<std::uint32_t>(value); }
float float_of_bits(std::uint32_t bits) { return std::bit_cast<float>(bits); }

std::uint32_t largest_of_warp(std::uint32_t value) {
  block->lane().value = value;
  wait_for_warp();
  for (const simt::Lane& lane : block->warp().lanes) value = std::max(value, lane.value);
  wait_for_warp();
  return value;
}

void copy_later(uint4* to, const void* from) {
  if (reinterpret_cast<std::uintptr_t>(to) % 16 != 0 ||
      reinterpret_cast<std::uintptr_t>(from) % 16 != 0) {
    throw std::logic_error("a copy of 16 bytes is not aligned to them");
  }
  std::memset(to, 0xFF, sizeof(uint4));  // NaN
  block->fiber().begun.push_back({to, from});
}

void commit_copies() {
  block->fiber().committed.push_back(std::move(block->fiber().begun));
  block->fiber().begun.clear();
}

void finish_copies(std::size_t left) {
  auto& groups = block->fiber().committed;
  while (groups.size() > left) {
    for (const simt::Copy& copy : groups.front()) std::memcpy(copy.to, copy.from, sizeof(uint4));
    groups.pop_front();
  }
}

}  // namespace cuda
}  // namespace qassay
