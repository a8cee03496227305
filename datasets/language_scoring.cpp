#include "datasets/language_scoring.hpp"

#include <algorithm>
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

/// One row of logits.
struct Row {
  const float* logits = nullptr;
  std::int64_t size = 0;
  float largest = 0;
  bool finite = false;  // all of them
  bool usable = false;  // a distribution
};

Row look_at(const float* logits, std::int64_t size) {
  Row row{logits, size};
  float largest = -std::numeric_limits<float>::infinity();
  float nothing = 0;  // x - x is a NaN for what is not finite
#pragma omp simd reduction(max : largest) reduction(+ : nothing)
  for (std::int64_t i = 0; i < size; ++i) {
    largest = std::max(largest, logits[i]);
    nothing += logits[i] - logits[i];
  }
  row.largest = largest;
  row.finite = nothing == 0;
  row.usable =
      row.finite || (std::isfinite(largest) &&
                     std::none_of(logits, logits + size, [](float x) { return std::isnan(x); }));
  return row;
}

std::int64_t most_likely(const Row& row) {
  return std::find(row.logits, row.logits + row.size, row.largest) - row.logits;
}

/// Of exp(logit - largest), and of baseline times difference of the logits (both less the largest).
struct Sums {
  double baseline = 0;
  double candidate = 0;
  double weighted = 0;
};

Sums sum_finite(const Row& baseline, const Row& candidate) {
  const float* a = baseline.logits;
  const float* b = candidate.logits;
  const double a_largest = baseline.largest;
  const double b_largest = candidate.largest;
  double a_sum = 0, b_sum = 0, weighted = 0;
#pragma omp simd reduction(+ : a_sum, b_sum, weighted)
  for (std::int64_t i = 0; i < baseline.size; ++i) {
    const double x = static_cast<double>(a[i]) - a_largest;
    const double y = static_cast<double>(b[i]) - b_largest;
    const double p = softmax_exp(x);
    a_sum += p;
    b_sum += softmax_exp(y);
    weighted += p * (x - y);
  }
  return {a_sum, b_sum, weighted};
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
    score.agreeing = most_likely(baseline) == most_likely(candidate);
  } else if (baseline.usable) {
    sums.baseline = sum_of(baseline);
  } else if (candidate.usable) {
    sums.candidate = sum_of(candidate);
  }
  if (baseline.usable) {
    score.baseline_nll = nll(baseline, sums.baseline, target);
    score.baseline_right = most_likely(baseline) == target;
  }
  if (candidate.usable) {
    score.candidate_nll = nll(candidate, sums.candidate, target);
    score.candidate_right = most_likely(candidate) == target;
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
