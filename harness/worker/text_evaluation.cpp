#include "harness/worker/text_evaluation.hpp"

#include <algorithm>
#include <cmath>

#include "datasets/dictionary.hpp"
#include "datasets/tokenizers/tokenizer.hpp"

namespace qassay {
namespace {

std::string key_of(const CaseRow& row) { return row.key + "\n" + row.arm; }

/// In percent of the baseline's accuracy.
Interval relative_loss(const Interval& points, double baseline) {
  const double factor = 100 / baseline;
  return {points.value * factor, points.low * factor, points.high * factor, points.count};
}

}  // namespace

std::vector<std::int32_t> test_tokens(const Model& model, std::int64_t m, std::int64_t most) {
  std::string text = std::move(find_dictionary(model.dataset).test.text);
  if (most > 0) text.resize(std::min(text.size(), static_cast<std::size_t>(most * m)));
  return byte_tokenizer()->encode(text);
}

TextEvaluation::TextEvaluation(const Model& model, const KernelChoice& kernels,
                               const Device& device, const Job& job)
    : baseline_(model, kernels, job.group.regime.m, device),
      tokens_(test_tokens(model, job.group.regime.m, job.samples)),
      protocol_{.context = job.group.regime.m,
                .stride = job.group.regime.m,
                .tokens_hash = hash_tokens(tokens_)},
      windows_(qassay::windows(static_cast<std::int64_t>(tokens_.size()), protocol_)),
      vocabulary_(infer_extents(model.graph).back().channels),
      ids_(static_cast<std::size_t>(protocol_.context)),
      wanted_logits_(ids_.size() * static_cast<std::size_t>(vocabulary_)),
      logits_(wanted_logits_.size()) {}

void TextEvaluation::run(Executor& executor, std::vector<float>& logits) const {
  const auto length = static_cast<std::int64_t>(ids_.size());
  executor.run({ids_.data(), 1, length}, {logits.data(), 1, length * vocabulary_});
}

void TextEvaluation::open(std::int64_t window) {
  const auto begin = tokens_.begin() + windows_[static_cast<std::size_t>(window)].begin;
  std::copy(begin, begin + protocol_.context, ids_.begin());
  next_.assign(begin + 1, begin + protocol_.context);
  run(baseline_.executor(), wanted_logits_);
}

void TextEvaluation::score(ModelArm& arm) {
  run(arm.executor(), logits_);
  const auto scored = static_cast<std::int64_t>(next_.size());
  score_window({wanted_logits_.data(), scored, vocabulary_}, {logits_.data(), scored, vocabulary_},
               next_, scores_[key_of(arm.row())]);
}

void TextEvaluation::finish(const ModelArm& arm, LegRow& leg) const {
  const CaseRow& row = arm.row();
  const LanguageScores& scores = scores_.at(key_of(row));
  std::int64_t bytes = 0;  // a byte a token
  for (const WindowScore& window : scores.windows) bytes += window.tokens;
  const LanguageSummary summary = summarize(scores, bytes);
  const auto add = [&](const char* name, const Interval& value, const char* unit,
                       const char* direction, const char* baseline) {
    if (!std::isfinite(value.low) || !std::isfinite(value.high)) return;
    leg.metrics.push_back({row.key, row.arm, name, value.value, value.low, value.high, value.count,
                           unit, direction, baseline});
  };
  const auto add_exact = [&](const char* name, double value, const char* unit,
                             const char* direction, const char* baseline) {
    add(name, {value, value, value, summary.tokens}, unit, direction, baseline);
  };
  add_exact("perplexity", summary.candidate.perplexity, "ratio", "lower", "");
  add_exact("bits_per_byte", summary.candidate.bits_per_byte, "bits", "lower", "");
  add_exact("next_token_accuracy", summary.candidate.next_token_accuracy, "fraction", "higher", "");
  add_exact("kl_median", summary.kl_median, "nats", "lower", "fp32");
  add_exact("kl_p999", summary.kl_p999, "nats", "lower", "fp32");
  add_exact("top1_agreement", summary.top1_agreement, "fraction", "higher", "fp32");
  if (summary.kl) add("kl_mean", *summary.kl, "nats", "lower", "fp32");
  if (const auto& ratio = summary.log_perplexity_ratio) {
    add("perplexity_ratio",
        {std::exp(ratio->value), std::exp(ratio->low), std::exp(ratio->high), ratio->count},
        "ratio", "lower", "fp32");
  }
  if (row.scheme != "FP32" && summary.accuracy_loss && summary.baseline.next_token_accuracy > 0) {
    add("loss", relative_loss(*summary.accuracy_loss, summary.baseline.next_token_accuracy),
        "percent", "lower", "fp32");
  }
}

}  // namespace qassay
