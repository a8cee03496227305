#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "kernels/kernel.hpp"

namespace qassay {

/// A shared library of kernels, loaded at run time: two builds of it can be timed against each
/// other in one process. Everything that a table hands out lives as long as the library object.
class KernelLibrary {
 public:
  /// Throws InputError when the file cannot be loaded, exports no table, or has another interface
  /// version.
  explicit KernelLibrary(const std::filesystem::path& path);

  const KernelTable& table() const { return *table_; }
  /// nullptr when there is none of that name.
  const Kernel* find(std::string_view name) const;

 private:
  std::unique_ptr<void, int (*)(void*)> handle_;
  const KernelTable* table_ = nullptr;
};

/// libqassay_kernels.so beside the running program.
std::filesystem::path default_kernel_library();
/// That, and libqassay_kernels_cuda.so where the program was built with it.
std::vector<std::filesystem::path> default_kernel_libraries();

}  // namespace qassay
