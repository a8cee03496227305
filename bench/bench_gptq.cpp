// GPTQ of one layer beside the bare OpenBLAS calls that it cannot do without, in turns:
//
//   export OMP_NUM_THREADS=2 OMP_PROC_BIND=true OMP_WAIT_POLICY=active
//   build/release/bench_gptq [ROUNDS [N K M]]          5 rounds of 4096 x 4096, 8,192 rows
//
// The bare calls, in FP32 as GPTQ's published code has them: H = X^T X (syrk), Cholesky, inverse,
// Cholesky of the inverse, and one product for each 128 columns that updates those behind. They
// round nothing and check nothing. Printed are seconds of each part, the ratio of the totals of
// each round with its median, and that of the parts' least seconds, for machines that are not
// quiet.

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include "core/scheme.hpp"
#include "core/seed.hpp"
#include "quantizers/gptq.hpp"
#include "quantizers/hessian.hpp"

extern "C" {
void spotrf_(const char* uplo, const int* n, float* a, const int* lda, int* info);
void spotri_(const char* uplo, const int* n, float* a, const int* lda, int* info);
}

namespace qassay {
namespace {

constexpr int kBlock = 128;

struct Layer {
  int n, k, m;
  std::vector<float> weights, inputs;
};

std::vector<float> normals(std::int64_t size, const char* name, float deviation) {
  std::vector<float> values(static_cast<std::size_t>(size));
  fill_normal(values, seed_from_name(name), deviation);
  return values;
}

class Stopwatch {
 public:
  /// Seconds since it was made or asked last.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Seconds of the parts, which both sides have.
struct Parts {
  double hessian = 0, factors = 0, updates = 0;

  double total() const { return hessian + factors + updates; }
  void keep_least(const Parts& other) {
    hessian = std::min(hessian, other.hessian);
    factors = std::min(factors, other.factors);
    updates = std::min(updates, other.updates);
  }
};

Parts bare_calls(const Layer& layer) {
  const auto [n, k, m] = std::tuple(layer.n, layer.k, layer.m);
  Parts parts;
  Stopwatch watch;
  std::vector<float> h(static_cast<std::size_t>(k) * k);
  cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, k, m, 1.0F, layer.inputs.data(), k, 0.0F,
              h.data(), k);
  parts.hessian = watch.lap();
  for (int i = 0; i < k; ++i) h[static_cast<std::size_t>(i) * k + i] *= 1.01F;
  const char upper = 'U';  // row-major below the diagonal
  int info = 0;
  spotrf_(&upper, &k, h.data(), &k, &info);
  spotri_(&upper, &k, h.data(), &k, &info);
  spotrf_(&upper, &k, h.data(), &k, &info);
  parts.factors = watch.lap();
  std::vector<float> weights = layer.weights, errors(static_cast<std::size_t>(n) * kBlock, 1e-3F);
  for (int end = kBlock; end < k; end += kBlock) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, k - end, kBlock, -1.0F, errors.data(),
                kBlock, h.data() + static_cast<std::ptrdiff_t>(end - kBlock) * k + end, k, 1.0F,
                weights.data() + end, k);
  }
  parts.updates = watch.lap();
  return parts;
}

Parts our_calls(const Layer& layer, const Scheme& scheme) {
  Parts parts;
  Stopwatch watch;
  Hessian hessian(layer.k);
  hessian.add({layer.inputs.data(), layer.m, layer.k});
  parts.hessian = watch.lap();
  const GptqPlan plan = plan_gptq(hessian);
  parts.factors = watch.lap();
  gptq({layer.weights.data(), layer.n, layer.k}, plan, scheme);
  parts.updates = watch.lap();
  return parts;
}

void print(const std::string& name, const Parts& parts) {
  fmt::print("  {:12} hessian {:.3f} s, factors {:.3f} s, updates {:.3f} s, total {:.3f} s\n", name,
             parts.hessian, parts.factors, parts.updates, parts.total());
}

/// One scheme's rounds beside those of the bare calls.
struct Comparison {
  std::string scheme;
  Parts ours, bare;  // the least of all rounds
  std::vector<double> ratios;
};

void compare_once(const Layer& layer, Comparison& all) {
  const Parts ours = our_calls(layer, parse_scheme(all.scheme));
  const Parts bare = bare_calls(layer);
  print(all.scheme, ours);
  print("bare calls", bare);
  if (all.ratios.empty()) {
    all.ours = ours;
    all.bare = bare;
  }
  all.ours.keep_least(ours);
  all.bare.keep_least(bare);
  all.ratios.push_back(ours.total() / bare.total());
}

void compare_calls(const Layer& layer, int rounds) {
  std::vector<Comparison> comparisons{{"W4A16-g128", {}, {}, {}}, {"W4A16", {}, {}, {}}};
  for (int round = 0; round < rounds; ++round) {
    fmt::print("round {}\n", round + 1);
    for (Comparison& comparison : comparisons) compare_once(layer, comparison);
  }
  for (Comparison& comparison : comparisons) {
    std::vector<double>& ratios = comparison.ratios;
    std::sort(ratios.begin(), ratios.end());
    fmt::print("{}: {:.2f} times the bare calls (median; {:.2f} to {:.2f}); at their best {:.2f}\n",
               comparison.scheme, ratios[ratios.size() / 2], ratios.front(), ratios.back(),
               comparison.ours.total() / comparison.bare.total());
    print("least, ours", comparison.ours);
    print("least, bare", comparison.bare);
  }
}

}  // namespace
}  // namespace qassay

int main(int argc, char** argv) {
  const auto number = [&](int i, int otherwise) {
    return argc > i ? std::atoi(argv[i]) : otherwise;
  };
  const int rounds = number(1, 5), n = number(2, 4096), k = number(3, 4096), m = number(4, 8192);
  if (rounds < 1 || n < 1 || k < 1 || m < 1 || (argc != 1 && argc != 2 && argc != 5)) {
    fmt::print(stderr, "usage: bench_gptq [ROUNDS [N K M]]\n");
    return 2;
  }
  const auto rows = [k](int count) { return static_cast<std::int64_t>(count) * k; };
  qassay::compare_calls(
      {n, k, m, qassay::normals(rows(n), "weights", 1 / std::sqrt(static_cast<float>(k))),
       qassay::normals(rows(m), "activations", 1.0F)},
      rounds);
  return 0;
}
