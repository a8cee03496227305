// Every convolution of the table against the reference kernels, by its contract. A new row is
// tested by being there.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/buffer.hpp"
#include "core/error.hpp"
#include "kernels/longest_sum.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/kernels/kernel_case.hpp"
#include "tests/kernels/tested_kernels.hpp"

namespace qassay {
namespace {

const char* const kSchemes[] = {"FP32",
                                "FP16",
                                "BF16",
                                "W8A8-static",
                                "W8A8-g32-static",
                                "W4A8-static",
                                "W4A8-g32-static",
                                "W4A8-g128-static",
                                "W8A16",
                                "W8A16-g32",
                                "W4A16",
                                "W4A16-g32",
                                "W4A16-g128",
                                "W8A8-asym-static",
                                "W3A8-tensor-static",
                                "W4A16-g64-asym",
                                "W8A8-g32-asym-static",
                                "W4A8-asym-static",
                                "W4A8-g32-asym-static",
                                "W8A16-asym",
                                "W8A16-g32-asym",
                                "W4A16-asym",
                                "W4A16-g32-asym"};

constexpr Convolution kSmall{
    .height = 6, .width = 5, .channels = 8, .kernel_height = 3, .kernel_width = 3, .padding = 1};

Problem problem_of(const Scheme& scheme, const Convolution& convolution, std::int64_t n = 16) {
  return {.m_max = 1,
          .n = n,
          .k = convolution.k(),
          .scheme = scheme,
          .bias = false,
          .convolution = convolution};
}

struct Shape {
  Convolution convolution;
  std::int64_t n;
};

/// height, width, channels, kernel height and width, stride, padding; outputs.
const Shape kShapes[] = {
    {{1, 1, 1, 1, 1, 1, 0}, 1},
    {{5, 7, 3, 1, 1, 1, 0}, 10},
    {{6, 6, 16, 1, 1, 2, 0}, 33},
    {{3, 3, 17, 1, 1, 1, 1}, 16},  // a border around a kernel of one pixel
    {{7, 5, 3, 3, 3, 1, 1}, 16},
    {{9, 8, 17, 3, 3, 2, 1}, 33},
    {{14, 14, 32, 3, 3, 1, 1}, 32},  // k = 288
    {{7, 7, 64, 3, 3, 1, 1}, 64},    // k = 576
    {{28, 27, 1, 5, 5, 1, 2}, 10},
    {{2, 3, 16, 5, 5, 1, 2}, 17},  // a kernel larger than the image
    {{4, 4, 4, 4, 4, 1, 0}, 65},   // one pixel
    {{1, 1, 33, 1, 1, 1, 0}, 64},
    {{3, 1, 1, 3, 2, 1, 1}, 1},
    {{5, 5, 2, 2, 3, 2, 2}, 10},
    {{6, 9, 7, 3, 1, 3, 0}, 113},    // k = 21, more than a panel of channels
    {{40, 30, 16, 3, 3, 1, 1}, 16},  // more than a band
    {{33, 31, 3, 7, 7, 2, 2}, 16},
};

/// With groups; the last two are depthwise.
const Shape kGroupedShapes[] = {
    {{6, 6, 8, 3, 3, 1, 1, 2}, 6},
    {{7, 6, 16, 3, 3, 2, 1, 16}, 16},
    {{5, 5, 3, 3, 2, 1, 2, 3}, 6},
};

/// The schemes of kSchemes that the kernel accepts.
std::vector<Scheme> schemes_of(const Kernel& kernel) {
  std::vector<Scheme> accepted;
  for (const char* text : kSchemes) {
    if (!kernel.accepts(problem_of(parse_scheme(text), kSmall)))
      accepted.push_back(parse_scheme(text));
  }
  return accepted;
}

class ConvTableTest : public testing::TestWithParam<const Kernel*> {
 protected:
  void SetUp() override {
    if (!cpu_runs(kernel().info().isa))
      GTEST_SKIP() << "this CPU has no " << to_string(kernel().info().isa);
    if (!schemes_of(kernel()).empty()) return;
    ASSERT_NE(kernel().info().backend, "cpu") << "accepts none of the schemes of this test";
    GTEST_SKIP() << "accepts nothing here";
  }

