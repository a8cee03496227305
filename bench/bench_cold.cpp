// Whether weights that were dropped from the caches are read as those are that lie farther away
// than the caches reach: one linear layer at m = 1, called
//   rotated   on copies that together exceed 16 times the last-level cache, one after another
//   evicted   on the copies of one batch, dropped from the caches before each (what cold cells do)
//   hot       on one copy
// in turn, in one process:
//
//   OMP_PROC_BIND=true build/release/bench_cold [kernel scheme n k]
//
// Prints the 25th percentile of each in microseconds, and the quartiles of the paired ratios over
// the first. Needs 16 times the last-level cache in memory.

#include <fmt/format.h>
#include <omp.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/buffer.hpp"
#include "core/seed.hpp"
#include "core/statistics.hpp"
#include "hardware_profiles/eviction.hpp"
#include "hardware_profiles/machine_reader.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

constexpr int kRounds = 200;
constexpr std::int64_t kBatchBytes = std::int64_t{32} << 20;
constexpr std::int64_t kCaches = 16;  // at five times a third of the reads still hit

class Layer {
 public:
  Layer(const Kernel& kernel, const Problem& problem)
      : x_(static_cast<std::size_t>(problem.k), 0.5F), y_(static_cast<std::size_t>(problem.n)) {
    std::vector<float> values(static_cast<std::size_t>(problem.n * problem.k));
    fill_normal(values, seed_from_name("weights"), 0.02F);
    ring_.push_back(kernel.prepare(
        problem, round_to_nearest({values.data(), problem.n, problem.k}, problem.scheme), {},
        Device{omp_get_max_threads()}));
    workspace_ = Buffer(first().workspace_bytes());
  }

  Prepared& first() { return *ring_.front(); }
  void extend(std::int64_t copies) {
    while (static_cast<std::int64_t>(ring_.size()) < copies) ring_.push_back(first().copy());
  }
  /// Seconds a call, on so many copies from `begin` on.
  double seconds(std::size_t begin, std::size_t copies) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = begin; i < begin + copies; ++i) {
      const auto columns = static_cast<std::int64_t>(x_.size());
      const auto channels = static_cast<std::int64_t>(y_.size());
      ring_[i % ring_.size()]->run({x_.data(), 1, columns}, {workspace_.data(), workspace_.size()},
                                   {y_.data(), 1, channels});
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    return taken.count() / static_cast<double>(copies);
  }
  void evict_first(std::size_t copies) {
    for (std::size_t i = 0; i < copies; ++i) {
      for (const std::span<const std::byte> piece : ring_[i]->packed())
        evict(piece, omp_get_max_threads());
    }
  }

 private:
  std::vector<std::unique_ptr<Prepared>> ring_;
  std::vector<float> x_, y_;
  Buffer workspace_;
};

void print(const char* name, const std::vector<double>& seconds,
           const std::vector<double>& rotated) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < seconds.size(); ++i) ratios.push_back(seconds[i] / rotated[i]);
  fmt::print("{:<8} {:8.1f} us   over rotated: {:.3f} (quartiles {:.3f} to {:.3f})\n", name,
             quantile(seconds, 0.25) * 1e6, median(ratios), quantile(ratios, 0.25),
             quantile(ratios, 0.75));
}

void compare(const std::string& name, const Problem& problem) {
  const Machine machine = read_machine();
  const KernelChoice kernels({default_kernel_library()}, machine, std::nullopt);
  const Kernel* kernel = kernels.find(name);
  if (kernel == nullptr || kernel->accepts(problem)) {
    fmt::print("{} is not there or does not take {}x{}\n", name, problem.n, problem.k);
    return;
  }
  Layer layer(*kernel, problem);
  const auto bytes = static_cast<std::int64_t>(layer.first().packed_bytes());
  const auto batch = static_cast<std::size_t>(kBatchBytes / bytes + 1);
  const std::int64_t ring = kCaches * machine.last_level_cache_bytes / bytes + 1;
  layer.extend(std::max(ring, 2 * static_cast<std::int64_t>(batch)));
  std::vector<double> rotated, evicted, hot;
  std::size_t next = batch;
  for (int round = 0; round < kRounds; ++round) {
    rotated.push_back(layer.seconds(next, batch));
    next += batch;
    layer.evict_first(batch);
    evicted.push_back(layer.seconds(0, batch));
    layer.seconds(0, 1);
    std::vector<double> calls;
    for (std::size_t i = 0; i < batch; ++i) calls.push_back(layer.seconds(0, 1));
    hot.push_back(median(calls));
  }
  fmt::print("{}, {}x{}, {} copies, {} a batch\n", name, problem.n, problem.k, ring, batch);
  print("rotated", rotated, rotated);
  print("evicted", evicted, rotated);
  print("hot", hot, rotated);
}

}  // namespace
}  // namespace qassay

int main(int argc, char** argv) {
  using namespace qassay;
  if (argc == 5) {
    compare(argv[1], {1, std::atoll(argv[3]), std::atoll(argv[4]), parse_scheme(argv[2])});
    return 0;
  }
  for (const auto& [n, k] : {std::pair{768L, 768L}, std::pair{11008L, 4096L}}) {
    compare("linear_f32_f32_f32_onednn", {1, n, k, parse_scheme("FP32")});
    compare("linear_a8r_s4g_f32_6x64_avx512vnni", {1, n, k, parse_scheme("W4A8-g128")});
  }
}
