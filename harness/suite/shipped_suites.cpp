#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "embedded/default_suite.hpp"
#include "embedded/gpu_suite.hpp"
#include "embedded/kernels_suite.hpp"
#include "embedded/language_suite.hpp"
#include "embedded/methods_suite.hpp"
#include "embedded/self_check_suite.hpp"
#include "embedded/shapes_suite.hpp"
#include "embedded/speech_suite.hpp"
#include "harness/suite/suite.hpp"

namespace qassay {
namespace {

struct Shipped {
  std::string_view name;
  std::string_view (*text)();
};

constexpr Shipped kShipped[] = {
    {"default", embedded::default_suite}, {"gpu", embedded::gpu_suite},
    {"kernels", embedded::kernels_suite}, {"language", embedded::language_suite},
    {"methods", embedded::methods_suite}, {"self-check", embedded::self_check_suite},
    {"shapes", embedded::shapes_suite},   {"speech", embedded::speech_suite}};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || !text) {
    throw InputError(
        path, "is neither a shipped suite nor a file that can be read",
        fmt::format("name one of {}, or a .toml file", fmt::join(shipped_suites(), ", ")));
  }
  return text.str();
}

}  // namespace

std::vector<std::string> shipped_suites() {
  std::vector<std::string> names;
  for (const Shipped& suite : kShipped) names.emplace_back(suite.name);
  return names;
}

Suite load_suite(const std::string& name_or_path) {
  const auto shipped = std::ranges::find(kShipped, name_or_path, &Shipped::name);
  if (shipped != std::end(kShipped)) return parse_suite(shipped->text(), name_or_path);
  return parse_suite(read_file(name_or_path), name_or_path);
}

}  // namespace qassay
