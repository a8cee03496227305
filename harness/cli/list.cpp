#include <fmt/format.h>

#include "hardware_profiles/machine_reader.hpp"
#include "harness/cli/command.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "harness/suite/suite.hpp"
#include "models/catalogue.hpp"

namespace qassay {

namespace po = boost::program_options;

int list_command(const Command& self, const Arguments& arguments) {
  std::vector<std::string> libraries;
  po::options_description options("options");
  options.add_options()("kernels", po::value(&libraries)->composing()->value_name("FILE"),
                        "one more library of kernels");
  if (!parse_arguments(self, arguments, options)) return kFine;

  fmt::print("suites\n");
  for (const std::string& name : shipped_suites())
    fmt::print("  {:<24} {}\n", name, load_suite(name).description);

  fmt::print("\nmodels\n");
  for (const std::string& name : catalogue_models()) {
    const ModelInfo model = model_info(name);
    fmt::print("  {:<24} {}\n", name,
               model.missing
                   ? "not here: " + model.missing->reason
                   : fmt::format("{} layers, evaluated on {}", model.layers.size(), model.dataset));
  }

  std::vector<std::filesystem::path> paths{default_kernel_library()};
  paths.insert(paths.end(), libraries.begin(), libraries.end());
  const KernelChoice kernels(paths, read_machine(), std::nullopt);
  fmt::print("\nbackends\n");
  for (const Backend& backend : kernels.backends()) {
    fmt::print("  {:<24} {}\n", backend.name,
               backend.missing.empty()
                   ? (backend.version.empty() ? "our own" : std::string(backend.version))
                   : fmt::format("not here: {}", backend.missing));
  }

  fmt::print("\nkernels\n");
  for (const Kernel* kernel : kernels.kernels()) {
    const KernelInfo& info = kernel->info();
    const auto missing = kernels.missing_isa(*kernel);
    fmt::print("  {:<44} {:<10} {}{}\n", info.name, info.backend, to_string(info.contract),
               missing ? "; not here: " + missing->reason : "");
  }
  return kFine;
}

}  // namespace qassay
