#include "kernels/kernel_table.hpp"

#include <stdexcept>

#include "kernels/kernel.hpp"

namespace qassay {

KernelInfo kernel_info(std::string_view wanted) {
#define QASSAY_KERNEL(name, backend, isa, contract) \
  if (wanted == #name) return {#name, #backend, Isa::isa, Contract::contract};
#include "kernels/kernel_table.inc"
#undef QASSAY_KERNEL
  throw std::logic_error("a kernel without a row in kernel_table.inc");
}

}  // namespace qassay

const qassay::KernelTable* qassay_kernel_table() {
  using namespace qassay;
  static const Kernel* const kernels[] = {
#define QASSAY_KERNEL(name, backend, isa, contract) &name(),
#include "kernels/kernel_table.inc"
#undef QASSAY_KERNEL
  };
  static const Backend backends[] = {
#ifdef QASSAY_HAVE_CUDA
      cuda_backend(),
      cuda_tf32_backend(),
#else
#ifdef QASSAY_HAVE_OWN
      {"cpu", "", ""},
#else
      {"cpu", "", "no kernels of our own for this processor family"},
#endif
#ifdef QASSAY_HAVE_ONEDNN
      {"onednn", onednn_version(), ""},
#else
      {"onednn", "", "built without oneDNN (package libdnnl-dev)"},
#endif
#ifdef QASSAY_HAVE_OPENBLAS
      {"openblas", openblas_version(), ""},
#else
      {"openblas", "", "built without OpenBLAS (package libopenblas-openmp-dev)"},
#endif
#ifdef QASSAY_HAVE_PEERS
      ggml_backend(),
      onnxruntime_backend(),
#endif
#ifndef QASSAY_CUDA_BESIDE  // in the library of CUDA kernels, where one was built
      {"cuda", "", "built without CUDA (preset cuda, or where a GPU answers)"},
      {"cuda_tf32", "", "built without CUDA (preset cuda, or where a GPU answers)"},
#endif
      {"reference", "", ""},
#endif
  };
  static const KernelTable table{kKernelInterfaceVersion, kernels, backends};
  return &table;
}
