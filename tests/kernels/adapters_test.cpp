// The kernels of other libraries against the reference kernels, over awkward shapes.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <omp.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "core/buffer.hpp"
#include "core/grid.hpp"
#include "core/half.hpp"
#include "core/seed.hpp"
#include "kernels/kernel_library.hpp"

namespace qassay {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

const KernelLibrary& library() {
  static const KernelLibrary kernels(default_kernel_library());
  return kernels;
}

bool is_adapter(std::string_view backend) { return backend == "onednn" || backend == "openblas"; }

std::vector<const Kernel*> adapters() {
  std::vector<const Kernel*> found;
  for (const Kernel* kernel : library().table().kernels) {
    const KernelInfo& info = kernel->info();
    if (is_adapter(info.backend) && info.name.starts_with("linear_")) found.push_back(kernel);
  }
  return found;
}

std::vector<float> normal_numbers(std::int64_t count, std::string_view name) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  fill_normal(numbers, seed_from_name(name), 1.0F);
  return numbers;
}

QuantMatrix blank(const Scheme& scheme, std::int64_t n, std::int64_t k) {
  QuantMatrix weights;
  weights.scheme = scheme;
  weights.n = n;
  weights.k = k;
  return weights;
}

QuantMatrix weights_of(const Scheme& scheme, std::int64_t n, std::int64_t k,
                       const std::vector<float>& values) {
  QuantMatrix weights = blank(scheme, n, k);
  if (scheme.weights.kind == Kind::f32) weights.values = values;
  if (scheme.weights.kind == Kind::bf16) {
    for (const float value : values) weights.halves.push_back(f32_to_bf16(value));
  }
  if (scheme.weights.kind == Kind::integer) {
    for (std::int64_t row = 0; row < n; ++row) {
      const float* const begin = values.data() + row * k;
      float max_abs = 0;
      for (std::int64_t i = 0; i < k; ++i) max_abs = std::max(max_abs, std::fabs(begin[i]));
      const Grid grid = symmetric_grid(max_abs, 8, DType::f32);
      weights.scales.push_back(grid.scale);
      for (std::int64_t i = 0; i < k; ++i) {
        weights.codes.push_back(static_cast<std::uint8_t>(grid.code(begin[i])));
      }
    }
  }
  return weights;
}

/// Rows with `gap` unused numbers after each, everything NaN at first.
class Rows {
 public:
  Rows(std::int64_t rows, std::int64_t cols, std::int64_t gap)
      : numbers_(static_cast<std::size_t>(rows * (cols + gap)), kNan),
        view_(numbers_.data(), rows, cols, cols + gap) {}

  Matrix view() const { return view_; }
  void fill(const std::vector<float>& dense) {
    for (std::int64_t i = 0; i < view_.rows; ++i)
      std::copy_n(dense.begin() + i * view_.cols, view_.cols, view_.row(i));
  }
  std::vector<float> dense() const {
    std::vector<float> all;
    for (std::int64_t i = 0; i < view_.rows; ++i)
      all.insert(all.end(), view_.row(i), view_.row(i) + view_.cols);
    return all;
  }
  bool gaps_untouched() const {
    for (std::int64_t i = 0; i < view_.rows; ++i) {
      for (std::int64_t j = view_.cols; j < view_.stride; ++j) {
        if (!std::isnan(view_.row(i)[j])) return false;
      }
    }
    return true;
  }

 private:
  std::vector<float> numbers_;
  Matrix view_;
};

/// Runs in a poisoned workspace of exactly the size asked for and looks behind its end.
void run(Prepared& prepared, ConstMatrix x, Matrix y) {
  constexpr std::size_t kGuard = 64;
  const std::size_t bytes = prepared.workspace_bytes();
  const Buffer workspace(bytes + kGuard);
  std::memset(workspace.data(), 0xff, bytes + kGuard);
  prepared.run(x, {workspace.data(), bytes}, y);
  for (std::size_t i = bytes; i < bytes + kGuard; ++i) {
    ASSERT_EQ(workspace.data()[i], std::byte{0xff}) << "wrote behind its workspace";
  }
}

