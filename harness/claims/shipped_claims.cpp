#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "core/error.hpp"
#include "embedded/awq_llama_claims.hpp"
#include "embedded/gptq_opt_claims.hpp"
#include "embedded/llama_cpp_claims.hpp"
#include "embedded/llm_int8_claims.hpp"
#include "embedded/published_claims.hpp"
#include "embedded/seed_claims_toml.hpp"
#include "embedded/smoothquant_claims.hpp"
#include "harness/claims/claim_reader.hpp"

namespace qassay {
namespace {

struct ShippedClaims {
  std::string_view name;
  std::string_view (*text)();
};

constexpr ShippedClaims kClaimFiles[] = {
    {"seed", embedded::seed_claims_toml},          {"published", embedded::published_claims},
    {"gptq-opt", embedded::gptq_opt_claims},       {"awq-llama", embedded::awq_llama_claims},
    {"smoothquant", embedded::smoothquant_claims}, {"llama-cpp", embedded::llama_cpp_claims},
    {"llm-int8", embedded::llm_int8_claims}};

}  // namespace

std::vector<std::string> shipped_claims() {
  std::vector<std::string> names;
  for (const ShippedClaims& file : kClaimFiles) names.emplace_back(file.name);
  return names;
}

std::vector<Claim> seed_claims() { return load_claims("seed"); }

std::vector<Claim> load_claims(const std::string& name_or_path) {
  const auto shipped = std::ranges::find(kClaimFiles, name_or_path, &ShippedClaims::name);
  if (shipped != std::end(kClaimFiles)) return read_claims(shipped->text(), name_or_path);
  if (!std::filesystem::exists(name_or_path)) {
    throw InputError(
        name_or_path, "is neither a shipped file of claims nor a file",
        fmt::format("name one of {}, or a .toml file", fmt::join(shipped_claims(), ", ")));
  }
  return read_claims_file(name_or_path);
}

}  // namespace qassay
