#include "datasets/disjoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace qassay {
namespace {

using Tokens = std::span<const std::int32_t>;

constexpr auto kRun = static_cast<std::size_t>(kOverlapTokens);
/// Any odd number serves; this is 2^64 over the golden ratio (Knuth, volume 3, section 6.4).
constexpr std::uint64_t kBase = 0x9E3779B97F4A7C15U;

/// Hashes of all runs of kRun tokens, in order: polynomials in kBase modulo 2^64 (Karp and Rabin
/// 1987), each from the one before it. `use(position, hash)` says whether to go on.
template <typename Use>
void for_each_run(Tokens tokens, Use use) {
  std::uint64_t highest = 1;  // kBase^(kRun - 1)
  for (std::size_t i = 1; i < kRun; ++i) highest *= kBase;
  // An offset, so that runs of zeros of any length differ, and a stir, so that near ids do not stay
  // near: low bits of a product depend on low bits alone.
  const auto value = [](std::int32_t token) {
    const std::uint64_t stirred = (static_cast<std::uint32_t>(token) + std::uint64_t{1}) * kBase;
    return stirred ^ (stirred >> 32);
  };
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i >= kRun) hash -= value(tokens[i - kRun]) * highest;
    hash = hash * kBase + value(tokens[i]);
    if (i + 1 >= kRun && !use(i + 1 - kRun, hash)) return;
  }
}

/// Positions in both at which the same run begins.
std::optional<std::pair<std::size_t, std::size_t>> shared_run(Tokens shorter, Tokens longer) {
  std::vector<std::pair<std::uint64_t, std::size_t>> runs;  // hash, position
  for_each_run(shorter, [&](std::size_t position, std::uint64_t hash) {
    runs.emplace_back(hash, position);
    return true;
  });
  std::ranges::sort(runs);
  std::optional<std::pair<std::size_t, std::size_t>> found;
  for_each_run(longer, [&](std::size_t position, std::uint64_t hash) {
    // Equal runs have equal hashes; of those with this hash only other runs can fail to be equal.
    auto at = std::ranges::lower_bound(runs, std::pair(hash, std::size_t{0}));
    for (; at != runs.end() && at->first == hash && !found; ++at) {
      if (std::ranges::equal(shorter.subspan(at->second, kRun), longer.subspan(position, kRun))) {
        found.emplace(at->second, position);
      }
    }
    return !found;
  });
  return found;
}

[[noreturn]] void refuse_overlap(std::string_view how) {
  throw InputError("evaluation text", how, "calibrate on another text");
}

}  // namespace

void check_disjoint(std::span<const std::int32_t> calibration,
                    std::span<const std::int32_t> evaluation) {
  if (std::ranges::equal(calibration, evaluation)) refuse_overlap("is the calibration text");
  const bool swapped = calibration.size() > evaluation.size();
  auto found = swapped ? shared_run(evaluation, calibration) : shared_run(calibration, evaluation);
  if (!found) return;
  if (swapped) std::swap(found->first, found->second);
  refuse_overlap(
      fmt::format("shares {} tokens in a row with the calibration text (from token {} "
                  "there, {} here)",
                  kOverlapTokens, found->first, found->second));
}

}  // namespace qassay
