#include "models/gcide_lm.hpp"

#include "models/decoder.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kContext = 256;

}  // namespace

Model gcide_lm() {
  const Decoder decoder{.vocabulary = 256,
                        .context = kContext,
                        .channels = 256,
                        .layers = 4,
                        .heads = 4,
                        .kv_heads = 2,
                        .head = 64,
                        .feed_forward = 768,
                        .norm = RmsNorm{},
                        .positions = Rotary{.head = 64},
                        .activation = Silu{}};
  return {
      .name = "gcide-lm", .dataset = "gcide", .graph = decoder_graph(decoder), .parameters = {}};
}

TrainingRecipe gcide_lm_recipe() {
  return {.epochs = 10,
          .epoch_samples = 2400,
          .batch = 16,
          .optimizer = AdamW{.beta2 = 0.99, .weight_decay = 0.1, .clip = 1},
          .peak_rate = 2e-3,
          .warmup_epochs = 1,
          .initial_variance = 0.5,
          .seed = "gcide-lm"};
}

TextLessons gcide_lm_lessons(const TrainingText& text) { return {text, kContext}; }

}  // namespace qassay