std::vector<float> reference(const Scheme& scheme, const QuantMatrix& weights,
                             const std::vector<float>& bias, std::vector<float> x) {
  const Kernel* const kernel = library().find(
      scheme.quantizes_input() ? "linear_a8r_any_f32_reference" : "linear_f32_any_f32_reference");
  const auto rows = static_cast<std::int64_t>(x.size()) / weights.k;
  const Problem problem{rows, weights.n, weights.k, scheme, !bias.empty()};
  const auto prepared = kernel->prepare(problem, weights, bias, Device{});
  Rows y(rows, weights.n, 0);
  run(*prepared, {x.data(), rows, weights.k}, y.view());
  return y.dense();
}

void expect_equal_bits(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(expected[i]))
        << "number " << i << ": " << got[i] << " for " << expected[i];
  }
}

/// |got - expected| <= factor * scale, each by number; never true of NaN.
void expect_near(const std::vector<float>& got, const std::vector<float>& expected, double factor,
                 const std::vector<float>& scale) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(got[i]) - expected[i]);
    ASSERT_TRUE(difference <= factor * scale[i])
        << "number " << i << ": " << got[i] << " for " << expected[i];
  }
}

/// What a kernel's contract says of its output for the rows of x; rows do not depend on each other.
///
/// The bound of a sum of k products in FP32, in any order, is (k + 2) * 2^-24 of the sum of their
/// magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1); the rounding
/// of the expected number to FP32 takes one more.
class Expectation {
 public:
  Expectation(const Kernel& kernel, const QuantMatrix& weights, const std::vector<float>& values,
              const std::vector<float>& bias, const std::vector<float>& x)
      : contract_(kernel.info().contract),
        order_(static_cast<double>(weights.k + 3) * 0x1p-24),
        expected_(reference(weights.scheme, weights, bias, x)) {
    if (contract_ == Contract::bit_exact) return;
    magnitudes_ =
        reference(weights.scheme, weights_of(weights.scheme, weights.n, weights.k, abs(values)),
                  abs(bias), abs(x));
    if (contract_ == Contract::reordered) return;
    std::vector<float> rounded = x;
    for (float& number : rounded) number = bf16_to_f32(f32_to_bf16(number));
    on_rounded_x_ = reference(weights.scheme, weights, bias, rounded);
  }

  /// `got`: the first rows.
  void holds_for(const std::vector<float>& got) const {
    switch (contract_) {
      case Contract::bit_exact:
        return expect_equal_bits(got, first(expected_, got.size()));
      case Contract::reordered:
        return expect_near(got, first(expected_, got.size()), order_, magnitudes_);
      case Contract::fine_codes:
        FAIL() << "no adapter's";
      case Contract::approximate:  // BF16: close, and much closer on rounded activations
        expect_near(got, first(expected_, got.size()), 0x1p-8 + 2 * order_, magnitudes_);
        expect_near(got, first(on_rounded_x_, got.size()), 2 * order_, magnitudes_);
    }
  }

 private:
  static std::vector<float> abs(std::vector<float> numbers) {
    for (float& number : numbers) number = std::fabs(number);
    return numbers;
  }
  static std::vector<float> first(const std::vector<float>& all, std::size_t count) {
    return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  Contract contract_;
  double order_;
  std::vector<float> expected_;
  std::vector<float> magnitudes_;    // of all that was summed
  std::vector<float> on_rounded_x_;  // approximate contract only
};

class AdapterTest : public ::testing::TestWithParam<const Kernel*> {
 protected:
  const Kernel& kernel() const { return *GetParam(); }

  /// The one scheme whose weights the kernel takes, by its name.
  Scheme scheme() const {
    const std::string_view name = kernel().info().name;
    if (name.starts_with("linear_a8r_s8c")) return parse_scheme("W8A8");
    if (name.starts_with("linear_bf16")) return parse_scheme("BF16");
    return parse_scheme("FP32");
  }

