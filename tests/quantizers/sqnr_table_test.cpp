// The signal-to-noise ratios that formats are known to have on synthetic weights.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/matrix_view.hpp"
#include "core/scheme.hpp"
#include "core/seed.hpp"
#include "quantizers/layer_error.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kTableRows = 256, kTableColumns = 4096;

struct Weights {
  std::vector<float> values;

  ConstMatrix matrix() const { return {values.data(), kTableRows, kTableColumns}; }
};

Weights gaussian_weights(std::string_view name) {
  Weights weights{std::vector<float>(kTableRows * kTableColumns)};
  fill_normal(weights.values, seed_from_name(name), 1.0F);
  return weights;
}

Weights laplacian_weights(std::string_view name) {
  Weights weights{std::vector<float>(kTableRows * kTableColumns)};
  Random random(seed_from_name(name));
  for (float& weight : weights.values) {
    const double u = random.uniform() - 0.5;
    weight = static_cast<float>(std::copysign(std::log(1 - 2 * std::fabs(u)), -u));
  }
  return weights;
}

/// Student's t with 5 degrees of freedom: z / sqrt(chi2 / 5).
Weights student_weights(std::string_view name) {
  Weights weights{std::vector<float>(kTableRows * kTableColumns)};
  Random random(seed_from_name(name));
  for (float& weight : weights.values) {
    double squares = 0;
    for (int i = 0; i < 5; ++i) squares += std::pow(random.normal(), 2);
    weight = static_cast<float>(random.normal() / std::sqrt(squares / 5));
  }
  return weights;
}

/// The orthogonal Hadamard transform of every 128 values (Sylvester's), its own inverse.
void rotate_blocks(std::vector<float>& values) {
  constexpr std::size_t kBlock = 128;
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    for (std::size_t half = 1; half < kBlock; half *= 2) {
      for (std::size_t i = begin; i < begin + kBlock; ++i) {
        if ((i & half) != 0) continue;
        const float a = values[i], b = values[i + half];
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
    for (std::size_t i = begin; i < begin + kBlock; ++i) values[i] /= std::sqrt(128.0F);
  }
}

double table_sqnr(const Weights& weights, const char* scheme) {
  return weight_distortion(weights.matrix(),
                           round_to_nearest(weights.matrix(), parse_scheme(scheme)))
      .sqnr_db;
}

/// In dB on a million weights, rows of 4096, from simulations that shared no code with this one:
/// normal, Laplace, Student's t with 5 degrees of freedom, and that rotated. Symmetric formats
/// reach the largest weight with their largest code (of 4 bits: 7).
struct TableRow {
  const char* scheme;
  double gauss, laplace, student, rotated;
};
constexpr TableRow kTable[] = {{"FP16", 73.6, 73.7, 73.6, 73.7},
                               {"BF16", 55.6, 55.6, 55.6, 55.6},
                               {"W8A16", 41.2, 36.9, 34.2, 41.2},
                               {"W8A16-g32", 45.4, 43.4, 43.4, 45.5},
                               {"W4A16", 16.0, 11.9, 9.2, 16.0},
                               {"W4A16-g128", 18.6, 15.9, 15.3, 18.7},
                               {"W4A16-g128-asym", 19.96, 17.67, 17.51, 20.06},
                               {"W4A16-g64-asym", 20.82, 18.98, 19.02, 20.90},
                               {"W4A16-g32-asym", 21.86, 20.49, 20.66, 21.91},
                               {"W3A16-g128-asym", 13.3, 11.3, 10.9, 13.4},
                               {"W2A16-g64-asym", 6.8, 6.0, 5.7, 6.9}};

// Rows with heavy tails have but a few weights that decide: one draw of a million is off by as much
// as 0.2 dB there, the mean of three by less.
TEST(SqnrTableTest, EveryFormatHasItsKnownRatios) {
  const std::vector<std::string> draws{"a", "b", "c"};
  std::vector<TableRow> means;
  for (const TableRow& row : kTable) means.push_back({row.scheme, 0, 0, 0, 0});
  for (const std::string& draw : draws) {
    const Weights gauss = gaussian_weights(draw), laplace = laplacian_weights(draw);
    const Weights student = student_weights(draw);
    Weights rotated = student;
    rotate_blocks(rotated.values);
    const double share = 1 / static_cast<double>(draws.size());
    for (TableRow& row : means) {
      row.gauss += share * table_sqnr(gauss, row.scheme);
      row.laplace += share * table_sqnr(laplace, row.scheme);
      row.student += share * table_sqnr(student, row.scheme);
      row.rotated += share * table_sqnr(rotated, row.scheme);
    }
  }
  for (std::size_t i = 0; i < means.size(); ++i) {
    const TableRow &got = means[i], &known = kTable[i];
    EXPECT_NEAR(got.gauss, known.gauss, 0.15) << known.scheme;
    EXPECT_NEAR(got.laplace, known.laplace, 0.15) << known.scheme;
    EXPECT_NEAR(got.student, known.student, 0.15) << known.scheme;
    EXPECT_NEAR(got.rotated, known.rotated, 0.15) << known.scheme;
  }
}

// P17: what the rotated column of the table rests on. Seven additions and a division, each within
// 2^-24 of a norm that stays.
TEST(SqnrTableTest, RotationIsOrthogonal) {
  std::vector<float> unit(128);
  std::vector<std::vector<float>> rows;
  for (std::size_t i = 0; i < unit.size(); ++i) {
    std::fill(unit.begin(), unit.end(), 0.0F);
    unit[i] = 1;
    rows.push_back(unit);
    rotate_blocks(rows.back());
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows.size(); ++j) {
      double dot = 0;
      for (std::size_t l = 0; l < rows.size(); ++l) dot += double{rows[i][l]} * rows[j][l];
      EXPECT_NEAR(dot, i == j ? 1 : 0, 8 * 0x1p-24);
    }
  }
  Weights weights = gaussian_weights("rotation"), other = student_weights("rotation");
  const auto dot = [&] {
    double sum = 0;
    for (std::size_t i = 0; i < 4096; ++i) sum += double{weights.values[i]} * other.values[i];
    return sum;
  };
  const double before = dot();
  rotate_blocks(weights.values);
  rotate_blocks(other.values);
  EXPECT_NEAR(dot(), before, 16 * 0x1p-24 * 4096 * 1.3);  // the product of both norms
}

TEST(SqnrTableTest, RotationHelpsHeavyTailsAndNoOthers) {
  for (const char* scheme : {"W4A16-g128", "W4A16-g128-asym", "W4A16"}) {
    Weights gauss = gaussian_weights("rotated"), student = student_weights("rotated");
    const double gauss_before = table_sqnr(gauss, scheme);
    const double student_before = table_sqnr(student, scheme);
    rotate_blocks(gauss.values);
    rotate_blocks(student.values);
    EXPECT_NEAR(table_sqnr(gauss, scheme), gauss_before, 0.1) << scheme;
    EXPECT_GT(table_sqnr(student, scheme), student_before + 2) << scheme;
  }
}

}  // namespace
}  // namespace qassay
