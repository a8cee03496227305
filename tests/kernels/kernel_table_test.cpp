// Every linear row of the table against the reference kernels, by its contract. A new row is tested
// by being there.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "kernels/longest_sum.hpp"
#include "tests/kernels/kernel_case.hpp"
#include "tests/kernels/tested_kernels.hpp"

namespace qassay {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kSlow = true;  // an order of magnitude slower: fewer shapes
#else
constexpr bool kSlow = false;
#endif

const char* const kSchemes[] = {"FP32",
                                "FP16",
                                "BF16",
                                "W8A8",
                                "W8A8-tensor",
                                "W8A8-asym",
                                "W8A8-g32",
                                "W8A8-g48-asym",
                                "W4A8",
                                "W4A8-asym",
                                "W4A8-g16",
                                "W4A8-g32",
                                "W4A8-g64",
                                "W4A8-g128",
                                "W4A8-g32-asym",
                                "W4A8-g128-asym",
                                "W8A8-g32-blocked",
                                "W8A8-g64-asym-blocked",
                                "W8A8-g128-blocked",
                                "W4A8-g32-blocked",
                                "W4A8-g128-blocked",
                                "W4A8-g32-asym-blocked",
                                "W5A8-g48-asym-blocked",
                                "W8A16",
                                "W8A16-asym",
                                "W8A16-g32",
                                "W8A16-g64",
                                "W8A16-g64-asym",
                                "W8A16-g128",
                                "W4A16",
                                "W4A16-asym",
                                "W4A16-g32",
                                "W4A16-g128",
                                "W4A16-g32-asym",
                                "W4A16-g80-asym",
                                "W4A16-g128-asym",
                                "W2A16-g16",
                                "W3A8",
                                "W3A8-g32-asym-blocked",
                                "W3A16-g32",
                                "W3A16-g64",
                                "W3A16-g128-asym",
                                "W6A8-g64"};

constexpr std::int64_t kManyRows = 64;  // some kernels are for many rows only

bool takes(const Kernel& kernel, const Scheme& scheme, std::int64_t rows) {
  return !kernel.accepts({.m_max = rows, .n = 16, .k = 128, .scheme = scheme, .bias = false});
}

/// Many rows, or one where the kernel takes few of the scheme only.
std::int64_t rows_taken(const Kernel& kernel, const Scheme& scheme) {
  return takes(kernel, scheme, kManyRows) ? kManyRows : 1;
}

/// The schemes that the kernel accepts.
std::vector<Scheme> schemes_of(const Kernel& kernel) {
  std::vector<Scheme> accepted;
  for (const char* text : kSchemes) {
    const Scheme scheme = parse_scheme(text);
    if (takes(kernel, scheme, rows_taken(kernel, scheme))) accepted.push_back(scheme);
  }
  return accepted;
}

class KernelTableTest : public testing::TestWithParam<const Kernel*> {
 protected:
  void SetUp() override {
    if (!cpu_runs(kernel().info().isa))
      GTEST_SKIP() << "this CPU has no " << to_string(kernel().info().isa);
    if (!schemes_of(kernel()).empty()) return;
    ASSERT_NE(kernel().info().backend, "cpu") << "accepts none of the schemes of this test";
    // A library that refuses whatever this machine cannot do: say why.
    std::string reasons;
    for (const char* text : kSchemes) {
      const Problem problem{
          .m_max = kManyRows, .n = 16, .k = 128, .scheme = parse_scheme(text), .bias = false};
      const std::string reason = kernel().accepts(problem)->reason;
      if (reasons.find(reason) == std::string::npos) reasons += reason + "; ";
    }
    GTEST_SKIP() << "accepts nothing here: " << reasons;
  }

  const Kernel& kernel() const { return *GetParam(); }

  /// A library of kernels/peers, which quantizes activations by itself.
  bool is_peer() const {
    return kernel().info().backend == "ggml" || kernel().info().backend == "onnxruntime";
  }
  /// Whether activations, or the scales of their blocks, go through FP16.
  bool activations_in_fp16() const {
    const std::string_view name = kernel().info().name;
    return name.starts_with("linear_f16_") ||
           (kernel().info().backend == "ggml" && name.starts_with("linear_a8g_"));
  }
  /// k, or the next whole block where the kernel takes nothing else.
  std::int64_t taken_k(const Scheme& scheme, std::int64_t k) const {
    const std::int64_t rows = rows_taken(kernel(), scheme);
    const bool taken = !kernel().accepts({.m_max = rows, .n = 16, .k = k, .scheme = scheme});
    return taken ? k : (k + 31) / 32 * 32;
  }

