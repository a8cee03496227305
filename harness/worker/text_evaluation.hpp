#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "datasets/language_scoring.hpp"
#include "harness/worker/arm.hpp"
#include "harness/worker/float_run.hpp"
#include "models/evaluation_text.hpp"

namespace qassay {

/// Scores language models on the windows of a text: each candidate beside one FP32 run on the same
/// tokens, through the packed weights that are timed.
class TextEvaluation {
 public:
  /// `text` must outlive this. `baseline`: what the figures call the model.
  TextEvaluation(const Model& model, std::string baseline, const EvaluationText& text,
                 const KernelChoice& kernels, const Device& device);

  /// The baseline's logits of a window, for the calls of score() until the next.
  void open(const TextWindow& window);
  void score(ModelArm& arm);
  /// The figures of an arm that was scored on all windows.
  void finish(const ModelArm& arm, LegRow& leg) const;

 private:
  void run(Executor& executor, std::vector<float>& logits) const;
  /// The logits that predict the scored tokens of the window in hand.
  ConstMatrix scored(const std::vector<float>& logits) const;

  FloatRun baseline_;
  std::string baseline_name_;
  const EvaluationText& text_;
  std::int64_t outputs_;  // logits of a position
  std::vector<float> ids_, wanted_logits_, logits_;
  std::span<const std::int32_t> next_;
  std::int64_t first_ = 0;                        // position whose logits predict next_[0]
  std::map<std::string, LanguageScores> scores_;  // by case key and arm
};

}  // namespace qassay
