#include "harness/suite/kernel_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

namespace qassay {

KernelChoice::KernelChoice(const std::vector<std::filesystem::path>& libraries,
                           const Machine& machine, std::optional<Isa> forced)
    : allowed_(machine.isas), forced_(forced.has_value()) {
  for (const auto& path : libraries) libraries_.emplace_back(path);
  if (!forced) return;
  if (std::ranges::find(allowed_, *forced) == allowed_.end()) {
    std::vector<std::string_view> names;
    for (const Isa isa : allowed_) names.push_back(to_string(isa));
    throw InputError("--isa", fmt::format("this machine does not run {}", to_string(*forced)),
                     fmt::format("choose one of {}", fmt::join(names, ", ")));
  }
  std::erase_if(allowed_, [&](Isa isa) { return isa > *forced; });
}

std::vector<Backend> KernelChoice::backends() const {
  std::vector<Backend> all;
  for (const KernelLibrary& library : libraries_) {
    all.insert(all.end(), library.table().backends.begin(), library.table().backends.end());
  }
  return all;
}

const Backend& KernelChoice::backend(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const KernelLibrary& library : libraries_) {
    for (const Backend& backend : library.table().backends) {
      if (backend.name == name) return backend;
      names.push_back(backend.name);
    }
  }
  throw InputError("backend", fmt::format("'{}' is not known", name),
                   fmt::format("choose from {}", fmt::join(names, ", ")));
}

std::vector<const Kernel*> KernelChoice::kernels() const {
  std::vector<const Kernel*> all;
  for (const KernelLibrary& library : libraries_) {
    all.insert(all.end(), library.table().kernels.begin(), library.table().kernels.end());
  }
  return all;
}

const Kernel& KernelChoice::first(const Problem& problem) const {
  for (const Kernel* kernel : kernels()) {
    if (!missing_isa(*kernel) && !kernel->accepts(problem)) return *kernel;
  }
  throw std::logic_error("the reference kernels take every problem");
}

const Kernel& KernelChoice::reference(const Problem& problem) const {
  const auto choice = choose("reference", problem);
  if (const auto* refusal = std::get_if<Refusal>(&choice))
    throw std::runtime_error("no reference: " + refusal->reason);
  return *std::get<const Kernel*>(choice);
}

const Kernel* KernelChoice::find(std::string_view name) const {
  for (const KernelLibrary& library : libraries_) {
    if (const Kernel* kernel = library.find(name)) return kernel;
  }
  return nullptr;
}

std::optional<Refusal> KernelChoice::missing_isa(const Kernel& kernel) const {
  const Isa isa = kernel.info().isa;
  if (isa == Isa::any || std::ranges::find(allowed_, isa) != allowed_.end()) return std::nullopt;
  return Refusal{fmt::format("needs {}, which {}", to_string(isa),
                             forced_ ? "--isa rules out" : "this machine lacks")};
}

std::variant<const Kernel*, Refusal> KernelChoice::choose(std::string_view backend_name,
                                                          const Problem& problem) const {
  const Backend& chosen = backend(backend_name);
  if (!chosen.missing.empty()) return Refusal{std::string(chosen.missing)};
  std::set<std::string> refusals;
  std::optional<Refusal> lacking;
  for (const Kernel* kernel : kernels()) {
    if (kernel->info().backend != backend_name) continue;
    if (const auto refusal = kernel->accepts(problem)) {
      refusals.insert(refusal->reason);
    } else if (const auto isa = missing_isa(*kernel)) {
      lacking = isa;
    } else {
      return kernel;
    }
  }
  if (lacking) return *lacking;
  // "takes ... only": made for another scheme, which says nothing beside a reason of this
  // machine's.
  if (refusals.size() > 1)
    std::erase_if(refusals, [](const std::string& reason) { return reason.starts_with("takes "); });
  if (!refusals.empty()) return Refusal{fmt::format("{}", fmt::join(refusals, "; "))};
  return Refusal{fmt::format("{} has no kernel for {}", backend_name, to_string(problem.scheme))};
}

}  // namespace qassay