  const Kernel& kernel() const { return *GetParam(); }
  bool is_reference() const { return kernel().info().backend == "reference"; }

  /// Runs and checks, unless the kernel has a reason not to.
  void expect_agrees(const KernelCase& c) {
    if (kernel().accepts(c.problem(c.m))) return;
    expect_contract(kernel(), c, run_guarded(kernel(), c, 2));
    ++ran_;
  }

  int ran_ = 0;
};

TEST_P(ConvTableTest, AgreesOverAwkwardShapes) {
  constexpr std::int64_t kImages[] = {1, 2, 5};
  int number = 0;
  for (const Scheme& scheme : schemes_of(kernel())) {
    for (const Shape& shape : kShapes) {
      // The reference is compared with itself: what is left to see is where it reads and writes.
      if (is_reference() && shape.convolution.k() > 100) continue;
      const float mean = static_cast<float>(number % 4) - 1.0F;  // the zero of the range moves
      expect_agrees(normal_convolution(scheme, kImages[number % 3], shape.n, shape.convolution,
                                       number % 2 == 0, mean));
      ++number;
      if (HasFailure()) return;
    }
  }
  EXPECT_EQ(ran_, number);
}

TEST_P(ConvTableTest, AgreesOnGroupsOrRefusesThem) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    for (const Shape& shape : kGroupedShapes) {
      for (const float mean : {0.0F, 2.0F})
        expect_agrees(normal_convolution(scheme, 3, shape.n, shape.convolution, true, mean));
    }
  }
  EXPECT_EQ(ran_ > 0, kernel().info().backend != "cpu");
}

// Ranges that lie on one side of zero have it at their end; one that is far from x cuts all of it.
TEST_P(ConvTableTest, AgreesWithZerosAtTheEndsOfTheRange) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    if (!scheme.quantizes_input()) continue;
    for (const auto& [min, max] :
         {std::pair{0.0F, 3.0F}, {-2.0F, 0.0F}, {-0.1F, 90.0F}, {0.0F, 0.0F}}) {
      KernelCase c = normal_convolution(scheme, 2, 17, kSmall, true);
      c.weights.input = asymmetric_grid(min, max, 8, DType::f32);
      expect_agrees(c);
    }
  }
}

TEST_P(ConvTableTest, ThreadsGiveEqualBits) {
  const std::string_view backend = kernel().info().backend;
  if (kernel().info().contract != Contract::bit_exact && backend != "cpu")
    GTEST_SKIP() << backend << " may cut its sums by the number of threads";
  for (const Scheme& scheme : schemes_of(kernel())) {
    for (const std::int64_t m : {1, 3}) {
      for (const Shape& shape :
           {Shape{kSmall, 33}, Shape{{2, 1, 3, 1, 1}, 5}, Shape{{4, 4, 9, 4, 4}, 20}}) {
        const KernelCase c = normal_convolution(scheme, m, shape.n, shape.convolution, true);
        const Values one = run_guarded(kernel(), c, 1);
        EXPECT_EQ(different_bits(one, run_guarded(kernel(), c, 2)), 0) << c.describe();
        EXPECT_EQ(different_bits(one, run_guarded(kernel(), c, 11)), 0) << c.describe();
      }
    }
  }
}

// Images without gaps between them may be computed across their ends.
TEST_P(ConvTableTest, RowsWithoutGapsGiveTheSame) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    for (const Shape& shape :
         {Shape{kSmall, 20}, Shape{{3, 1, 8, 2, 1, 1, 1}, 16}, Shape{{2, 2, 5, 2, 2}, 16}}) {
      KernelCase c = normal_convolution(scheme, 7, shape.n, shape.convolution, true);
      const auto prepared = kernel().prepare(c.problem(9), c.weights, c.bias, {2});
      Buffer workspace(prepared->workspace_bytes());
      std::fill_n(workspace.data(), workspace.size(), std::byte{0xFF});
      Values got(c.m, c.problem(c.m).outputs());
      prepared->run(c.x.view(), {workspace.data(), workspace.size()}, got.view());
      expect_contract(kernel(), c, got);
    }
  }
}

