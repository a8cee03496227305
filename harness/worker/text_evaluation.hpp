#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "datasets/language_scoring.hpp"
#include "datasets/text_protocol.hpp"
#include "harness/run/job.hpp"
#include "harness/worker/arm.hpp"
#include "harness/worker/float_run.hpp"

namespace qassay {

/// The tokens of the test text that a model is evaluated on, at most `most` windows of m of them
/// (0: all).
std::vector<std::int32_t> test_tokens(const Model& model, std::int64_t m, std::int64_t most);

/// Scores language models on windows of the test text as long as a call, that do not overlap: each
/// candidate beside one FP32 run on the same tokens, through the packed weights that are timed.
class TextEvaluation {
 public:
  TextEvaluation(const Model& model, const KernelChoice& kernels, const Device& device,
                 const Job& job);

  std::int64_t windows() const { return static_cast<std::int64_t>(windows_.size()); }
  /// The baseline's logits of a window, for the calls of score() until the next.
  void open(std::int64_t window);
  void score(ModelArm& arm);
  /// The figures of an arm that was scored on all windows.
  void finish(const ModelArm& arm, LegRow& leg) const;

 private:
  void run(Executor& executor, std::vector<float>& logits) const;

  FloatRun baseline_;
  std::vector<std::int32_t> tokens_;
  TextProtocol protocol_;
  std::vector<TextWindow> windows_;
  std::int64_t vocabulary_;
  std::vector<float> ids_, wanted_logits_, logits_;
  std::vector<std::int32_t> next_;
  std::map<std::string, LanguageScores> scores_;  // by case key and arm
};

}  // namespace qassay