  /// Runs and checks, unless the kernel has a reason not to.
  void expect_agrees(const KernelCase& c) {
    // Those for many rows have to compute fewer too.
    std::int64_t rows = c.m;
    if (kernel().accepts(c.problem(rows))) rows = std::max(rows, kManyRows);
    if (const auto refusal = kernel().accepts(c.problem(rows))) {
      // Of ours, only those refuse rows that take fewer in the same scheme.
      const bool few = c.m > 1 && rows_taken(kernel(), c.scheme) == 1;
      ASSERT_TRUE(few || kernel().info().backend != "cpu")
          << c.describe() << ": " << refusal->reason;
      return;
    }
    const auto prepared = kernel().prepare(c.problem(rows), c.weights, c.bias, {1});
    expect_contract(kernel(), c, run_guarded(*prepared, c, c.n % 2 == 1));
    ++ran_;
  }

  int ran_ = 0;
};

// One, around the tile of 6 rows, a prime, many; around the block of 16 and the panel of 64
// channels; around groups, lines and words of k, and primes. Every fifth shape: these still have
// every pair of an m, an n and a k. Every 19th has every m, n and k, which will do where time is
// short or the reference would be compared with itself.
TEST_P(KernelTableTest, AgreesOverAwkwardShapes) {
  const int every = kSlow || kernel().info().backend == "reference" ? 19 : 5;
  for (const Scheme& scheme : schemes_of(kernel())) {
    int number = 0;
    for (const std::int64_t m : {1, 2, 5, 6, 7, 13, 33}) {
      for (const std::int64_t n : {1, 15, 16, 17, 63, 64, 65, 113}) {
        for (const std::int64_t k : {1, 3, 31, 32, 33, 127, 128, 129, 331}) {
          if (number++ % every != 0) continue;
          expect_agrees(normal_case(scheme, m, n, k, number % 2 == 0));
          if (HasFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(ran_, 0);
}

// Longer than a chunk of k, and more rows than are summed at a time.
TEST_P(KernelTableTest, AgreesOnLargeShapes) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    const std::int64_t k = taken_k(scheme, 9001);
    expect_agrees(normal_case(scheme, 1, 33, k, true));
    expect_agrees(normal_case(scheme, 3, 17, k, true));
    expect_agrees(normal_case(scheme, 8, 81, k, false));
    expect_agrees(normal_case(scheme, 1040, 17, taken_k(scheme, 40), true));
  }
  EXPECT_GT(ran_, 0);
}

TEST_P(KernelTableTest, AgreesOnExtremeValues) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    const bool fp16_scales =
        scheme.weights.scales == DType::f16 || scheme.weights.kind == Kind::f16;
    const std::int64_t k = taken_k(scheme, 70);
    for (const std::int64_t m : {1, 7}) {
      expect_agrees(normal_case(scheme, m, 17, k, true, 0.02F));
      expect_agrees(normal_case(scheme, m, 17, k, true, 5e3F));
      if (!activations_in_fp16()) {
        expect_agrees(normal_case(scheme, m, 17, k, true, 1e-30F));
        expect_agrees(normal_case(scheme, m, 17, k, true, 1e30F));
        expect_agrees(normal_case(scheme, m, 17, k, true, 1e-40F));  // subnormal numbers
      }
      if (!fp16_scales) {
        expect_agrees(normal_case(scheme, m, 17, k, true, 1e30F, 1e-30F));
        expect_agrees(normal_case(scheme, m, 17, k, true, 1e-30F, 1e30F));
      }
      KernelCase zeros = normal_case(scheme, m, 17, k, false);
      std::fill(zeros.x.at.begin(), zeros.x.at.end(), 0.0F);
      expect_agrees(zeros);
    }
  }
  EXPECT_GT(ran_, 0);
}

TEST_P(KernelTableTest, ThreadsGiveEqualBits) {
  const std::string_view backend = kernel().info().backend;
  if (kernel().info().contract != Contract::bit_exact && backend != "cpu") {
    GTEST_SKIP() << backend << " may cut its sums by the number of threads";
  }
  for (const Scheme& scheme : schemes_of(kernel())) {
    for (const std::int64_t m : {1, 13}) {
      const KernelCase c = normal_case(scheme, m, 129, 300, true);
      const Values one = run_guarded(kernel(), c, 1);
      const Values two = run_guarded(kernel(), c, 2);
      const Values more_than_blocks = run_guarded(kernel(), c, 11);
      EXPECT_EQ(different_bits(one, two), 0) << c.describe();
      EXPECT_EQ(different_bits(one, more_than_blocks), 0) << c.describe();
    }
  }
}

std::size_t bytes_of(const std::vector<std::span<const std::byte>>& pieces) {
  return std::accumulate(
      pieces.begin(), pieces.end(), std::size_t{0},
      [](std::size_t bytes, std::span<const std::byte> piece) { return bytes + piece.size(); });
}

TEST_P(KernelTableTest, SaysWhereAllWeightsLieOrNotAtAll) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    const KernelCase c = normal_case(scheme, 3, 70, taken_k(scheme, 131), false);
    const auto prepared = kernel().prepare(c.problem(c.m), c.weights, c.bias, {2});
    const auto pieces = prepared->packed();
    EXPECT_TRUE(pieces.empty() || bytes_of(pieces) >= prepared->packed_bytes()) << c.describe();
    const auto copy = prepared->copy();
    for (const auto& piece : copy->packed()) {
      for (const auto& other : pieces)
        EXPECT_TRUE(piece.data() + piece.size() <= other.data() ||
                    other.data() + other.size() <= piece.data());
    }
  }
}

