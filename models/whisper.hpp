#pragma once

#include <cstdint>

#include "models/graph.hpp"

namespace qassay {

/// Whisper (Radford et al. 2022, arXiv:2212.04356): an encoder of sound and a decoder of text that
/// looks at what the encoder gives. All layers have biases but the projections of keys.
struct WhisperStack {
  std::int64_t layers = 0, heads = 1, feed_forward = 0;
};
struct Whisper {
  std::int64_t channels = 0;
  std::int64_t mel_bins = 0;    // of a frame of sound
  std::int64_t positions = 0;   // of the encoder: two frames each
  std::int64_t vocabulary = 0;  // of the decoder
  std::int64_t text_positions = 0;
  WhisperStack encoder, decoder;
};

/// From frames [2 positions, mel_bins] to [positions, channels]: two convolutions over three frames
/// (conv1.unfold and conv1, conv2.unfold and conv2), the second with a stride of 2;
/// embed_positions; blocks as decoder_graph() names theirs, of attention that is not causal; norm.
Graph whisper_encoder_graph(const Whisper& whisper);

/// Numbers in the weights of the decoder, whose graph cannot be had: it takes two values.
struct WhisperDecoderCount {
  std::int64_t layers = 0, embeddings = 0, norms = 0, biases = 0;
};
WhisperDecoderCount count_whisper_decoder(const Whisper& whisper);

}  // namespace qassay
