// GPTQ of all layers of a language model, from drawn ids of tokens:
//
//   export OMP_NUM_THREADS=2 OMP_PROC_BIND=true OMP_WAIT_POLICY=active
//   build/release/bench_gptq_model [MODEL [SCHEME [WINDOWS [CONTEXT]]]]
//
// shape:llama-160m in W4A16-g128 from 128 windows of 256 tokens, 32,768 rows a layer, if not said.
// What the ids say does not matter to the time. Printed are the seconds of each layer, with the
// model's run up to it, and those of all.

#include <fmt/format.h>
#include <omp.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "core/scheme.hpp"
#include "core/seed.hpp"
#include "models/catalogue.hpp"
#include "quantizers/quantize_model.hpp"

namespace qassay {
namespace {

CalibrationInputs drawn_windows(const Model& model, std::int64_t windows, std::int64_t context) {
  Random random(seed_from_name("tokens"));
  const auto vocabulary = static_cast<std::uint64_t>(vocabulary_of(model.graph));
  CalibrationInputs inputs{.values = {}, .samples = windows, .features = context};
  for (std::int64_t i = 0; i < windows * context; ++i)
    inputs.values.push_back(static_cast<float>(random.below(vocabulary)));
  return inputs;
}

void quantize_all(const std::string& name, const Scheme& scheme, std::int64_t windows,
                  std::int64_t context) {
  const int threads = omp_get_max_threads();
  Model model = load_model(name, threads, context);
  const CalibrationInputs inputs = drawn_windows(model, windows, context);
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  const auto start = std::chrono::steady_clock::now();
  double before = 0;
  quantize_model(
      std::move(model), parse_method("gptq"), scheme, &inputs, threads,
      [&](std::size_t done, std::size_t steps) {
        const double now =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const LayerShape& shape = shapes[done - 1];
        fmt::print("{:3} of {}  {:24} [{}, {}]  {:.2f} s\n", done, steps, shape.name, shape.n,
                   shape.k, now - before);
        before = now;
      });
  fmt::print("{} in {}: {:.1f} s in all, {} threads\n", name, to_string(scheme), before, threads);
}

}  // namespace
}  // namespace qassay

int main(int argc, char** argv) {
  const auto text = [&](int i, const char* otherwise) { return argc > i ? argv[i] : otherwise; };
  try {
    qassay::quantize_all(text(1, "shape:llama-160m"), qassay::parse_scheme(text(2, "W4A16-g128")),
                         std::atoi(text(3, "128")), std::atoi(text(4, "256")));
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_gptq_model: {}\n", error.what());
    return 2;
  }
}
