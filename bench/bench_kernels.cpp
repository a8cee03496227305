// Times every row of the kernel table with Google Benchmark, for people who tune kernels:
//
//   export OMP_NUM_THREADS=2 OMP_PROC_BIND=true OMP_WAIT_POLICY=active
//   build/release/bench_kernels --benchmark_filter='a8r_s4.*/4096x4096/m:(1|128)/'
//
// A case is kernel/scheme/n x k/m/threads (one, and all), with hot weights. Speedups are not read
// off two of these cases, which run minutes apart, but with --benchmark_enable_random_interleaving
// and repetitions: scaling with threads can be seen so. `qassay run` interleaves what it compares.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <omp.h>

#include <cmath>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/buffer.hpp"
#include "core/seed.hpp"
#include "hardware_profiles/machine_reader.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

constexpr const char* kSchemes[] = {
    "FP32",          "FP16",           "BF16",           "W8A8",           "W8A8-asym", "W8A8-g32",
    "W8A8-g128",     "W4A8",           "W4A8-asym",      "W4A8-g32",       "W4A8-g64",  "W4A8-g128",
    "W4A8-g32-asym", "W4A8-g128-asym", "W8A16",          "W8A16-g32",      "W4A16",     "W4A16-g32",
    "W4A16-g64",     "W4A16-g128",     "W4A16-g32-asym", "W4A16-g128-asym"};

struct Shape {
  std::int64_t n, k;
};
constexpr Shape kShapes[] = {{768, 768},   {3072, 768},   {1024, 1024},
                             {4096, 4096}, {11008, 4096}, {4096, 11008}};
constexpr std::int64_t kRows[] = {1, 4, 16, 64, 128, 256};

std::vector<float> normals(std::int64_t count, const char* seed, double deviation) {
  std::vector<float> values(static_cast<std::size_t>(count));
  fill_normal(values, seed_from_name(seed), static_cast<float>(deviation));
  return values;
}

/// The weights of the case before, which are often those of the next.
const QuantMatrix& weights_of(const Shape& shape, const char* scheme) {
  static std::string last;
  static QuantMatrix weights;
  const std::string name = fmt::format("{}x{} {}", shape.n, shape.k, scheme);
  if (name == last) return weights;
  const std::vector<float> values =
      normals(shape.n * shape.k, "weights", 1 / std::sqrt(static_cast<double>(shape.k)));
  weights = round_to_nearest({values.data(), shape.n, shape.k}, parse_scheme(scheme));
  last = name;
  return weights;
}

void time_kernel(benchmark::State& state, const Kernel& kernel, const Problem& problem,
                 const char* scheme, int threads) {
  const std::int64_t m = problem.m_max;
  const auto prepared =
      kernel.prepare(problem, weights_of({problem.n, problem.k}, scheme), {}, {threads});
  const std::vector<float> x = normals(m * problem.k, "activations", 1);
  const Buffer y(static_cast<std::size_t>(m * problem.n) * sizeof(float));
  const Buffer workspace(prepared->workspace_bytes());
  for (auto _ : state) {
    prepared->run({x.data(), m, problem.k}, {workspace.data(), workspace.size()},
                  {y.as<float>(), m, problem.n});
    benchmark::ClobberMemory();
  }
  const Traffic traffic = prepared->traffic(m);
  state.counters["op/s"] =
      benchmark::Counter(traffic.operations, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["weight_B/s"] =
      benchmark::Counter(traffic.weight_bytes, benchmark::Counter::kIsIterationInvariantRate);
}

void register_cases(const KernelChoice& kernels) {
  for (const Shape& shape : kShapes) {
    for (const char* scheme : kSchemes) {
      for (const Kernel* kernel : kernels.kernels()) {
        if (kernel->info().backend == "reference" || kernels.missing_isa(*kernel)) continue;
        for (const std::int64_t m : kRows) {
          const Problem problem{
              .m_max = m, .n = shape.n, .k = shape.k, .scheme = parse_scheme(scheme)};
          if (kernel->accepts(problem)) continue;
          for (const int threads : std::set{1, omp_get_max_threads()}) {
            const std::string name = fmt::format("{}/{}/{}x{}/m:{}/t:{}", kernel->info().name,
                                                 scheme, shape.n, shape.k, m, threads);
            benchmark::RegisterBenchmark(
                name.c_str(),
                [kernel, problem, scheme, threads](benchmark::State& state) {
                  time_kernel(state, *kernel, problem, scheme, threads);
                })
                ->UseRealTime()
                ->Unit(benchmark::kMicrosecond);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace qassay

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const qassay::KernelChoice kernels({qassay::default_kernel_library()}, qassay::read_machine(),
                                     std::nullopt);
  qassay::register_cases(kernels);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