  /// Not every machine has BF16 or exact INT8 in these libraries; FP32 is everywhere.
  void SetUp() override {
    const auto refusal = kernel().accepts({1, 16, 16, scheme(), false});
    if (!refusal) return;
    EXPECT_NE(scheme(), parse_scheme("FP32")) << refusal->reason;
    GTEST_SKIP() << refusal->reason;
  }
};

TEST_P(AdapterTest, HoldsItsContractOnAwkwardShapes) {
  constexpr std::int64_t kRows[] = {1, 2, 5, 31, 33, 128};
  for (const std::int64_t n : {1, 7, 16, 65, 131}) {
    for (const std::int64_t k : {1, 3, 33, 127, 300}) {
      const std::vector<float> values = normal_numbers(n * k, "weights");
      const QuantMatrix weights = weights_of(scheme(), n, k, values);
      for (const bool has_bias : {false, true}) {
        const std::vector<float> bias = normal_numbers(has_bias ? n : 0, "bias");
        const std::vector<float> numbers = normal_numbers(128 * k, "activations");
        const Expectation expectation(kernel(), weights, values, bias, numbers);
        for (const std::int64_t m_max : {1, 5, 128}) {
          const Problem problem{m_max, n, k, scheme(), has_bias};
          ASSERT_FALSE(kernel().accepts(problem).has_value());
          const int threads = m_max == 5 ? 1 : 2;
          const auto prepared = kernel().prepare(problem, weights, bias, Device{threads});
          for (const std::int64_t m : kRows) {
            if (m > m_max) continue;
            SCOPED_TRACE(::testing::Message() << "m " << m << " of " << m_max << ", n " << n
                                              << ", k " << k << ", bias " << has_bias);
            for (const std::int64_t gap : {0, 3}) {
              Rows x(m, k, gap);
              x.fill(numbers);
              const Rows y(m, n, 2 * gap);
              run(*prepared, x.view(), y.view());
              EXPECT_TRUE(y.gaps_untouched());
              expectation.holds_for(y.dense());
              if (HasFatalFailure()) return;
            }
          }
        }
      }
    }
  }
}

TEST_P(AdapterTest, GivesTheSameBitsWhenAskedAgain) {
  constexpr std::int64_t kM = 33;
  constexpr std::int64_t kN = 131;
  constexpr std::int64_t kK = 300;
  const QuantMatrix weights = weights_of(scheme(), kN, kK, normal_numbers(kN * kK, "weights"));
  const Problem problem{kM, kN, kK, scheme(), false};
  std::vector<float> numbers = normal_numbers(kM * kK, "activations");
  for (const int threads : {1, 2}) {
    const auto prepared = kernel().prepare(problem, weights, {}, Device{threads});
    const Rows once(kM, kN, 0);
    const Rows again(kM, kN, 0);
    run(*prepared, {numbers.data(), kM, kK}, once.view());
    run(*prepared, {numbers.data(), kM, kK}, again.view());
    expect_equal_bits(again.dense(), once.dense());
  }
}

TEST_P(AdapterTest, CopiesLiveOnTheirOwn) {
  constexpr std::int64_t kM = 5;
  constexpr std::int64_t kN = 1031;
  constexpr std::int64_t kK = 600;  // more than a huge page of FP32 weights
  const QuantMatrix weights = weights_of(scheme(), kN, kK, normal_numbers(kN * kK, "weights"));
  const std::vector<float> bias = normal_numbers(kN, "bias");
  auto original = kernel().prepare({kM, kN, kK, scheme(), true}, weights, bias, Device{2});
  auto first = original->copy();
  const auto second = first->copy();
  EXPECT_EQ(second->packed_bytes(), original->packed_bytes());
  EXPECT_EQ(second->workspace_bytes(), original->workspace_bytes());
  EXPECT_EQ(second->implementation(), original->implementation());

  std::vector<float> numbers = normal_numbers(kM * kK, "activations");
  const Rows expected(kM, kN, 0);
  run(*original, {numbers.data(), kM, kK}, expected.view());
  original.reset();
  for (Prepared* const copy : {first.get(), second.get()}) {
    Rows x(kM, kK, 3);
    x.fill(numbers);
    const Rows y(kM, kN, 1);
    run(*copy, x.view(), y.view());
    expect_equal_bits(y.dense(), expected.dense());
  }
  first.reset();
  const Rows last(2, kN, 0);
  run(*second, {numbers.data(), 2, kK}, last.view());
  std::vector<float> head = expected.dense();
  head.resize(2 * kN);
  expect_near(last.dense(), head, 1e-4, std::vector<float>(head.size(), 100.0F));
}

TEST_P(AdapterTest, CountsWhatItPacks) {
  const QuantMatrix weights = weights_of(scheme(), 128, 256, normal_numbers(128 * 256, "weights"));
  const std::vector<float> bias = normal_numbers(128, "bias");
  const auto prepared = kernel().prepare({4, 128, 256, scheme(), true}, weights, bias, Device{1});
  const std::size_t numbers =
      weights.values.size() * 4 + weights.halves.size() * 2 + weights.codes.size();
  const std::size_t least = numbers + weights.scales.size() * 4 + bias.size() * 4;
  EXPECT_GE(prepared->packed_bytes(), least);
  EXPECT_LE(prepared->packed_bytes(), least + numbers / 8);  // INT8: a compensation a channel
  EXPECT_EQ(prepared->traffic(3).weight_bytes, static_cast<double>(prepared->packed_bytes()));
  EXPECT_EQ(prepared->traffic(3).operations, 2.0 * 3 * 128 * 256);
}

TEST_P(AdapterTest, LeavesTheCallersThreadsAlone) {
  const QuantMatrix weights = weights_of(scheme(), 16, 16, normal_numbers(256, "weights"));
  std::vector<float> numbers = normal_numbers(2 * 16, "activations");
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  const auto prepared = kernel().prepare({2, 16, 16, scheme(), false}, weights, {}, Device{2});
  const Rows y(2, 16, 0);
  run(*prepared, {numbers.data(), 2, 16}, y.view());
  EXPECT_EQ(omp_get_max_threads(), 3);
  omp_set_num_threads(before);
}

TEST_P(AdapterTest, RefusesOtherSchemesWithAReason) {
  for (const char* const text : {"FP32", "FP16", "BF16", "W8A8", "W8A16", "W8A8-tensor",
                                 "W8A8-g128", "W8A8-asym", "W4A8", "W4A16-g128"}) {
    const Scheme other = parse_scheme(text);
    const auto refusal = kernel().accepts({8, 64, 128, other, false});
    EXPECT_EQ(refusal.has_value(), other != scheme()) << text;
    if (refusal) {
      EXPECT_FALSE(refusal->reason.empty()) << text;
    }
  }
}

TEST_P(AdapterTest, NamesWhatReallyRuns) {
  const QuantMatrix weights = weights_of(scheme(), 64, 64, normal_numbers(64 * 64, "weights"));
  const auto prepared = kernel().prepare({32, 64, 64, scheme(), false}, weights, {}, Device{1});
  const std::string name = prepared->implementation();
  EXPECT_FALSE(name.empty());
  // Neither library may end in its unvectorized code on rows of this kind.
  EXPECT_THAT(name, ::testing::Not(::testing::StartsWith("ref")));
  RecordProperty("implementation", name);
}

INSTANTIATE_TEST_SUITE_P(Table, AdapterTest, ::testing::ValuesIn(adapters()),
                         [](const auto& test) { return std::string(test.param->info().name); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AdapterTest);

TEST(AdapterBackendsTest, AreBuiltOrSayWhyNot) {
  std::set<std::string_view> named;
  for (const Backend& backend : library().table().backends) {
    if (!is_adapter(backend.name)) continue;
    named.insert(backend.name);
    std::size_t kernels = 0;
    for (const Kernel* kernel : adapters()) {
      if (kernel->info().backend == backend.name) ++kernels;
    }
    EXPECT_EQ(kernels > 0, backend.missing.empty()) << backend.name;
    EXPECT_EQ(kernels > 0, !backend.version.empty()) << backend.name;
    if (!backend.version.empty()) {
      EXPECT_THAT(std::string(backend.version), ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"))
          << backend.name;
    }
  }
  EXPECT_THAT(named, ::testing::UnorderedElementsAre("onednn", "openblas"));
}

class Int8AdapterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    kernel_ = library().find("linear_a8r_s8c_f32_onednn");
    if (kernel_ == nullptr) GTEST_SKIP() << "built without oneDNN";
    if (const auto refusal = kernel_->accepts({1, 16, 16, scheme_, false}))
      GTEST_SKIP() << refusal->reason;
  }

  const Scheme scheme_ = parse_scheme("W8A8");
  const Kernel* kernel_ = nullptr;
};

// Pairs of such products leave 16 bits, and the sum comes as near to 2^31 as a layer may.
TEST_F(Int8AdapterTest, SumsTheLargestCodesExactly) {
  constexpr std::int64_t kN = 4;
  constexpr std::uint8_t kCodes[kN] = {255, 1, 0, 200};  // 127, -127, -128 and 72
  for (const std::int64_t k : {2L, 64L, 4096L, 65'793L}) {
    QuantMatrix weights = blank(scheme_, kN, k);
    for (const std::uint8_t code : kCodes)
      weights.codes.insert(weights.codes.end(), static_cast<std::size_t>(k), code);
    weights.scales.assign(kN, 1.0F);
    for (const std::int64_t m : {1, 2, 33}) {
      SCOPED_TRACE(::testing::Message() << "m " << m << ", k " << k);
      std::vector<float> x(static_cast<std::size_t>(m * k));
      for (std::int64_t i = 0; i < m; ++i)  // codes of 127 and -127
        std::fill_n(x.begin() + i * k, k, i % 2 == 0 ? 127.0F : -127.0F);
      const auto prepared = kernel_->prepare({m, kN, k, scheme_, false}, weights, {}, Device{2});
      const Rows y(m, kN, 0);
      run(*prepared, {x.data(), m, k}, y.view());
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < kN; ++j) {
          const std::int64_t sum = (i % 2 == 0 ? 127 : -127) * (kCodes[j] - 128) * k;
          EXPECT_EQ(y.view().row(i)[j], static_cast<float>(sum)) << "row " << i << ", code " << j;
        }
      }
      expect_equal_bits(y.dense(), reference(scheme_, weights, {}, x));
    }
  }
}

