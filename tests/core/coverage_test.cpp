// How often the nominal 95 % intervals of core/statistics.hpp contain the truth, by simulation with
// fixed seeds. With 4000 repetitions the standard error of a coverage of 95 % is 0.34 %, so the
// limits of 93 and 97 % lie more than five of them away from a correct interval.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/seed.hpp"
#include "core/statistics.hpp"

namespace qassay {
namespace {

constexpr int kRepetitions = 4000;
constexpr int kRounds = 10;

double share(const std::function<bool(Random&)>& covers, const std::string& name,
             int repetitions = kRepetitions) {
  Random random(seed_from_name(name));
  int covered = 0;
  for (int i = 0; i < repetitions; ++i) covered += covers(random) ? 1 : 0;
  return static_cast<double>(covered) / repetitions;
}

bool contains(const Interval& interval, double truth) {
  return interval.low <= truth && truth <= interval.high;
}

/// Student's t with 4 degrees of freedom: heavy tails, as timings of rounds have. Half the
/// chi-square number with 4 degrees is -log(u v).
double heavy_tailed(Random& random) {
  const double half_chi_square = -std::log((1 - random.uniform()) * (1 - random.uniform()));
  return random.normal() / std::sqrt(half_chi_square / 2);
}

/// Legs of rounds around `truth`: each leg shifted by a normal number, each round by a heavy-tailed
/// one. t4 has variance 2, hence the division: `noise` is the deviation of a round.
std::vector<std::vector<double>> simulate_legs(Random& random, int legs, double truth, double shift,
                                               double noise) {
  std::vector<std::vector<double>> logs(static_cast<std::size_t>(legs));
  for (std::vector<double>& leg : logs) {
    const double center = truth + shift * random.normal();
    for (int i = 0; i < kRounds; ++i) {
      leg.push_back(center + noise * heavy_tailed(random) / std::sqrt(2.0));
    }
  }
  return logs;
}

struct LegCase {
  int legs;
  double shift;
  double noise;
};

class LegCoverageTest : public ::testing::TestWithParam<LegCase> {
 protected:
  std::string name() const {
    return ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }
};

TEST_P(LegCoverageTest, SpeedupIsCoveredAsPromised) {
  const auto [legs, shift, noise] = GetParam();
  const double truth = std::log(2.5);
  const double covered = share(
      [&](Random& random) {
        const auto logs = simulate_legs(random, legs, truth, shift, noise);
        return contains(ratio_over_legs(logs).value(), 2.5);
      },
      name());
  EXPECT_GE(covered, 0.93);
  EXPECT_LE(covered, 0.97);
}

class LayerCoverageTest : public LegCoverageTest {};

TEST_P(LayerCoverageTest, GeometricMeanOverLayersIsCoveredAsPromised) {
  const auto [legs, shift, noise] = GetParam();
  const std::vector<double> layers{1.2, 2.0, 3.1, 0.9, 1.7};
  const double truth = geometric_mean(layers);
  const double covered = share(
      [&](Random& random) {
        std::vector<Interval> intervals;
        for (std::size_t i = 0; i < layers.size(); ++i) {
          // Layers are not equally noisy.
          const double scale = i % 2 == 0 ? 1.0 : 0.3;
          const auto logs =
              simulate_legs(random, legs, std::log(layers[i]), scale * shift, scale * noise);
          intervals.push_back(ratio_over_legs(logs).value());
        }
        return contains(geometric_mean(intervals).value(), truth);
      },
      name(), kRepetitions / 2);
  EXPECT_GE(covered, 0.93);
  EXPECT_LE(covered, 0.97);
}

std::vector<LegCase> leg_cases() {
  std::vector<LegCase> cases;
  for (const int legs : {4, 6}) {
    for (const double shift : {0.0, 0.01, 0.03}) {
      for (const double noise : {0.01, 0.08}) cases.push_back({legs, shift, noise});
    }
  }
  return cases;
}

std::string case_name(const ::testing::TestParamInfo<LegCase>& test) {
  return fmt::format("legs{}_shift{}_noise{}", test.param.legs, std::lround(test.param.shift * 100),
                     std::lround(test.param.noise * 100));
}

INSTANTIATE_TEST_SUITE_P(Legs, LegCoverageTest, ::testing::ValuesIn(leg_cases()), case_name);
INSTANTIATE_TEST_SUITE_P(Legs, LayerCoverageTest,
                         ::testing::Values(LegCase{4, 0.0, 0.01}, LegCase{4, 0.03, 0.01},
                                           LegCase{6, 0.01, 0.08}),
                         case_name);

// Why the legs are the sample: pooled rounds pretend to know more than they do.
TEST(CoverageTest, RoundsTakenAsTheSampleWouldCoverFarTooLittle) {
  const double covered = share(
      [](Random& random) {
        std::vector<std::vector<double>> rounds;
        for (const auto& leg : simulate_legs(random, 4, 0.0, 0.03, 0.01)) {
          for (const double log : leg) rounds.push_back({log});
        }
        return contains(ratio_over_legs(rounds).value(), 1.0);
      },
      "rounds as the sample");
  EXPECT_LT(covered, 0.6);
}

TEST(CoverageTest, WilsonsIntervalCoversOnAverage) {
  // The coverage of any interval of a proportion oscillates with p: the average is what is
  // promised.
  double sum = 0;
  const std::vector<double> proportions{0.03, 0.1, 0.27, 0.5, 0.73, 0.9, 0.97};
  for (const double p : proportions) {
    sum += share(
        [p](Random& random) {
          std::int64_t successes = 0;
          for (int i = 0; i < 100; ++i) successes += random.uniform() < p ? 1 : 0;
          return contains(proportion(successes, 100).value(), p);
        },
        fmt::format("wilson {}", p), 2000);
  }
  EXPECT_NEAR(sum / static_cast<double>(proportions.size()), 0.95, 0.015);
}

struct FlipCase {
  int samples;
  double both_right, lost, won;  // probabilities
};

PairedCounts draw(Random& random, const FlipCase& flips) {
  PairedCounts counts;
  for (int i = 0; i < flips.samples; ++i) {
    const double u = random.uniform();
    if (u < flips.both_right) {
      ++counts.both_right;
    } else if (u < flips.both_right + flips.lost) {
      ++counts.lost;
    } else if (u < flips.both_right + flips.lost + flips.won) {
      ++counts.won;
    } else {
      ++counts.both_wrong;
    }
  }
  return counts;
}

// Expected flips from 0.6 to 24. Few flips make conservative intervals; that is allowed.
TEST(CoverageTest, PairedIntervalsCoverAtSmallFlipCounts) {
  for (const FlipCase& flips : {FlipCase{300, 0.90, 0.001, 0.001},
                                FlipCase{300, 0.90, 0.006, 0.002}, FlipCase{300, 0.88, 0.02, 0.01},
                                FlipCase{300, 0.50, 0.05, 0.02}, FlipCase{300, 0.93, 0.03, 0.01},
                                FlipCase{300, 0.85, 0.01, 0.03}, FlipCase{300, 0.60, 0.04, 0.04}}) {
    const double baseline = flips.both_right + flips.lost;
    const double candidate = flips.both_right + flips.won;
    Random random(seed_from_name(fmt::format("flips {} {}", flips.lost, flips.won)));
    int loss = 0, ratio = 0, growth = 0;
    for (int i = 0; i < kRepetitions; ++i) {
      const PairedCounts counts = draw(random, flips);
      loss += contains(paired_loss(counts).value(), baseline - candidate) ? 1 : 0;
      ratio += contains(paired_ratio(counts).value(), candidate / baseline) ? 1 : 0;
      growth +=
          contains(paired_error_growth(counts).value(), (1 - candidate) / (1 - baseline)) ? 1 : 0;
    }
    const auto where = ::testing::Message() << flips.lost << " lost, " << flips.won << " won";
    EXPECT_GE(loss, 0.93 * kRepetitions) << where;
    EXPECT_GE(ratio, 0.93 * kRepetitions) << where;
    EXPECT_GE(growth, 0.93 * kRepetitions) << where;
    const double expected_flips = flips.samples * (flips.lost + flips.won);
    if (expected_flips > 10) {
      EXPECT_LE(loss, 0.97 * kRepetitions) << where;
      EXPECT_LE(ratio, 0.97 * kRepetitions) << where;
      EXPECT_LE(growth, 0.97 * kRepetitions) << where;
    }
  }
}

TEST(CoverageTest, BootstrapCoversTheMean) {
  int repetition = 0;
  const double covered = share(
      [&](Random& random) {
        std::vector<double> differences(60);
        for (double& difference : differences) difference = 0.3 + heavy_tailed(random);
        const std::string name = fmt::format("bootstrap {}", repetition++);
        return contains(bootstrap_mean(differences, name, 300).value(), 0.3);
      },
      "bootstrap coverage", 600);
  // Known to be a little narrow at few samples; the standard error is 0.9 %.
  EXPECT_GE(covered, 0.91);
  EXPECT_LE(covered, 0.98);
}

}  // namespace
}  // namespace qassay