TEST_P(KernelTableTest, CopiesGiveEqualBits) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    const KernelCase c = normal_case(scheme, 3, 70, taken_k(scheme, 131), true);
    auto prepared = kernel().prepare(c.problem(c.m), c.weights, c.bias, {2});
    const Values original = run_guarded(*prepared, c, true);
    const auto copy = prepared->copy();
    EXPECT_EQ(copy->packed_bytes(), prepared->packed_bytes());
    EXPECT_EQ(copy->workspace_bytes(), prepared->workspace_bytes());
    EXPECT_EQ(copy->implementation(), prepared->implementation());
    prepared.reset();  // the copy stands on its own
    EXPECT_EQ(different_bits(original, run_guarded(*copy, c, true)), 0) << c.describe();
  }
}

TEST_P(KernelTableTest, FewerRowsThanTheMostAgree) {
  constexpr std::int64_t kMost = 40;
  for (const Scheme& scheme : schemes_of(kernel())) {
    const std::int64_t k = taken_k(scheme, 200);
    const KernelCase first = normal_case(scheme, 1, 37, k, true);
    const auto prepared = kernel().prepare(first.problem(kMost), first.weights, first.bias, {1});
    for (const std::int64_t m : {std::int64_t{40}, std::int64_t{1}, std::int64_t{9}}) {
      KernelCase c = first;
      c.m = m;
      c.x = normal_case(scheme, m, 37, k, false).x;
      expect_contract(kernel(), c, run_guarded(*prepared, c, true));
    }
  }
}

TEST_P(KernelTableTest, SaysWhatItMovesAndComputes) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    const KernelCase c = normal_case(scheme, 1, 64, 2048, false);
    const auto prepared = kernel().prepare(c.problem(4), c.weights, c.bias, {1});
    const Traffic traffic = prepared->traffic(4);
    EXPECT_EQ(traffic.operations, 2.0 * 4 * 64 * 2048);
    EXPECT_EQ(traffic.weight_bytes, static_cast<double>(prepared->packed_bytes()));
    EXPECT_GT(traffic.activation_bytes, 0);
    EXPECT_FALSE(prepared->implementation().empty());
    EXPECT_EQ(prepared->workspace_bytes() % 64 * (kernel().info().backend == "cpu"), 0);

    const NumberFormat& weights = scheme.weights;
    const double scale_bits = weights.scales == DType::f16 ? 16 : 32;
    const std::int64_t scales =
        weights.per == Granularity::tensor ? 1 : 64 * blocks_per_row(weights, 2048);
    const double bits =
        64.0 * 2048 * weights.bits +
        (weights.kind == Kind::integer ? scale_bits * static_cast<double>(scales) : 0) +
        (weights.zero_points ? 8 * static_cast<double>(scales) : 0);
    EXPECT_GE(traffic.weight_bytes, bits / 8) << to_string(scheme);
    if (kernel().info().backend == "cpu") {
      // Codes of other widths lie in those of the next of 4 and 8 bits.
      const bool codes = weights.kind == Kind::integer;
      const int held = !codes ? weights.bits : weights.bits <= 4 ? 4 : 8;
      const double more = 64.0 * 2048 * (held - weights.bits);
      EXPECT_LE(traffic.weight_bytes, (bits + more) / 8 * 1.02) << to_string(scheme);
    }
  }
}

