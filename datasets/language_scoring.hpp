#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/matrix_view.hpp"
#include "core/statistics.hpp"

namespace qassay {

/// Sums over the scored tokens of one window of text.
struct WindowScore {
  std::int64_t tokens = 0;
  std::int64_t unusable = 0;  // tokens with logits that are no distribution, of either model
  double baseline_nll = 0;    // nats; NaN where the baseline has an unusable token
  double candidate_nll = 0;   // nats; NaN where the candidate has one
  double kl = 0;              // nats; NaN where either has one
  std::int64_t agreeing = 0;  // the same most likely token
  PairedCounts outcomes;      // whether the most likely token is the target
};

/// What a candidate's logits say beside a baseline's on the same text.
struct LanguageScores {
  std::vector<WindowScore> windows;
  std::vector<float> kl;  // of each token in nats, in order; NaN for an unusable one
};

/// Adds one window. Row t of both logits[tokens, vocabulary] predicts targets[t].
///
/// The negative log-likelihood of the target is lse - logit, and KL(baseline || candidate) is
/// sum p (log p - log q), both from the softmax of a row in double, whatever is added to its
/// logits. The most likely token is the largest logit, the lowest index of equals.
///
/// Logits that hold a NaN or +infinity, or only -infinity, are no distribution: their token is
/// unusable, is never right and agrees with nothing. -infinity alone is a probability of 0: a
/// target or a possible token of the baseline's that the candidate excludes costs infinity.
///
/// The result does not depend on the number of threads. Throws std::invalid_argument where the
/// three differ in size, are empty, or a target is outside the vocabulary.
void score_window(ConstMatrix baseline, ConstMatrix candidate,
                  std::span<const std::int32_t> targets, LanguageScores& scores);

/// Of one model. NaN where a token is unusable, but for the accuracy, which counts it as wrong.
struct LanguageFigures {
  double perplexity = 0;           // exp of the mean negative log-likelihood
  double bits_per_byte = 0;        // of the text that the scored tokens stand for
  double next_token_accuracy = 0;  // fraction
};

struct LanguageSummary {
  std::int64_t tokens = 0;
  std::int64_t unusable = 0;
  LanguageFigures baseline, candidate;
  double kl_mean = 0;  // nats; these three are NaN where a token is unusable
  double kl_median = 0;
  double kl_p999 = 0;         // the 99.9 % quantile over the tokens
  double top1_agreement = 0;  // fraction

  /// Paired by window, positive when the candidate is worse: ln of its perplexity over the
  /// baseline's, the mean KL, and the baseline's accuracy minus the candidate's. The windows are
  /// the sample, for tokens of one window depend on each other; `count` is their number. No value
  /// for fewer than two windows or where a sum is not finite.
  std::optional<Interval> log_perplexity_ratio;
  std::optional<Interval> kl;
  std::optional<Interval> accuracy_loss;
};

/// `bytes`: of the text that the scored tokens stand for. Throws std::invalid_argument for no
/// windows or no bytes.
LanguageSummary summarize(const LanguageScores& scores, std::int64_t bytes);

}  // namespace qassay
