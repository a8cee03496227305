#include "kernels/kernel_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "core/error.hpp"

namespace qassay {

KernelLibrary::KernelLibrary(const std::filesystem::path& path)
    : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), dlclose) {
  if (!handle_) {
    throw InputError(path.string(), fmt::format("cannot be loaded as kernels ({})", dlerror()),
                     "name a library that this build made");
  }
  using Entry = const KernelTable* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle_.get(), kKernelTableSymbol));
  if (entry == nullptr) {
    throw InputError(path.string(), fmt::format("exports no {}", kKernelTableSymbol),
                     "name a library of kernels");
  }
  table_ = entry();
  if (table_->interface_version != kKernelInterfaceVersion) {
    throw InputError(path.string(),
                     fmt::format("has kernel interface {}, this program has {}",
                                 table_->interface_version, kKernelInterfaceVersion),
                     "build both from the same interface");
  }
}

const Kernel* KernelLibrary::find(std::string_view name) const {
  for (const Kernel* kernel : table_->kernels) {
    if (kernel->info().name == name) return kernel;
  }
  return nullptr;
}

std::filesystem::path default_kernel_library() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libqassay_kernels.so";
}

std::vector<std::filesystem::path> default_kernel_libraries() {
  std::vector<std::filesystem::path> all{default_kernel_library()};
#ifdef QASSAY_WITH_CUDA
  all.push_back(all.front().parent_path() / "libqassay_kernels_cuda.so");
#endif
  return all;
}

}  // namespace qassay
