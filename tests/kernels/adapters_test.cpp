// The kernels of other libraries against the reference kernels, over awkward shapes.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <omp.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/kernels/adapter_case.hpp"

namespace qassay {
namespace {

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
    for (const std::int64_t k : {1, 3, 33, 123, 300}) {
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