TEST_P(ConvTableTest, CopiesGiveEqualBits) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    const KernelCase c = normal_convolution(scheme, 3, 33, kSmall, true);
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

TEST_P(ConvTableTest, FewerImagesThanTheMostAgree) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    for (const Shape& shape : {Shape{kSmall, 20}, Shape{{4, 4, 9, 4, 4}, 20}}) {
      const KernelCase most = normal_convolution(scheme, 9, shape.n, shape.convolution, true);
      const auto prepared = kernel().prepare(most.problem(most.m), most.weights, most.bias, {2});
      for (const std::int64_t m : {std::int64_t{9}, std::int64_t{1}, std::int64_t{4}}) {
        KernelCase c = most;
        c.m = m;
        c.x = Values(m, most.x.cols);
        std::copy_n(most.x.at.begin(), c.x.at.size(), c.x.at.begin());
        expect_contract(kernel(), c, run_guarded(*prepared, c, true));
      }
    }
  }
}

TEST_P(ConvTableTest, SaysWhatItMovesAndComputes) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    const KernelCase c = normal_convolution(scheme, 1, 20, kSmall, true);
    const auto prepared = kernel().prepare(c.problem(4), c.weights, c.bias, {1});
    const Traffic traffic = prepared->traffic(4);
    EXPECT_EQ(traffic.operations, 2.0 * 4 * 6 * 5 * 20 * 72);
    EXPECT_EQ(traffic.weight_bytes, static_cast<double>(prepared->packed_bytes()));
    EXPECT_EQ(traffic.activation_bytes, 4.0 * 4 * 6 * 5 * (8 + 20));
    // Nobody's unvectorized code; what runs is stored with the figures.
    EXPECT_FALSE(prepared->implementation().empty());
    EXPECT_EQ(prepared->implementation().starts_with("ref"), is_reference());
  }
}

// Pairs of such products would saturate at 16 bits, and the sum comes close to the end of 32.
TEST_P(ConvTableTest, LargestCodesAreExact) {
  const Scheme scheme = parse_scheme("W8A8-static");
  const Convolution whole{
      .height = 7, .width = 7, .channels = kLongestSum / 49, .kernel_height = 7, .kernel_width = 7};
  if (kernel().accepts(problem_of(scheme, whole, 4))) {
    EXPECT_FALSE(kernel().info().name.starts_with("conv_a8t_s8c"));
    return;
  }
  KernelCase c = normal_convolution(scheme, 2, 4, whole, false);
  c.weights.input = {.scale = 1.0F, .zero = 128, .low = 0, .high = 255};
  c.weights.scales.assign(4, 0.5F);
  constexpr int kCodes[] = {255, 1, 128, 200};
  for (std::int64_t n = 0; n < 4; ++n) {
    std::fill_n(c.weights.codes.begin() + n * c.k, c.k, static_cast<std::uint8_t>(kCodes[n]));
    for (std::int64_t m = 0; m < 2; ++m)
      std::fill_n(c.x.view().row(m), c.k, m == 0 ? 200.0F : -200.0F);  // beyond 127 and -128
  }
  const Values got = run_guarded(kernel(), c);
  for (std::int64_t m = 0; m < 2; ++m) {
    for (std::int64_t n = 0; n < 4; ++n) {
      const std::int64_t sum = (kCodes[n] - 128) * (m == 0 ? 127 : -128) * c.k;
      EXPECT_EQ(got.view().row(m)[n], static_cast<float>(sum) * 0.5F) << m << ' ' << n;
    }
  }
}