TEST_P(KernelTableTest, RefusalsSayWhy) {
  int refused = 0;
  for (const char* text : kSchemes) {
    const auto refusal = kernel().accepts(
        {.m_max = kManyRows, .n = 16, .k = 128, .scheme = parse_scheme(text), .bias = false});
    if (!refusal) continue;
    ++refused;
    EXPECT_FALSE(refusal->reason.empty()) << text;
  }
  EXPECT_GT(refused, 0);
}

// The largest codes at the longest k: int16 pairs would saturate at 2 * 127 * 127, an int32 sum
// comes close to its end. x is constant, so its codes are all 127 or -127.
TEST_P(KernelTableTest, LargestCodesAreExact) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    if (!scheme.quantizes_input() || scheme.weights.bits != 8 || scheme.weights.zero_points)
      continue;
    const std::int64_t k = sum_length(scheme.weights, kLongestSum);
    for (const std::int64_t m : {1, 7}) {
      KernelCase c = normal_case(scheme, m, 17, 1, false);
      c.k = k;
      c.weights.k = k;
      c.weights.scales.assign(17, 0.5F);
      c.weights.codes.clear();
      for (const int code : {255, 0, 1, 255, 0, 128, 127, 129, 255, 0, 1, 2, 254, 64, 192, 255, 0})
        c.weights.codes.insert(c.weights.codes.end(), static_cast<std::size_t>(k),
                               static_cast<std::uint8_t>(code));
      c.x = Values(m, k);
      for (std::int64_t row = 0; row < m; ++row)
        std::fill_n(c.x.view().row(row), k, row % 2 == 0 ? 127.0F : -127.0F);
      if (kernel().accepts(c.problem(m))) continue;

      const Values got = run_guarded(kernel(), c);
      for (std::int64_t row = 0; row < m; ++row) {
        for (std::int64_t n = 0; n < 17; ++n) {
          const std::int64_t code = c.weights.codes[static_cast<std::size_t>(n * k)] - 128;
          const std::int64_t sum = code * (row % 2 == 0 ? 127 : -127) * k;
          EXPECT_EQ(got.view().row(row)[n], static_cast<float>(sum) * 0.5F)
              << c.describe() << " code " << code;
        }
      }
      ++ran_;
    }
  }
  if (kernel().info().name.starts_with("linear_a8r_s8c")) {
    EXPECT_GT(ran_, 0);
  }
}

// Halves of a step and their neighbours: a product with 1 / scale, or a wrong rounding of ties,
// gives other codes there.
TEST_P(KernelTableTest, ActivationsNextToTiesGetTheReferencesCodes) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    if (!scheme.quantizes_input()) continue;
    KernelCase c = normal_case(scheme, 33, 17, taken_k(scheme, 3 * 127), false);
    for (std::int64_t m = 0; m < c.m; ++m) {
      float* row = c.x.view().row(m);
      const float largest = 1.0F + 0.1F * static_cast<float>(m);
      const float scale = largest / 127;
      for (std::int64_t i = 0; i < 127; ++i) {
        const float tie = (static_cast<float>(i) - 0.5F) * scale;
        row[3 * i] = i == 0 ? largest : tie;
        row[3 * i + 1] = std::nextafter(tie, 0.0F);
        row[3 * i + 2] = -std::nextafter(tie, largest);
      }
    }
    expect_agrees(c);
  }
}

