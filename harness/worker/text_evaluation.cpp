#include "harness/worker/text_evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace qassay {
namespace {

std::string key_of(const CaseRow& row) { return row.key + "\n" + row.arm; }

/// In percent of the baseline's accuracy.
Interval relative_loss(const Interval& points, double baseline) {
  const double factor = 100 / baseline;
  return {points.value * factor, points.low * factor, points.high * factor, points.count};
}

}  // namespace

TextEvaluation::TextEvaluation(const Model& model, std::string baseline, const EvaluationText& text,
                               const KernelChoice& kernels, const Device& device)
    : baseline_(model, kernels, text.protocol.context, device),
      baseline_name_(std::move(baseline)),
      text_(text),
      outputs_(infer_extents(model.graph).back().channels),
      wanted_logits_(static_cast<std::size_t>(text.protocol.context * outputs_)),
      logits_(wanted_logits_.size()) {}

void TextEvaluation::run(Executor& executor, std::vector<float>& logits) const {
  const auto length = static_cast<std::int64_t>(ids_.size());
  executor.run({ids_.data(), 1, length}, {logits.data(), 1, length * outputs_});
}

ConstMatrix TextEvaluation::scored(const std::vector<float>& logits) const {
  return {logits.data() + first_ * outputs_, static_cast<std::int64_t>(next_.size()), outputs_};
}

void TextEvaluation::open(const TextWindow& window) {
  const std::vector<std::int32_t> ids = text_.ids(window);
  ids_.assign(ids.begin(), ids.end());
  next_ = std::span(text_.tokens)
              .subspan(static_cast<std::size_t>(window.begin + window.scored_from),
                       static_cast<std::size_t>(window.scored()));
  first_ = window.scored_from - (window.bos ? 0 : 1);
  run(baseline_.executor(), wanted_logits_);
}

void TextEvaluation::score(ModelArm& arm) {
  run(arm.executor(), logits_);
  score_window(scored(wanted_logits_), scored(logits_), next_, scores_[key_of(arm.row())]);
}

void TextEvaluation::finish(const ModelArm& arm, LegRow& leg) const {
  const CaseRow& row = arm.row();
  const LanguageScores& scores = scores_.at(key_of(row));
  const std::int64_t bytes = std::reduce(text_.bytes.begin(), text_.bytes.end());
  const LanguageSummary summary = summarize(scores, std::max<std::int64_t>(bytes, 1));
  const auto add = [&](const char* name, const Interval& value, const char* unit,
                       const char* direction, const std::string& baseline) {
    if (!std::isfinite(value.low) || !std::isfinite(value.high)) return;
    leg.metrics.push_back({row.key, row.arm, name, value.value, value.low, value.high, value.count,
                           unit, direction, baseline});
  };
  const auto add_exact = [&](const char* name, double value, const char* unit,
                             const char* direction, const std::string& baseline) {
    add(name, {value, value, value, summary.tokens}, unit, direction, baseline);
  };
  add_exact("perplexity", summary.candidate.perplexity, "ratio", "lower", "");
  if (bytes > 0) add_exact("bits_per_byte", summary.candidate.bits_per_byte, "bits", "lower", "");
  add_exact("next_token_accuracy", summary.candidate.next_token_accuracy, "fraction", "higher", "");
  add_exact("kl_median", summary.kl_median, "nats", "lower", baseline_name_);
  add_exact("kl_p999", summary.kl_p999, "nats", "lower", baseline_name_);
  add_exact("top1_agreement", summary.top1_agreement, "fraction", "higher", baseline_name_);
  std::int64_t lost = 0;
  std::int64_t won = 0;
  for (const WindowScore& window : scores.windows) {
    lost += window.outcomes.lost;
    won += window.outcomes.won;
  }
  add_exact("flips_lost", static_cast<double>(lost), "tokens", "lower", baseline_name_);
  add_exact("flips_won", static_cast<double>(won), "tokens", "none", baseline_name_);
  if (summary.kl) add("kl_mean", *summary.kl, "nats", "lower", baseline_name_);
  if (const auto& ratio = summary.log_perplexity_ratio) {
    add("perplexity_ratio",
        {std::exp(ratio->value), std::exp(ratio->low), std::exp(ratio->high), ratio->count},
        "ratio", "lower", baseline_name_);
  }
  if (row.scheme != "FP32" && summary.accuracy_loss && summary.baseline.next_token_accuracy > 0) {
    add("loss", relative_loss(*summary.accuracy_loss, summary.baseline.next_token_accuracy),
        "percent", "lower", baseline_name_);
  }
}

}  // namespace qassay
