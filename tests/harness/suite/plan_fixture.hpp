#pragma once

#include <gtest/gtest.h>

#include <string>

#include "harness/suite/plan.hpp"

namespace qassay {

/// Plans for a machine that runs no instruction set of its own.
class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    machine_.isas = {Isa::any};
    machine_.cores = {0, 1};
    machine_.last_level_cache_bytes = 1 << 20;
    machine_.memory_bytes = std::int64_t{64} << 30;
  }

  Plan plan(const std::string& sweep, const Filters& filters = {}, bool both_arms = false) const {
    const Suite suite = parse_suite(
        "name = \"s\"\ndescription = \"d\"\n[[sweep]]\nmodel = \"m\"\n" + sweep, "suite.toml");
    const KernelChoice kernels({QASSAY_KERNEL_LIBRARY}, machine_, std::nullopt);
    return make_plan(suite, {.filters = filters, .threads = 2, .legs = 4, .both_arms = both_arms},
                     kernels, machine_);
  }

  Plan plan_of(const char* suite) const {
    const KernelChoice kernels({QASSAY_KERNEL_LIBRARY}, machine_, std::nullopt);
    return make_plan(parse_suite(suite, "suite.toml"),
                     {.filters = {}, .threads = 1, .legs = 4, .both_arms = false}, kernels,
                     machine_);
  }

  Machine machine_;
};

}  // namespace qassay
