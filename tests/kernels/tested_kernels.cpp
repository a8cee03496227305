#include "tests/kernels/tested_kernels.hpp"

#include "tests/kernels/kernel_case.hpp"

namespace qassay {

std::vector<const Kernel*> tested_kernels(std::string_view prefix) {
  std::vector<const Kernel*> kernels = rows_named(prefix);
#if defined(__x86_64__)
  for (const Kernel* kernel : evex_rows()) {
    if (kernel->info().name.starts_with(prefix)) kernels.push_back(kernel);
  }
#endif
  return kernels;
}

}  // namespace qassay