// Signs alternate within a pair, so saturation in one place would not cancel in another.
TEST_F(Int8AdapterTest, SumsAlternatingExtremesExactly) {
  constexpr std::int64_t kN = 65;
  constexpr std::int64_t kK = 1021;
  constexpr std::int64_t kM = 7;
  QuantMatrix weights = blank(scheme_, kN, kK);
  for (std::int64_t i = 0; i < kN * kK; ++i)
    weights.codes.push_back(i % 3 == 0 ? std::uint8_t{1} : std::uint8_t{255});
  weights.scales.assign(kN, 0.37F);
  std::vector<float> x;
  for (std::int64_t i = 0; i < kM * kK; ++i) x.push_back(i % 5 == 0 ? -2.5F : 2.5F);
  const std::vector<float> bias = normal_numbers(kN, "bias");
  const auto prepared = kernel_->prepare({kM, kN, kK, scheme_, true}, weights, bias, Device{2});
  const Rows y(kM, kN, 0);
  run(*prepared, {x.data(), kM, kK}, y.view());
  expect_equal_bits(y.dense(), reference(scheme_, weights, bias, x));
}

// Ties, zeros, subnormal and huge rows: the rows are quantized by code of our own.
TEST_F(Int8AdapterTest, QuantizesStrangeRowsAsTheReferenceDoes) {
  constexpr std::int64_t kN = 16;
  constexpr std::int64_t kK = 67;
  constexpr std::int64_t kM = 6;
  std::vector<float> x(kM * kK, 0.0F);  // row 0: zeros
  for (std::int64_t i = 0; i < kK; ++i) {
    const auto step = static_cast<float>(i);
    x[1 * kK + i] = i == 0 ? 127.0F : step - 33.5F;                           // ties
    x[2 * kK + i] = std::numeric_limits<float>::denorm_min() * step;          // subnormal
    x[3 * kK + i] = std::numeric_limits<float>::max() / 2 * (step / 66.0F);   // large
    x[4 * kK + i] = -0.0F;                                                    // zeros with a sign
    x[5 * kK + i] = i == 5 ? -1e20F : std::ldexp(1.0F, static_cast<int>(i));  // wide
  }
  const QuantMatrix weights = weights_of(scheme_, kN, kK, normal_numbers(kN * kK, "weights"));
  const auto prepared = kernel_->prepare({kM, kN, kK, scheme_, false}, weights, {}, Device{2});
  const Rows y(kM, kN, 0);
  run(*prepared, {x.data(), kM, kK}, y.view());
  expect_equal_bits(y.dense(), reference(scheme_, weights, {}, x));
}