TEST_P(KernelTableTest, SumsThatCouldOverflowAreRefused) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    const Problem problem{.m_max = rows_taken(kernel(), scheme),
                          .n = 16,
                          .k = kLongestSum + 1,
                          .scheme = scheme,
                          .bias = false};
    const bool overflows =
        scheme.quantizes_input() && sum_length(scheme.weights, problem.k) > kLongestSum;
    const auto refusal = kernel().accepts(problem);
    if (overflows || kernel().info().backend == "cpu") {
      EXPECT_EQ(refusal.has_value(), overflows) << to_string(scheme);
    }
  }
}

TEST_P(KernelTableTest, ActivationsThatAreNotFiniteAreRefused) {
  if (is_peer()) GTEST_SKIP() << "left to " << kernel().info().backend;
  for (const Scheme& scheme : schemes_of(kernel())) {
    if (!scheme.quantizes_input()) continue;
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                            -std::numeric_limits<float>::infinity(), FLT_MAX}) {
      KernelCase c = normal_case(scheme, 9, 17, 70, false);
      c.x.at[123] = bad;
      EXPECT_THROW(run_guarded(kernel(), c, 2), InputError) << c.describe() << " with " << bad;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, KernelTableTest, testing::ValuesIn(tested_kernels("linear_")),
                         [](const auto& row) { return std::string(row.param->info().name); });

TEST(KernelTable, HasRowsThatRunHere) {
  int running = 0;
  for (const Kernel* kernel : rows_named("")) running += cpu_runs(kernel->info().isa);
  EXPECT_GT(running, 2) << "nothing but the reference kernels can be tested on this CPU";
}

/// Of all that this build made; a name is there once.
std::vector<Backend> built_backends() {
  std::vector<Backend> all;
  for (const KernelLibrary& library : built_libraries()) {
    const std::span<const Backend> backends = library.table().backends;
    all.insert(all.end(), backends.begin(), backends.end());
  }
  return all;
}

TEST(KernelTable, NamesFollowTheirColumns) {
  for (const Kernel* kernel : rows_named("")) {
    const KernelInfo& info = kernel->info();
    EXPECT_TRUE(info.name.starts_with("linear_") || info.name.starts_with("conv_")) << info.name;
    EXPECT_TRUE(info.name.ends_with(info.isa == Isa::any ? info.backend : to_string(info.isa)))
        << info.name;
    const auto has_name = [&](const Kernel* other) { return other->info().name == info.name; };
    EXPECT_EQ(std::ranges::count_if(rows_named(""), has_name), 1) << info.name;
    const std::vector<Backend> backends = built_backends();
    const auto is_mine = [&](const Backend& b) { return b.name == info.backend; };
    ASSERT_EQ(std::count_if(backends.begin(), backends.end(), is_mine), 1) << info.name;
    // Rows of libraries and devices that are looked for at run time are there without them.
    const std::string_view missing =
        std::find_if(backends.begin(), backends.end(), is_mine)->missing;
    if (missing.empty()) continue;
    const std::set<std::string_view> looked_for{"ggml", "onnxruntime", "cuda", "cuda_tf32"};
    EXPECT_TRUE(looked_for.contains(info.backend)) << info.name;
    std::vector<std::string> reasons;
    for (const char* text : kSchemes) {
      const auto refusal = kernel->accepts(
          {.m_max = kManyRows, .n = 16, .k = 128, .scheme = parse_scheme(text), .bias = false});
      ASSERT_TRUE(refusal.has_value()) << info.name << " " << text;
      reasons.push_back(refusal->reason);
    }
    EXPECT_NE(std::find(reasons.begin(), reasons.end(), missing), reasons.end()) << info.name;
  }
}

TEST(KernelTable, CudaIsThereOrItsReasonIs) {
  for (const std::string_view name : {"cuda", "cuda_tf32"}) {
    const std::vector<Backend> backends = built_backends();
    const auto is_it = [&](const Backend& backend) { return backend.name == name; };
    ASSERT_EQ(std::ranges::count_if(backends, is_it), 1) << name;
    const Backend& backend = *std::ranges::find_if(backends, is_it);
    EXPECT_NE(backend.missing.empty(), backend.version.empty()) << name;
  }
}

}  // namespace
}  // namespace qassay
