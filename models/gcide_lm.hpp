#pragma once

#include "models/model.hpp"
#include "models/train/trainer.hpp"

namespace qassay {

/// A small Llama (Touvron et al. 2023, arXiv:2302.13971) over bytes, with a context of 256: 4
/// blocks of 256 channels, 4 heads of which two share their keys and values, 768 channels between
/// the feed-forward layers; 3.3 million parameters. Without parameters.
Model gcide_lm();

/// How models/reference/gcide-lm was trained on the training text of GCIDE.
TrainingRecipe gcide_lm_recipe();
TextLessons gcide_lm_lessons(const TrainingText& text);

}  // namespace qassay
