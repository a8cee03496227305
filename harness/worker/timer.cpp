#include "harness/worker/timer.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "core/statistics.hpp"

namespace qassay {
namespace {

constexpr double kBatchSeconds =
    0.0008;  // long against the clock's resolution, short against a disturbance
constexpr int kMostWarmups = 20;

/// Keeps the figure and prints nothing.
class Capture final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    seconds_ = runs.front().real_accumulated_time / static_cast<double>(runs.front().iterations);
  }
  double seconds() const { return seconds_; }

 private:
  double seconds_ = 0;
};

/// Seconds per call of one batch.
double time_batch(const Work& work, std::int64_t iterations) {
  if (work.on_device) return work.on_device(iterations);
  if (work.before) work.before(iterations);
  benchmark::ClearRegisteredBenchmarks();
  benchmark::RegisterBenchmark("case",
                               [&](benchmark::State& state) {
                                 for (auto _ : state) {
                                   work.call();
                                   benchmark::ClobberMemory();
                                 }
                               })
      ->Iterations(iterations)
      ->UseRealTime();
  Capture capture;
  benchmark::RunSpecifiedBenchmarks(&capture, ".");
  return capture.seconds();
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Pace Timer::find_pace(const Work& work) const {
  const double start = now();
  double previous = time_batch(work, 1);
  if (previous >= timing_.round_seconds) return {};  // a call is a round
  double seconds = previous;
  for (int i = 0; i < kMostWarmups; ++i) {
    const auto iterations =
        static_cast<std::int64_t>(std::clamp(kBatchSeconds / seconds, 1.0, 1e6));
    seconds = time_batch(work, iterations);
    const bool stable = std::fabs(seconds - previous) <= 0.1 * previous;
    previous = seconds;
    if (stable && now() - start >= timing_.warmup_seconds) break;
  }
  Pace pace;
  pace.iterations =
      static_cast<std::int64_t>(std::clamp(std::round(kBatchSeconds / seconds), 1.0, 1e6));
  const double batch = seconds * static_cast<double>(pace.iterations);
  pace.batches = static_cast<std::int64_t>(std::max(1.0, std::ceil(timing_.round_seconds / batch)));
  return pace;
}

RoundTime Timer::time_round(const Work& work, const Pace& pace) const {
  const auto warm_up = [&] {
    if (work.on_device) {
      work.on_device(pace.iterations);
    } else {
      work.call();
    }
  };
  if (pace.iterations * pace.batches > 1) {
    for (const double start = now(); now() - start < timing_.warmup_seconds;) warm_up();
  } else if (!work.before) {
    warm_up();  // other cases have had the caches since the last round; cold ones are to be in none
  }
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < pace.batches; ++i)
    seconds.push_back(time_batch(work, pace.iterations));
  return {quantile(seconds, 0.25), quantile(seconds, 0.5)};
}

}  // namespace qassay
