#include "harness/worker/leg_ceilings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/statistics.hpp"
#include "hardware_profiles/eviction.hpp"

namespace qassay {
namespace {

constexpr double kMostOverCeiling = 1.15;
constexpr std::int64_t kPage = 4096;
constexpr std::size_t kHotBytes = std::size_t{1} << 20;  // its read rate is not used
Buffer written_buffer(std::size_t bytes) {
  Buffer buffer(bytes);
  const auto pages = static_cast<std::int64_t>(bytes / kPage);
#pragma omp parallel for schedule(static)
  for (std::int64_t page = 0; page < pages; ++page)
    std::memset(buffer.data() + page * kPage, 1, kPage);
  return buffer;
}

/// With what is moved or computed in a call as its rate.
Reach per_call(const Traffic& traffic, Cache cache, const Ceilings& ceilings) {
  if (cache == Cache::cold)
    return {traffic.weight_bytes, ceilings.read_bytes_per_second, "bytes", "read-rate"};
  switch (traffic.unit) {
    case Traffic::Unit::f32:
      return {traffic.operations, ceilings.f32_flops, "operations", "f32-peak"};
    case Traffic::Unit::bf16:
      return {traffic.operations, ceilings.bf16_flops, "operations", "bf16-peak"};
    case Traffic::Unit::int16:  // two int8 products for one
      return {traffic.operations, ceilings.int8_ops / 2, "operations", "int16-peak"};
    case Traffic::Unit::int8:
      return {traffic.operations, ceilings.int8_ops, "operations", "int8-peak"};
  }
  return {};
}

}  // namespace

std::optional<std::string> Reach::excess() const {
  if (fraction() <= kMostOverCeiling) return std::nullopt;
  return fmt::format("{:.1f} billion {} a second, where the machine was seen to reach {:.1f}",
                     rate * 1e-9, what, ceiling * 1e-9);
}

std::optional<Reach> reach_of(const Traffic& traffic, const std::vector<RoundRow>& rounds,
                              Cache cache, const Ceilings& ceilings) {
  std::vector<double> logs;
  for (const RoundRow& round : rounds) logs.push_back(std::log(round.seconds));
  Reach reach = per_call(traffic, cache, ceilings);
  if (logs.empty() || reach.ceiling <= 0) return std::nullopt;
  reach.rate /= std::exp(median(logs));
  return reach;
}

LegCeilings::LegCeilings(int threads, Cache cache)
    : cache_(cache),
      threads_(threads),
      memory_(written_buffer(cache == Cache::hot ? kHotBytes : cold_working_set(threads))),
      probe_({memory_.data(), memory_.size()}, threads) {}

void LegCeilings::sample() {
  Ceilings sample;
  if (cache_ == Cache::cold) {
    evict({memory_.data(), memory_.size()}, threads_);
    sample.read_bytes_per_second = probe_.read_bytes_per_second();
  } else {
    sample.f32_flops = probe_.f32_flops();
    sample.bf16_flops = probe_.bf16_flops();
    sample.int8_ops = probe_.int8_ops();
  }
  samples_.push_back(sample);
}

Ceilings LegCeilings::best() const {
  Ceilings best;
  for (const Ceilings& sample : samples_) {
    best.read_bytes_per_second = std::max(best.read_bytes_per_second, sample.read_bytes_per_second);
    best.f32_flops = std::max(best.f32_flops, sample.f32_flops);
    best.int8_ops = std::max(best.int8_ops, sample.int8_ops);
    best.bf16_flops = std::max(best.bf16_flops, sample.bf16_flops);
  }
  return best;
}

}  // namespace qassay
