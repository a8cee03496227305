#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/machine.hpp"
#include "kernels/kernel_library.hpp"

namespace qassay {

/// The kernels of all loaded libraries that may run on this machine.
class KernelChoice {
 public:
  /// `forced`: the highest instruction set that our own kernels may use. Throws InputError when the
  /// machine lacks it: a forced instruction set never falls back in silence.
  KernelChoice(const std::vector<std::filesystem::path>& libraries, const Machine& machine,
               std::optional<Isa> forced);

  /// Throws InputError that lists the known ones when no library has that backend.
  const Backend& backend(std::string_view name) const;
  std::vector<Backend> backends() const;
  std::vector<const Kernel*> kernels() const;

  /// The first kernel of the backend, in the table's order, that takes the problem; or why none
  /// does.
  std::variant<const Kernel*, Refusal> choose(std::string_view backend,
                                              const Problem& problem) const;
  /// The first kernel of any backend that takes the problem: the reference at last.
  const Kernel& first(const Problem& problem) const;
  /// The reference kernel for the problem.
  const Kernel& reference(const Problem& problem) const;
  const Kernel* find(std::string_view name) const;
  /// nullopt when the kernel may run here.
  std::optional<Refusal> missing_isa(const Kernel& kernel) const;

 private:
  std::vector<KernelLibrary> libraries_;
  std::vector<Isa> allowed_;
  bool forced_ = false;
};

}  // namespace qassay
