#pragma once

#include <optional>
#include <string>

namespace qassay {

/// The name that a hypervisor gives of itself ("KVMKVMKVM"); nothing outside one.
std::optional<std::string> hypervisor_name();

}  // namespace qassay
