#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include "core/error.hpp"
#include "harness/claims/printable.hpp"
#include "harness/cli/command.hpp"
#include "harness/run/build_info.hpp"

namespace {

using namespace qassay;

void print_help() {
  fmt::print("qassay: assays quantized models\n\nusage: qassay COMMAND [OPTIONS]\n\n");
  for (const Command& command : commands()) {
    if (!command.summary.empty()) {
      fmt::print("  {:<20} {}\n", fmt::format("{} {}", command.name, command.usage),
                 command.summary);
    }
  }
  fmt::print(
      "\n`qassay COMMAND --help` shows a command's options; `qassay --version` the build.\n");
}

int dispatch(const Arguments& arguments) {
  if (arguments.empty() || arguments.front() == "--help" || arguments.front() == "help") {
    print_help();
    return arguments.empty() ? kBadInput : kFine;
  }
  if (arguments.front() == "--version") {
    fmt::print("{}\n", version_text());
    return kFine;
  }
  const auto command = std::ranges::find(commands(), arguments.front(), &Command::name);
  if (command == commands().end()) {
    throw InputError("qassay", fmt::format("command '{}' is not known", arguments.front()),
                     "`qassay --help` lists the commands");
  }
  return command->run(*command, {arguments.begin() + 1, arguments.end()});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "qassay: {}\n", printable(error.what()));
    return kBadInput;
  }
}
