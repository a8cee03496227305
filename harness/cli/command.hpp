#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/machine.hpp"

namespace qassay {

using Arguments = std::vector<std::string>;

/// Exit statuses, the same for every command.
enum ExitStatus : int {
  kFine = 0,
  kGateFailed = 1,  // a regression, or a refuted claim where asked
  kBadInput = 2,
  kNothingMeasured = 3,
  kSomeCasesFailed = 4,
  kInterrupted = 130,
};

struct Command {
  std::string_view name;
  std::string_view usage;  // what follows the name
  std::string_view summary;
  int (*run)(const Command& self, const Arguments& arguments);
};

/// The commands that `qassay --help` shows, and the worker, which it does not.
const std::vector<Command>& commands();

int run_command(const Command& self, const Arguments& arguments);
int report_command(const Command& self, const Arguments& arguments);
int verify_command(const Command& self, const Arguments& arguments);
int hw_command(const Command& self, const Arguments& arguments);
int list_command(const Command& self, const Arguments& arguments);
int quantize_command(const Command& self, const Arguments& arguments);
int train_command(const Command& self, const Arguments& arguments);
int show_command(const Command& self, const Arguments& arguments);
int export_command(const Command& self, const Arguments& arguments);
int worker_command(const Command& self, const Arguments& arguments);

/// What --threads asks for, 0 for all; throws InputError for more than the process may use.
int checked_threads(int asked, const Machine& machine);

/// Parses strictly. Prints the help and returns nothing when --help is among the arguments; throws
/// InputError for what the options do not know.
std::optional<boost::program_options::variables_map> parse_arguments(
    const Command& command, const Arguments& arguments,
    boost::program_options::options_description options,
    const boost::program_options::positional_options_description& positional = {});

}  // namespace qassay
