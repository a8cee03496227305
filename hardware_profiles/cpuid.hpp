#pragma once

#include <optional>
#include <string>

namespace qassay {

/// AVX2 with FMA, for probes on machines without AVX-512.
bool has_avx2_fma();

/// The name that a hypervisor gives of itself ("KVMKVMKVM"); nothing outside one.
std::optional<std::string> hypervisor_name();

}  // namespace qassay
