#include "datasets/language_scoring.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "datasets/softmax_exp.hpp"

namespace qassay {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Fewer logits cost less than to start and join threads.
constexpr std::int64_t kLogitsWorthThreads = 1 << 14;

/// Logits that are worked on at once.
constexpr std::int64_t kBlock = 64;

/// Loops that are compiled for wider vectors too, of which the machine's are taken when the program
/// starts. Another width adds in another order.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define QASSAY_WIDE_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define QASSAY_WIDE_VECTORS
#endif

/// One row of logits.
struct Row {
  const float* logits = nullptr;
  std::int64_t size = 0;
  float largest = 0;
  std::int64_t most_likely = 0;  // the lowest index of the largest
  bool finite = false;           // all of them
  bool usable = false;           // a distribution
};

QASSAY_WIDE_VECTORS Row look_at(const float* logits, std::int64_t size) {
  Row row{logits, size};
  row.largest = -std::numeric_limits<float>::infinity();
  std::int64_t best = 0;  // the first block with the largest
  float nothing = 0;      // x - x is a NaN for what is not finite
  for (std::int64_t first = 0; first < size; first += kBlock) {
    const std::int64_t end = std::min(first + kBlock, size);
    float largest = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : largest) reduction(+ : nothing)
    for (std::int64_t i = first; i < end; ++i) {
      largest = std::max(largest, logits[i]);
      nothing += logits[i] - logits[i];
    }
    if (largest > row.largest) {
      row.largest = largest;
      best = first;
    }
  }
  row.finite = nothing == 0;
  row.usable =
      row.finite || (std::isfinite(row.largest) &&
                     std::none_of(logits, logits + size, [](float x) { return std::isnan(x); }));
  if (row.usable) row.most_likely = std::find(logits + best, logits + size, row.largest) - logits;
  return row;
}

/// Of exp(logit - largest), and of baseline times difference of the logits (both less the largest).
struct Sums {
  double baseline = 0;
  double candidate = 0;
  double weighted = 0;
};

QASSAY_WIDE_VECTORS Sums sum_finite(const Row& baseline, const Row& candidate) {
  std::array<double, kBlock> x, y, difference;
  const double x_largest = baseline.largest;
  const double y_largest = candidate.largest;
  double x_sum = 0, y_sum = 0, weighted = 0;
  for (std::int64_t first = 0; first < baseline.size; first += kBlock) {
    const auto size = static_cast<std::size_t>(std::min(kBlock, baseline.size - first));
    const float* x_logits = baseline.logits + first;
    const float* y_logits = candidate.logits + first;
    for (std::size_t i = 0; i < size; ++i) {
      x[i] = x_logits[i] - x_largest;
      y[i] = y_logits[i] - y_largest;
      difference[i] = x[i] - y[i];
      x[i] = std::max(x[i], kLowestSoftmaxExp);
      y[i] = std::max(y[i], kLowestSoftmaxExp);
    }
#pragma omp simd reduction(+ : x_sum, y_sum, weighted)
    for (std::size_t i = 0; i < size; ++i) {
      const double p = softmax_exp(x[i]);
      x_sum += p;
      y_sum += softmax_exp(y[i]);
      weighted += p * difference[i];
    }
  }
  return {x_sum, y_sum, weighted};
}

/// The same where some are -infinity, of usable rows.
Sums sum_with_zeros(const Row& baseline, const Row& candidate) {
  Sums sums;
  for (std::int64_t i = 0; i < baseline.size; ++i) {
    const double x = static_cast<double>(baseline.logits[i]) - baseline.largest;
    const double y = static_cast<double>(candidate.logits[i]) - candidate.largest;
    sums.candidate += std::exp(y);
    if (std::isinf(x)) continue;  // probability 0
    sums.baseline += std::exp(x);
    // Not by the product, for exp(x) may be 0 where the probability is not.
    sums.weighted += std::isinf(y) ? -y : std::exp(x) * (x - y);
  }
  return sums;
}

/// Of one usable row: the sum alone.
double sum_of(const Row& row) {
  double sum = 0;
  for (std::int64_t i = 0; i < row.size; ++i) {
    sum += std::exp(static_cast<double>(row.logits[i]) - row.largest);
  }
  return sum;
}

struct TokenScore {
  double baseline_nll = kNaN;
  double candidate_nll = kNaN;
  double kl = kNaN;
  bool agreeing = false;
  bool baseline_right = false;
  bool candidate_right = false;
};

double nll(const Row& row, double sum, std::int32_t target) {
  return std::log(sum) + (static_cast<double>(row.largest) - row.logits[target]);
}

TokenScore score_token(const Row& baseline, const Row& candidate, std::int32_t target) {
  TokenScore score;
  Sums sums;
  if (baseline.usable && candidate.usable) {
    sums = baseline.finite && candidate.finite ? sum_finite(baseline, candidate)
                                               : sum_with_zeros(baseline, candidate);
    score.kl = sums.weighted / sums.baseline - std::log(sums.baseline) + std::log(sums.candidate);
    score.agreeing = baseline.most_likely == candidate.most_likely;
  } else if (baseline.usable) {
    sums.baseline = sum_of(baseline);
  } else if (candidate.usable) {
    sums.candidate = sum_of(candidate);
  }
  if (baseline.usable) {
    score.baseline_nll = nll(baseline, sums.baseline, target);
    score.baseline_right = baseline.most_likely == target;
  }
  if (candidate.usable) {
    score.candidate_nll = nll(candidate, sums.candidate, target);
    score.candidate_right = candidate.most_likely == target;
  }
  return score;
}

