#include "models/channel_order.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/seed.hpp"
#include "tests/models/naive_forward.hpp"
#include "tests/models/packed_model.hpp"
#include "tests/models/sample_decoders.hpp"

namespace qassay {
namespace {

std::vector<std::int64_t> drawn_order_of(std::int64_t count, const std::string& seed) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Random(seed_from_name(seed)).shuffle(order);
  return order;
}

std::vector<float> scores(const Model& model) {
  const std::int64_t texts = 3;
  const std::vector<float> ids = drawn_texts(texts);
  PackedModel packed(model, texts);
  std::vector<float> y(static_cast<std::size_t>(texts * packed.executor().outputs()));
  packed.executor().run({ids.data(), texts, kSampleContext},
                        {y.data(), texts, packed.executor().outputs()});
  return y;
}

TEST(ChannelOrderTest, LeavesTheFunctionAsItWas) {
  const Model model = drawn_decoder(gated_decoder(4, 2));
  ChannelOrders orders;
  std::size_t projections = 0;
  for (const LayerShape& shape : layer_shapes(model.graph)) {
    const std::string layer = shape.name.substr(0, shape.name.rfind('.'));
    // One order for layers that read one value, as their Hessians are the same.
    const bool shared = !shape.name.ends_with("o_proj") && !shape.name.ends_with("down_proj");
    orders[shape.name] =
        drawn_order_of(shape.k, shared ? layer + std::to_string(shape.k) : shape.name);
    ++projections;
  }
  Model ordered = model;
  order_inputs(ordered, orders);
  EXPECT_NO_THROW(check_model(ordered, "model"));
  EXPECT_NE(ordered.parameters.at("layers.0.q_proj.weight"),
            model.parameters.at("layers.0.q_proj.weight"));
  // q, k and v share a node, and gate and up do.
  EXPECT_LT(ordered.graph.nodes.size(), model.graph.nodes.size() + projections);

  const std::vector<float> wanted = scores(model);
  const std::vector<float> got = scores(ordered);
  const float largest = std::fabs(
      *std::ranges::max_element(wanted, {}, [](float score) { return std::fabs(score); }));
  for (std::size_t i = 0; i < wanted.size(); ++i)
    ASSERT_NEAR(got[i], wanted[i], 1e-5F * largest);  // sums in another order
}

TEST(ChannelOrderTest, TakesEachChannelOnce) {
  Model model = drawn_decoder(gated_decoder());
  order_inputs(model, {{"layers.0.q_proj", drawn_order_of(layer_shapes(model.graph)[0].k, "q")}});
  std::vector<float>& order = model.parameters.at("layers.0.q_proj.input_order.order").values;
  for (const float fault :
       {order[1], -1.0F, 0.5F, static_cast<float>(order.size()), std::nanf("")}) {
    std::vector<float> kept = order;
    order[0] = fault;
    EXPECT_THROW(scores(model), InputError) << fault;
    order = kept;
  }
}

}  // namespace
}  // namespace qassay
