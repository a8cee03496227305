#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/isa.hpp"

namespace qassay {

/// What this processor and its operating system run. `any` is always among them.
std::vector<Isa> supported_isas();

/// AVX2 with FMA, for probes on machines without AVX-512.
bool has_avx2_fma();

/// The name that a hypervisor gives of itself ("KVMKVMKVM"); nothing outside one.
std::optional<std::string> hypervisor_name();

}  // namespace qassay
