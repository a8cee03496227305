#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/matrix_view.hpp"
#include "datasets/classification_set.hpp"
#include "datasets/text_set.hpp"
#include "models/train/augmentation.hpp"
#include "models/train/outcome.hpp"

namespace qassay {

/// What a model learns: samples, and what is wanted of its outputs for them.
class Lessons {
 public:
  virtual ~Lessons() = default;

  /// The data with its hash, and all that samples and loss depend on.
  virtual std::string key() const = 0;
  virtual std::int64_t count() const = 0;     // samples
  virtual std::int64_t features() const = 0;  // of one
  virtual std::int64_t outputs() const = 0;   // that are wanted for one

  /// Writes samples into x[samples.size(), features], changed by random numbers that depend on
  /// `seed` and the sample alone.
  virtual void fill(std::span<const std::int64_t> samples, std::uint64_t seed, Matrix x) = 0;
  /// Of outputs for the samples that were filled in last; writes the loss's derivative by them.
  virtual Outcome judge(ConstMatrix outputs, Matrix slope) = 0;
};

/// Images and their classes, with smoothed labels (train/loss.hpp).
class ImageLessons final : public Lessons {
 public:
  /// The set must outlive this.
  ImageLessons(const TrainingSet& set, double label_smoothing, const Augmentation& augmentation);

  std::string key() const override;
  std::int64_t count() const override { return set_.count; }
  std::int64_t features() const override { return set_.features; }
  std::int64_t outputs() const override { return set_.classes; }
  void fill(std::span<const std::int64_t> samples, std::uint64_t seed, Matrix x) override;
  Outcome judge(ConstMatrix outputs, Matrix slope) override;

 private:
  const TrainingSet& set_;
  double label_smoothing_;
  Augmentation augmentation_;
  std::vector<std::int32_t> labels_;
};

/// Windows of a text's bytes; wanted is at each position the next byte. A sample begins at a random
/// byte of its window, so that an epoch sees other windows than the one before.
class TextLessons final : public Lessons {
 public:
  /// The text must outlive this. Throws InputError for one of fewer than two windows.
  TextLessons(const TrainingText& text, std::int64_t context);

  std::string key() const override;
  std::int64_t count() const override;
  std::int64_t features() const override { return context_; }
  std::int64_t outputs() const override { return context_ * kBytes; }
  void fill(std::span<const std::int64_t> samples, std::uint64_t seed, Matrix x) override;
  Outcome judge(ConstMatrix outputs, Matrix slope) override;

 private:
  static constexpr std::int64_t kBytes = 256;

  const TrainingText& text_;
  std::int64_t context_;
  std::vector<std::int32_t> next_;
};

}  // namespace qassay
