#include "models/train/lessons.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/seed.hpp"
#include "models/train/loss.hpp"

namespace qassay {

ImageLessons::ImageLessons(const TrainingSet& set, double label_smoothing,
                           const Augmentation& augmentation)
    : set_(set), label_smoothing_(label_smoothing), augmentation_(augmentation) {}

std::string ImageLessons::key() const {
  return fmt::format("{} of {} ({}): label_smoothing={} max_shift={} flip={}", set_.count,
                     set_.name, set_.hash, label_smoothing_, augmentation_.max_shift,
                     augmentation_.flip);
}

void ImageLessons::fill(std::span<const std::int64_t> samples, std::uint64_t seed, Matrix x) {
  fill_augmented(set_, samples, augmentation_, seed, x);
  labels_.clear();
  for (const std::int64_t sample : samples)
    labels_.push_back(set_.labels[static_cast<std::size_t>(sample)]);
}

Outcome ImageLessons::judge(ConstMatrix outputs, Matrix slope) {
  return cross_entropy(outputs, labels_, label_smoothing_, slope);
}

TextLessons::TextLessons(const TrainingText& text, std::int64_t context)
    : text_(text), context_(context) {
  if (count() < 1) {
    throw InputError(text.name, fmt::format("has {} bytes", text.text.size()),
                     fmt::format("give at least {}", 2 * context + 1));
  }
}

std::string TextLessons::key() const {
  return fmt::format("{} ({}): context={}", text_.name, text_.hash, context_);
}

/// The last window is room for the shift of the one before.
std::int64_t TextLessons::count() const {
  return (static_cast<std::int64_t>(text_.text.size()) - 1) / context_ - 1;
}

void TextLessons::fill(std::span<const std::int64_t> samples, std::uint64_t seed, Matrix x) {
  next_.clear();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Random random(seed + static_cast<std::uint64_t>(samples[i]));
    const auto shift =
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(context_)));
    const auto* const bytes =
        reinterpret_cast<const unsigned char*>(text_.text.data()) + samples[i] * context_ + shift;
    float* const row = x.row(static_cast<std::int64_t>(i));
    for (std::int64_t p = 0; p < context_; ++p) {
      row[p] = bytes[p];
      next_.push_back(bytes[p + 1]);
    }
  }
}

Outcome TextLessons::judge(ConstMatrix outputs, Matrix slope) {
  const std::int64_t rows = outputs.rows * context_;
  return cross_entropy({outputs.data, rows, kBytes}, next_, 0, {slope.data, rows, kBytes});
}

}  // namespace qassay