// Their scale is the smallest there is: a bias divided by it would be infinite.
TEST_P(ConvTableTest, ChannelsOfZerosGiveTheirBias) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    if (scheme.weights.kind != Kind::integer) continue;
    KernelCase c = normal_convolution(scheme, 2, 17, kSmall, true, 1);
    Values w(c.n, c.k);
    std::copy_n(dequantize(c.weights).begin(), w.at.size(), w.at.begin());
    std::fill_n(w.view().row(3), c.k, 0.0F);
    const Grid input = c.weights.input;
    c.weights = round_to_nearest(w.view(), c.scheme);
    c.weights.input = input;
    expect_agrees(c);
  }
}

// Halves of a step and their neighbours, where another rounding gives other codes.
TEST_P(ConvTableTest, ActivationsNextToTiesGetTheReferencesCodes) {
  const Convolution one{.height = 16, .width = 16, .channels = 3};
  for (const Scheme& scheme : schemes_of(kernel())) {
    if (!scheme.quantizes_input() || kernel().info().contract != Contract::bit_exact) continue;
    KernelCase c = normal_convolution(scheme, 1, 16, one, false);
    c.weights.input = asymmetric_grid(-1.3F, 2.1F, 8, DType::f32);
    for (std::int64_t i = 0; i < 256; ++i) {
      const float tie =
          (static_cast<float>(i - c.weights.input.zero) - 0.5F) * c.weights.input.scale;
      float* pixel = c.x.at.data() + 3 * i;
      pixel[0] = tie;
      pixel[1] = std::nextafter(tie, -9.0F);
      pixel[2] = std::nextafter(tie, 9.0F);
    }
    expect_agrees(c);
  }
}

TEST_P(ConvTableTest, ActivationsThatAreNotFiniteAreRefused) {
  for (const Scheme& scheme : schemes_of(kernel())) {
    if (!scheme.quantizes_input()) continue;
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      KernelCase c = normal_convolution(scheme, 3, 17, kSmall, false);
      c.x.at[c.x.at.size() / 2] = bad;
      EXPECT_THROW(run_guarded(kernel(), c, 2), InputError) << c.describe() << " with " << bad;
      c.x.at[c.x.at.size() / 2] = std::numeric_limits<float>::max();  // is cut off
      expect_agrees(c);
    }
  }
}

TEST_P(ConvTableTest, SumsThatCouldOverflowAreRefused) {
  const Convolution long_k{.height = 1, .width = 1, .channels = kLongestSum + 1};
  for (const Scheme& scheme : schemes_of(kernel())) {
    const bool overflows =
        scheme.quantizes_input() && sum_length(scheme.weights, long_k.k()) > kLongestSum;
    EXPECT_EQ(kernel().accepts(problem_of(scheme, long_k)).has_value(), overflows)
        << to_string(scheme);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, ConvTableTest, testing::ValuesIn(tested_kernels("conv_")),
                         [](const auto& row) { return std::string(row.param->info().name); });

// A backend with both kinds of kernels is asked with every problem: what was not made for it says
// so in the words that a choice of kernels looks for.
TEST(KernelKinds, EachRefusesTheOtherKind) {
  for (const Kernel* kernel : rows_named("")) {
    const bool conv = kernel->info().name.starts_with("conv_");
    for (const char* text : {"FP32", "FP16", "BF16", "W8A8", "W4A8-g32", "W4A8-g128", "W8A16",
                             "W4A16-g32", "W4A16-g128"}) {
      const Scheme scheme = parse_scheme(text);
      const Scheme in_convolutions = convolution_scheme(scheme);
      std::vector<Problem> others;
      Problem linear = problem_of(scheme, kSmall);
      linear.convolution.reset();
      others.push_back(conv ? linear : problem_of(in_convolutions, kSmall));
      if (scheme.quantizes_input()) {  // and the other kind of range
        others.push_back(conv ? problem_of(scheme, kSmall) : linear);
        if (!conv) others.back().scheme = in_convolutions;
      }
      for (const Problem& other : others) {
        const auto refusal = kernel->accepts(other);
        ASSERT_TRUE(refusal.has_value()) << kernel->info().name << ' ' << text;
        EXPECT_TRUE(refusal->reason.starts_with("takes "))
            << kernel->info().name << ' ' << text << ": " << refusal->reason;
      }
    }
  }
}

}  // namespace
}  // namespace qassay
