#include "harness/cli/command.hpp"

#include <fmt/format.h>

#include <iostream>

#include "core/error.hpp"
#include "hardware_profiles/machine_reader.hpp"

namespace qassay {

namespace po = boost::program_options;

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {"run", "SUITE", "measure a suite (a shipped one by name, your own by path)", run_command},
      {"verify", "", "judge the claims by what a store holds", verify_command},
      {"report", "", "write a page that shows the verdicts and their evidence", report_command},
      {"export", "", "print every figure as JSON or CSV", export_command},
      {"show", "CASE", "print what is known of one case, and the command that measures it again",
       show_command},
      {"quantize", "DIR", "write a language model of your own as a GPTQ checkpoint",
       quantize_command},
      {"train", "MODEL", "train a model that has a recipe, from the start or on", train_command},
      {"list", "", "list suites, models, backends and kernels, with what is missing and why",
       list_command},
      {"hw", "[show|probe]", "describe this machine, or probe its ceilings", hw_command},
      {"worker", "", "", worker_command},
  };
  return all;
}

int checked_threads(int asked, const Machine& machine) {
  const int allowed = allowed_threads(machine);
  if (asked == 0) return allowed;
  if (asked < 0 || asked > allowed) {
    throw InputError(
        "--threads",
        fmt::format("{} threads are asked for, and this process may use {}", asked, allowed),
        fmt::format("choose 1 to {}", allowed));
  }
  return asked;
}

std::optional<po::variables_map> parse_arguments(
    const Command& command, const Arguments& arguments, po::options_description options,
    const po::positional_options_description& positional) {
  options.add_options()("help", "show this");
  po::variables_map values;
  try {
    // No guessing: an abbreviated option would change its meaning when a longer one is added.
    const int style =
        po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments)
                  .options(options)
                  .positional(positional)
                  .style(style)
                  .run(),
              values);
    if (values.contains("help")) {
      std::cout << fmt::format("qassay {} {}\n{}\n\n", command.name, command.usage, command.summary)
                << options;
      return std::nullopt;
    }
    po::notify(values);
  } catch (const po::error& error) {
    throw InputError(fmt::format("qassay {}", command.name), error.what(),
                     fmt::format("`qassay {} --help` shows the options", command.name));
  }
  return values;
}

}  // namespace qassay
