#include <fmt/format.h>

#include "hardware_profiles/machine_reader.hpp"
#include "harness/claims/claim_reader.hpp"
#include "harness/cli/command.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "harness/suite/suite.hpp"
#include "models/catalogue.hpp"
#include "models/evaluation_text.hpp"
#include "models/shapes.hpp"

namespace qassay {

namespace {

namespace po = boost::program_options;

void print_model(const std::string& name) {
  const ModelInfo model = model_info(name);
  std::optional<Refusal> missing = model.missing;
  if (!missing && model.text)
    missing = evaluation_text_missing({name, model.dataset, model.vocabulary}, {});
  fmt::print("  {:<24} {}\n", name,
             missing
                 ? "not here: " + missing->reason
                 : fmt::format("{} layers, evaluated on {}", model.layers.size(), model.dataset));
}

/// Sizes are decimal: 1 MB = 1e6 bytes.
void print_shape(const std::string& name) {
  const ModelShape shape = shape_info(name);
  fmt::print("  {:<24} {:.4g} million parameters, {:.4g} kB a token of KV cache in FP16; seeded\n",
             name, static_cast<double>(shape.parameters.total()) / 1e6,
             static_cast<double>(shape.kv_bytes(KvFormat::fp16)) / 1e3);
}

}  // namespace

int list_command(const Command& self, const Arguments& arguments) {
  std::vector<std::string> libraries;
  po::options_description options("options");
  options.add_options()("kernels", po::value(&libraries)->composing()->value_name("FILE"),
                        "one more library of kernels");
  if (!parse_arguments(self, arguments, options)) return kFine;

  fmt::print("suites\n");
  for (const std::string& name : shipped_suites())
    fmt::print("  {:<24} {}\n", name, load_suite(name).description);

  fmt::print("\nclaims\n");
  for (const std::string& name : shipped_claims())
    fmt::print("  {:<24} {} claims\n", name, load_claims(name).size());

  fmt::print("\nmodels\n");
  for (const std::string& name : catalogue_models()) print_model(name);
  for (const std::string& name : shape_names()) print_shape(name);

  std::vector<std::filesystem::path> paths = default_kernel_libraries();
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
