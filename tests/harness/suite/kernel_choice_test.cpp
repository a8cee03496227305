#include "harness/suite/kernel_choice.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/error.hpp"

namespace qassay {
namespace {

bool among(const std::vector<Isa>& isas, Isa isa) {
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

Machine machine_that_runs(const std::vector<Isa>& isas) {
  Machine machine;
  machine.isas = isas;
  return machine;
}

Problem problem_in(const char* scheme) {
  return {.m_max = 1, .n = 16, .k = 128, .scheme = parse_scheme(scheme)};
}

std::string reason_of(const std::optional<Refusal>& refusal) {
  return refusal ? refusal->reason : "";
}

// On this processor: its kernels may run, and those of others say what is missing.
TEST(KernelChoiceTest, KernelsThatThisMachineLacksAreRefusedWithTheInstructionSetsName) {
  const std::vector<Isa> isas = supported_isas();
  const KernelChoice choice({QASSAY_KERNEL_LIBRARY}, machine_that_runs(isas), std::nullopt);
  for (const Kernel* kernel : choice.kernels()) {
    const Isa isa = kernel->info().isa;
    const std::string missing =
        among(isas, isa) ? "" : fmt::format("needs {}, which this machine lacks", to_string(isa));
    EXPECT_EQ(reason_of(choice.missing_isa(*kernel)), missing) << kernel->info().name;
  }
}

TEST(KernelChoiceTest, TheBestKernelThatThisMachineRunsIsChosen) {
  const std::vector<Isa> isas = supported_isas();
  const KernelChoice choice({QASSAY_KERNEL_LIBRARY}, machine_that_runs(isas), std::nullopt);
  for (const char* scheme : {"W8A8", "W4A8-g32", "W4A8-g128"}) {
    const auto chosen = choice.choose("cpu", problem_in(scheme));
    Isa best = Isa::any;
    for (const Kernel* kernel : choice.kernels()) {
      if (kernel->info().backend == "cpu" && !kernel->accepts(problem_in(scheme)) &&
          among(isas, kernel->info().isa))
        best = std::max(best, kernel->info().isa);
    }
    if (best == Isa::any) {
      EXPECT_TRUE(std::holds_alternative<Refusal>(chosen)) << scheme;
    } else {
      EXPECT_EQ(std::get<const Kernel*>(chosen)->info().isa, best) << scheme;
    }
  }
}

TEST(KernelChoiceTest, AForcedInstructionSetRulesOutThoseAboveIt) {
  const std::vector<Isa> all(std::begin(kAllIsas), std::end(kAllIsas));
  for (const Isa forced : all) {
    const KernelChoice choice({QASSAY_KERNEL_LIBRARY}, machine_that_runs(all), forced);
    for (const Kernel* kernel : choice.kernels()) {
      const Isa isa = kernel->info().isa;
      const std::string missing =
          isa <= forced ? "" : fmt::format("needs {}, which --isa rules out", to_string(isa));
      EXPECT_EQ(reason_of(choice.missing_isa(*kernel)), missing) << kernel->info().name;
    }
  }
}

#if defined(__x86_64__)
// Whatever our kernels do with AVX-512 they do without it.
TEST(KernelChoiceTest, Avx2TakesEverySchemeThatAvx512Takes) {
  const std::vector<Isa> all(std::begin(kAllIsas), std::end(kAllIsas));
  const KernelChoice widest({QASSAY_KERNEL_LIBRARY}, machine_that_runs(all), std::nullopt);
  const KernelChoice avx2({QASSAY_KERNEL_LIBRARY}, machine_that_runs(all), Isa::avx2);
  int schemes = 0;
  for (const char* weights : {"FP32", "FP16", "BF16", "W8A8", "W4A8", "W8A16", "W4A16"}) {
    for (const char* scales : {"", "-g32", "-g128"}) {
      for (const char* zeros : {"", "-asym"}) {
        for (const char* range : {"", "-blocked", "-static"}) {
          const std::string text = std::string(weights) + scales + zeros + range;
          Problem problem = problem_in("FP32");
          try {
            problem.scheme = parse_scheme(text);
          } catch (const InputError&) {
            continue;
          }
          for (const bool convolution : {false, true}) {
            problem.convolution.reset();
            if (convolution) problem.convolution = Convolution{1, 1, 128, 1, 1};
            const auto with_avx512 = widest.choose("cpu", problem);
            const auto chosen = avx2.choose("cpu", problem);
            ASSERT_EQ(chosen.index(), with_avx512.index()) << text << convolution;
            if (std::holds_alternative<Refusal>(chosen)) continue;
            EXPECT_GE(std::get<const Kernel*>(with_avx512)->info().isa, Isa::avx512) << text;
            EXPECT_EQ(std::get<const Kernel*>(chosen)->info().isa, Isa::avx2) << text;
            ++schemes;
          }
        }
      }
    }
  }
  EXPECT_GT(schemes, 30);
}

TEST(KernelChoiceTest, AvxVnniIsPreferredToAvx2) {
  const std::vector<Isa> laptop{Isa::any, Isa::avx2, Isa::avxvnni};
  const KernelChoice choice({QASSAY_KERNEL_LIBRARY}, machine_that_runs(laptop), std::nullopt);
  for (const char* scheme : {"W8A8", "W4A8-g32", "W8A8-g32-asym", "W4A8-g128-blocked"}) {
    const auto chosen = choice.choose("cpu", problem_in(scheme));
    EXPECT_EQ(std::get<const Kernel*>(chosen)->info().isa, Isa::avxvnni) << scheme;
  }
}
#endif

TEST(KernelChoiceTest, AForcedInstructionSetThatIsMissingIsAnError) {
  const std::vector<Isa> isas = supported_isas();
  for (const Isa forced : kAllIsas) {
    if (among(isas, forced)) continue;
    try {
      const KernelChoice choice({QASSAY_KERNEL_LIBRARY}, machine_that_runs(isas), forced);
      ADD_FAILURE() << "nothing was said about " << to_string(forced);
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(to_string(forced)), std::string::npos)
          << error.what();
    }
  }
}

}  // namespace
}  // namespace qassay
