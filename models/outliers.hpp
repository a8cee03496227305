#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/model.hpp"

namespace qassay {

/// Channels that with_outlier_channels() makes large, and how large: every other one by each
/// factor. Powers of two, so that nothing is rounded.
inline constexpr std::int64_t kOutlierChannels = 6;
inline constexpr float kOutlierFactors[] = {32, 64};

/// The same function with other parameters: in every norm that only linear layers read, the same
/// few channels, drawn by the model's name, are scaled up, and the layers' weights behind them
/// down. So activations get the outlier channels of large decoders (Dettmers et al. 2022,
/// arXiv:2208.07339), which are hard to quantize. The name gets "-outliers".
Model with_outlier_channels(Model model);

/// Those channels, ascending, of a model of `channels` channels.
std::vector<std::int64_t> outlier_channels(const std::string& name, std::int64_t channels);

}  // namespace qassay
