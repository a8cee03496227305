#pragma once

#include <string_view>

#include "kernels/kernel.hpp"

namespace qassay {

#define QASSAY_KERNEL(name, backend, isa, contract) const Kernel& name();
#include "kernels/kernel_table.inc"
#undef QASSAY_KERNEL

#ifdef QASSAY_HAVE_ONEDNN
std::string_view onednn_version();
#endif
#ifdef QASSAY_HAVE_OPENBLAS
std::string_view openblas_version();
#endif

/// Of libraries that are looked for at run time.
#ifdef QASSAY_HAVE_PEERS
Backend ggml_backend();
Backend onnxruntime_backend();
#endif

/// Of the library of its own.
#ifdef QASSAY_HAVE_CUDA
Backend cuda_backend();
Backend cuda_tf32_backend();
#endif

/// The row's columns as a KernelInfo: kernels take theirs from the table.
KernelInfo kernel_info(std::string_view name);

}  // namespace qassay
