#pragma once

#include "models/model.hpp"
#include "models/train/trainer.hpp"

namespace qassay {

/// A small residual convolutional net (He et al. 2016, arXiv:1512.03385) for Fashion-MNIST's 28 x
/// 28 pixels: a stem, then four blocks of two 3x3 convolutions with 32, 64, 64 and 128 channels, of
/// which the second and fourth halve the image; about 380,000 parameters. Without parameters.
Model fmnist_cnn();

/// How models/reference/fmnist-cnn was trained.
TrainingRecipe fmnist_cnn_recipe();
ImageLessons fmnist_cnn_lessons(const TrainingSet& set);

}  // namespace qassay