void check(ConstMatrix baseline, ConstMatrix candidate, std::span<const std::int32_t> targets) {
  const auto tokens = static_cast<std::int64_t>(targets.size());
  if (tokens == 0 || baseline.rows != tokens || candidate.rows != tokens || baseline.cols < 1 ||
      candidate.cols != baseline.cols) {
    throw std::invalid_argument("logits and targets must be of one size, and not empty");
  }
  for (const std::int32_t target : targets) {
    if (target < 0 || target >= baseline.cols) {
      throw std::invalid_argument("a target is outside the vocabulary");
    }
  }
}

/// The ratio of two sums over windows, sum(amounts) / sum(tokens), with the Student interval of its
/// linearization (Cochran 1977, Sampling Techniques, section 6.4): windows may differ in length.
std::optional<Interval> ratio_over_windows(const std::vector<WindowScore>& windows,
                                           double (*amount)(const WindowScore&)) {
  double amounts = 0, tokens = 0;
  for (const WindowScore& window : windows) {
    amounts += amount(window);
    tokens += static_cast<double>(window.tokens);
  }
  const double ratio = amounts / tokens;
  if (!std::isfinite(ratio)) return std::nullopt;
  const double mean_tokens = tokens / static_cast<double>(windows.size());
  std::vector<double> values;
  for (const WindowScore& window : windows) {
    values.push_back(ratio +
                     (amount(window) - ratio * static_cast<double>(window.tokens)) / mean_tokens);
  }
  return mean_interval(values);
}

#undef QASSAY_WIDE_VECTORS

}  // namespace

void score_window(ConstMatrix baseline, ConstMatrix candidate,
                  std::span<const std::int32_t> targets, LanguageScores& scores) {
  check(baseline, candidate, targets);
  std::vector<TokenScore> tokens(targets.size());
#pragma omp parallel for schedule(static) if (baseline.rows * baseline.cols >= kLogitsWorthThreads)
  for (std::int64_t t = 0; t < baseline.rows; ++t) {
    tokens[static_cast<std::size_t>(t)] = score_token(look_at(baseline.row(t), baseline.cols),
                                                      look_at(candidate.row(t), candidate.cols),
                                                      targets[static_cast<std::size_t>(t)]);
  }
  WindowScore window;
  window.tokens = baseline.rows;
  for (const TokenScore& token : tokens) {
    window.unusable += std::isnan(token.kl) ? 1 : 0;
    window.baseline_nll += token.baseline_nll;
    window.candidate_nll += token.candidate_nll;
    window.kl += token.kl;
    window.agreeing += token.agreeing ? 1 : 0;
    PairedCounts& counts = window.outcomes;
    ++(token.baseline_right ? (token.candidate_right ? counts.both_right : counts.lost)
                            : (token.candidate_right ? counts.won : counts.both_wrong));
    scores.kl.push_back(static_cast<float>(token.kl));
  }
  scores.windows.push_back(window);
}

LanguageSummary summarize(const LanguageScores& scores, std::int64_t bytes) {
  if (scores.windows.empty() || bytes < 1) {
    throw std::invalid_argument("summarize: no windows or no bytes");
  }
  LanguageSummary summary;
  WindowScore total;
  for (const WindowScore& window : scores.windows) {
    summary.tokens += window.tokens;
    summary.unusable += window.unusable;
    total.baseline_nll += window.baseline_nll;
    total.candidate_nll += window.candidate_nll;
    total.kl += window.kl;
    total.agreeing += window.agreeing;
    total.outcomes.both_right += window.outcomes.both_right;
    total.outcomes.lost += window.outcomes.lost;
    total.outcomes.won += window.outcomes.won;
  }
  const auto tokens = static_cast<double>(summary.tokens);
  const auto figures = [&](double nats, std::int64_t right) {
    return LanguageFigures{std::exp(nats / tokens),
                           nats / std::numbers::ln2 / static_cast<double>(bytes),
                           static_cast<double>(right) / tokens};
  };
  const PairedCounts& outcomes = total.outcomes;
  summary.baseline = figures(total.baseline_nll, outcomes.both_right + outcomes.lost);
  summary.candidate = figures(total.candidate_nll, outcomes.both_right + outcomes.won);
  summary.kl_mean = total.kl / tokens;
  summary.top1_agreement = static_cast<double>(total.agreeing) / tokens;
  summary.kl_median = summary.kl_p999 = kNaN;
  if (summary.unusable == 0) {
    const std::vector<double> kl(scores.kl.begin(), scores.kl.end());
    summary.kl_median = median(kl);
    summary.kl_p999 = quantile(kl, 0.999);
  }
  const auto interval = [&](double (*amount)(const WindowScore&)) {
    return ratio_over_windows(scores.windows, amount);
  };
  summary.log_perplexity_ratio =
      interval([](const WindowScore& w) { return w.candidate_nll - w.baseline_nll; });
  summary.kl = interval([](const WindowScore& w) { return w.kl; });
  summary.accuracy_loss = interval(
      [](const WindowScore& w) { return static_cast<double>(w.outcomes.lost - w.outcomes.won); });
  return summary;
}

}  // namespace qassay