TEST_F(Int8AdapterTest, SaysWhenActivationsAreNotFinite) {
  const QuantMatrix weights = weights_of(scheme_, 16, 20, normal_numbers(16 * 20, "weights"));
  const auto prepared = kernel_->prepare({4, 16, 20, scheme_, false}, weights, {}, Device{2});
  const Buffer workspace(prepared->workspace_bytes());
  for (const float bad : {kNan, std::numeric_limits<float>::infinity()}) {
    std::vector<float> x = normal_numbers(4 * 20, "activations");
    x[2 * 20 + 13] = bad;
    EXPECT_THROW(prepared->quantize_input({x.data(), 4, 20}, {workspace.data(), workspace.size()}),
                 InputError);
  }
}

TEST_F(Int8AdapterTest, RefusesSumsThatCanOverflow) {
  EXPECT_FALSE(kernel_->accepts({1, 16, 65'793, scheme_, false}).has_value());
  EXPECT_TRUE(kernel_->accepts({1, 16, 65'794, scheme_, false}).has_value());
}

// The pthread build has the same SONAME and is what the system prefers where it is installed.
TEST(OpenBlasAdapterTest, RunsTheOpenMpBuildOnTheOneOpenMpRuntime) {
  if (library().find("linear_f32_f32_f32_openblas") == nullptr)
    GTEST_SKIP() << "built without OpenBLAS";
  void* const openblas = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(openblas, nullptr) << dlerror();
  const auto parallel = reinterpret_cast<int (*)()>(dlsym(openblas, "openblas_get_parallel"));
  ASSERT_NE(parallel, nullptr);
  EXPECT_EQ(parallel(), 2);  // 0: sequential, 1: pthreads, 2: OpenMP

  std::set<std::string> libraries;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t path = line.find('/');
    if (path != std::string::npos) libraries.insert(line.substr(path));
  }
  int openmp_runtimes = 0;
  int openblas_builds = 0;
  for (const std::string& path : libraries) {
    openmp_runtimes += path.find("/libgomp") != std::string::npos ||
                       path.find("/libomp") != std::string::npos ||
                       path.find("/libiomp") != std::string::npos;
    openblas_builds += path.find("/libopenblas") != std::string::npos;
    EXPECT_EQ(path.find("openblas-pthread"), std::string::npos) << path;
  }
  EXPECT_EQ(openmp_runtimes, 1);
  EXPECT_EQ(openblas_builds, 1);
  dlclose(openblas);
}

}  // namespace
}  // namespace qassay
