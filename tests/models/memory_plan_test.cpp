#include "models/memory_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/seed.hpp"
#include "models/fmnist_cnn.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

/// What the executor may do in place, by the contract of Op::forward: the output, number by number,
/// over its first input.
bool may_overwrite(const Operator& op) {
  return std::holds_alternative<Relu>(op) || std::holds_alternative<Relu6>(op) ||
         std::holds_alternative<HardSwish>(op) || std::holds_alternative<BatchNorm>(op) ||
         std::holds_alternative<Flatten>(op) || std::holds_alternative<Add>(op);
}

/// Runs a plan on labels: every number of a value holds the value's id in memory, written when its
/// node runs and looked up, number by number, whenever a node reads it.
void expect_sound(const Graph& graph, std::int64_t samples) {
  const std::vector<Extent> extents = infer_extents(graph);
  const MemoryPlan plan = plan_memory(graph, samples);
  std::vector<std::size_t> shared(plan.floats);
  std::vector<std::size_t> output(static_cast<std::size_t>(samples * extents.back().features()));
  const auto size = [&](ValueId id) {
    return static_cast<std::size_t>(samples * extents[id].features());
  };
  const auto memory = [&](ValueId id) {
    return plan.is_output[id] ? output.data() : shared.data() + plan.places[id];
  };
  ASSERT_FALSE(plan.is_output[0]);
  ASSERT_TRUE(plan.is_output[graph.nodes.size()]);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const ValueId made = i + 1;
    ASSERT_EQ(plan.places[made] % 16, 0U);
    ASSERT_LE((plan.is_output[made] ? 0 : plan.places[made]) + size(made),
              plan.is_output[made] ? output.size() : shared.size())
        << node.name;
    for (std::size_t input = 0; input < node.inputs.size(); ++input) {
      const ValueId id = node.inputs[input];
      if (id == 0) continue;
      const std::size_t* const begin = memory(id);
      ASSERT_TRUE(std::all_of(begin, begin + size(id), [&](std::size_t at) { return at == id; }))
          << "value " << id << " was written over before " << describe(node);
      const std::size_t* const target = memory(made);
      if (target + size(made) <= begin || begin + size(id) <= target) continue;
      ASSERT_TRUE(plan.is_output[id] == plan.is_output[made] && target == begin && input == 0 &&
                  may_overwrite(node.op) && size(id) == size(made))
          << describe(node) << " writes over what it reads";
    }
    std::fill_n(memory(made), size(made), made);
  }
  for (const std::size_t at : output) ASSERT_EQ(at, graph.nodes.size());
}

/// Any operators on any earlier values that fit; what nothing uses is added up at the end.
Graph drawn_graph(std::uint64_t seed) {
  Random random(seed);
  Graph graph{{1 + static_cast<std::int64_t>(random.below(6)),
               1 + static_cast<std::int64_t>(random.below(6)),
               1 + static_cast<std::int64_t>(random.below(9))},
              {}};
  std::vector<Extent> extents{graph.input};
  std::vector<bool> used(1, true);
  const auto add = [&](const Operator& op, std::vector<ValueId> inputs) {
    for (const ValueId id : inputs) used[id] = true;
    Graph one{extents[inputs.front()], {{"op", op, std::vector<ValueId>(inputs.size(), 0)}}};
    extents.push_back(infer_extents(one).back());
    used.push_back(false);
    graph.nodes.push_back({"n" + std::to_string(graph.nodes.size()), op, std::move(inputs)});
  };
  const std::size_t count = 3 + random.below(20);
  while (graph.nodes.size() < count) {
    // Near the end more often than not, as nets are; sometimes far back.
    const std::size_t back = random.below(random.below(3) == 0 ? extents.size() : 2);
    const ValueId id = extents.size() - 1 - std::min(back, extents.size() - 1);
    const auto channels = static_cast<std::int64_t>(1 + random.below(40));
    switch (random.below(8)) {
      case 0:
        add(Conv2d{.outputs = channels, .kernel = 3, .padding = 1}, {id});
        break;
      case 1:
        add(MaxPool{.kernel = 2, .stride = 2, .padding = 1}, {id});
        break;
      case 2:
        add(BatchNorm{}, {id});
        break;
      case 3:
        add(Flatten{}, {id});
        break;
      case 4:
        add(Relu{}, {id});
        break;
      default:
        for (ValueId other = 0; other < extents.size(); ++other) {
          const bool fits = extents[other] == extents[id];
          if (fits && (other == id || random.below(2) == 0)) {
            add(Add{}, {id, other});
            break;
          }
        }
    }
  }
  ValueId sum = 0;
  for (ValueId id = 1; id <= count; ++id) {
    if (used[id]) continue;
    ValueId part = id;
    if (!(extents[id] == Extent{1, 1, 3})) {
      add(GlobalAvgPool{}, {id});
      add(Linear{.outputs = 3}, {extents.size() - 1});
      part = extents.size() - 1;
    }
    if (sum != 0) {
      add(Add{},
          random.below(2) == 0 ? std::vector<ValueId>{sum, part} : std::vector<ValueId>{part, sum});
      part = extents.size() - 1;
    }
    sum = part;
  }
  return graph;
}

TEST(MemoryPlanTest, ValuesThatAreNeededAtTheSameTimeDoNotOverlap) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    const Graph graph = drawn_graph(seed);
    ASSERT_NO_THROW(infer_extents(graph)) << seed;
    expect_sound(graph, 1 + static_cast<std::int64_t>(seed % 3));
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

TEST(MemoryPlanTest, TheSampleNetsAreSound) {
  for (const Graph& graph : {three_layers(), residual_net(), fmnist_cnn().graph})
    expect_sound(graph, 3);
}

TEST(MemoryPlanTest, AChainNeedsTwoValues) {
  Graph graph{{8, 8, 4}, {}};
  for (std::size_t i = 0; i < 10; ++i) {
    graph.nodes.push_back(
        {"conv" + std::to_string(i), Conv2d{.outputs = 4, .kernel = 3, .padding = 1}, {2 * i}});
    graph.nodes.push_back({"relu" + std::to_string(i), Relu{}, {2 * i + 1}});
  }
  EXPECT_EQ(plan_memory(graph, 2).floats, 2U * 2 * 8 * 8 * 4);
}

TEST(MemoryPlanTest, WorksInPlaceWhereNothingElseNeedsTheInput) {
  const Linear layer{.outputs = 16};
  const Graph graph{{1, 1, 16},
                    {{"a", layer, {0}},
                     {"relu", Relu{}, {1}},       // over a
                     {"kept", HardSwish{}, {2}},  // relu is needed again
                     {"sum", Add{}, {3, 2}},      // over kept
                     {"b", layer, {4}},
                     {"last", Relu{}, {5}}}};  // over b, in the caller's memory
  const MemoryPlan plan = plan_memory(graph, 1);
  EXPECT_EQ(plan.places[1], plan.places[2]);
  EXPECT_NE(plan.places[2], plan.places[3]);
  EXPECT_EQ(plan.places[3], plan.places[4]);
  EXPECT_EQ(plan.is_output, (std::vector<bool>{false, false, false, false, false, true, true}));
  EXPECT_EQ(plan.floats, 32U);
}

TEST(MemoryPlanTest, AGraphOfOneNodeNeedsNoMemory) {
  EXPECT_EQ(plan_memory({{1, 1, 4}, {{"relu", Relu{}, {0}}}}, 8).floats, 0U);
}

}  // namespace
}  // namespace qassay
