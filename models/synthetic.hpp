#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "models/model.hpp"

namespace qassay {

/// Layers that have the shape of a real model's but no trained weights. They model two things that
/// decide how hard a layer is to quantize: weights are close to normal within a row, and the inputs
/// of large decoders have a few channels that are far larger than the rest, the same ones in every
/// token (Dettmers et al. 2022, arXiv:2208.07339; Xiao et al. 2023, arXiv:2211.10438). They say
/// nothing about a model's accuracy on a task.

/// Normal numbers of mean 0 and the given deviation, seeded by the name: the middles of 65,536
/// equally likely parts of the distribution, ten times as fast as exact ones. In parallel, the same
/// for any number of threads.
void fill_synthetic(std::span<float> out, std::string_view name, float deviation);

/// Normal weights of mean 0 and deviation 1/sqrt(k), which keeps the scale of the activations;
/// seeded by the name ("decoder-7b/4096x4096"), without bias.
Layer synthetic_layer(std::string_view name, std::int64_t n, std::int64_t k);

/// Share of the input channels that are outliers, at least one, and how much larger they are.
inline constexpr double kOutlierShare = 0.005;
inline constexpr float kOutlierLow = 20;
inline constexpr float kOutlierHigh = 60;

/// Channel -> its factor, k values: 1, or for the outliers one from kOutlierLow to kOutlierHigh.
/// One seed for all: layers of the same k have the same outliers.
std::vector<float> synthetic_channel_factors(std::int64_t k);

/// X[m,k]: standard normal numbers times the factor of their channel. The first rows of a larger
/// batch are the smaller batch.
std::vector<float> synthetic_activations(std::int64_t m, std::int64_t k);

}  // namespace qassay
