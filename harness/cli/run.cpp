#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "hardware_profiles/machine_reader.hpp"
#include "harness/cli/command.hpp"
#include "harness/run/runner.hpp"
#include "harness/suite/user_choice.hpp"
#include "kernels/kernel_library.hpp"

namespace qassay {
namespace {

namespace po = boost::program_options;

/// Every cell, but fewer legs, rounds and samples: enough to see that all works, not to judge a
/// claim.
constexpr Timing kQuick{.legs = 2, .rounds = 4, .round_seconds = 0.004, .warmup_seconds = 0.001};

std::string quoted(const std::string& argument) {
  if (argument.find_first_of(" \t\n'\"*?[]$&;|<>()\\#") == std::string::npos) return argument;
  std::string text;
  for (const char c : argument) text += c == '\'' ? "'\\''" : std::string_view(&c, 1);
  return fmt::format("'{}'", text);
}

std::string command_line(const Arguments& arguments) {
  std::string line = "qassay run";
  for (const std::string& argument : arguments) {
    if (argument != "--resume") line += fmt::format(" {}", quoted(argument));
  }
  return line;
}

void print_list(const Plan& plan) {
  for (const CaseRow& row : plan.cases()) {
    const std::string note =
        row.status == "planned" ? row.kernel : fmt::format("{}: {}", row.status, row.reason);
    fmt::print("{}{}  {}\n", row.key, row.arm == "a" ? "" : fmt::format("  arm {}", row.arm), note);
  }
}

void print_dry_run(const Plan& plan, const Timing& timing) {
  double seconds = 0;
  for (const Group& group : plan.groups) {
    const auto planned = std::ranges::count_if(group.cases, [](const CaseRow& row) {
      return row.status == "planned" && !row.layer.empty();
    });
    const Timing own = group.timing(timing);
    seconds += static_cast<double>(planned) * own.legs * own.rounds *
               (own.round_seconds + own.warmup_seconds);
    fmt::print("{}: {} cases in {} {}\n", group.key, planned, own.legs,
               own.legs == 1 ? "leg" : "legs");
  }
  fmt::print("{} groups; at least {:.0f} s of timing, and preparation and verification besides\n",
             plan.groups.size(), seconds);
}

void print_summary(const RunResult& result, const Plan& plan, const std::filesystem::path& store) {
  std::map<std::string, int> planned;
  for (const CaseRow& row : plan.cases()) ++planned[row.status];
  fmt::print(stderr, "run {} in {}: {} cases measured, {} unsupported, {} skipped{}\n", result.run,
             store.string(), planned["planned"], planned["unsupported"], planned["skipped"],
             result.some_failed ? "; some failed (`qassay report` says why)" : "");
}

}  // namespace

int run_command(const Command& self, const Arguments& arguments) {
  RunRequest request;
  std::string suite;
  std::string store;
  UserChoice choice;
  int threads = 0;
  std::vector<std::string> libraries;
  Filters& filters = request.plan.filters;

  po::options_description options("options");
  options.add_options()                                                                           //
      ("suite", po::value(&suite)->value_name("SUITE"), "shipped suite or path of a .toml file")  //
      ("model", po::value(&choice.model)->value_name("MODEL"),
       "only this model's sweep; a folder of your own takes the place of the suite's models")  //
      ("original", po::value(&choice.original)->value_name("DIR"),
       "the float model that a quantized MODEL was made of: losses are against it")  //
      ("text", po::value(&choice.text)->value_name("FILE"),
       "UTF-8 text that language models are scored on")  //
      ("tokens", po::value(&choice.tokens)->value_name("FILE"),
       "in place of a text: ids of tokens, with blanks between")  //
      ("context", po::value(&choice.context)->value_name("N"),
       "tokens of a window of text")  //
      ("stride", po::value(&choice.stride)->value_name("N"),
       "new tokens from window to window (default: the context)")  //
      ("bos", po::value(&choice.bos)->value_name("WHERE"),
       "begin-of-text token: none, first-window, every-window")                               //
      ("samples", po::value(&choice.samples)->value_name("N"), "windows of text, the first")  //
      ("kv-cache", po::value(&choice.kv_caches)->composing()->value_name("F"),
       "keys and values in FP32, FP16 or INT8; may be given again")  //
      ("store", po::value(&store)->value_name("FILE")->default_value("qassay.db"),
       "where results go")  //
      ("threads", po::value(&threads)->value_name("N"),
       "default: all cores that this process may use")  //
      ("scheme", po::value(&filters.schemes)->composing()->value_name("S"),
       "only this scheme (and FP32)")  //
      ("backend", po::value(&filters.backends)->composing()->value_name("B"),
       "only this backend (and FP32)")  //
      ("layer", po::value(&filters.layers)->composing()->value_name("GLOB"),
       "only these layers, as model/layer")  //
      ("isa", po::value(&request.isa)->value_name("ISA"),
       "highest instruction set of our own kernels")  //
      ("kernels", po::value(&libraries)->composing()->value_name("FILE"),
       "one more library of kernels")  //
      ("quick", po::bool_switch(&request.quick),
       "every cell, fewer legs and rounds; judges nothing")                                     //
      ("both-arms", po::bool_switch(&request.plan.both_arms), "A/A: measure every case twice")  //
      ("list", "print the cases and stop")                                                      //
      ("dry-run", "print the groups and the time they take at least, and stop")                 //
      ("resume", po::bool_switch(&request.resume), "go on with the store's last run")           //
      ("case-timeout", po::value(&request.case_timeout_seconds)->value_name("SECONDS"),
       "a worker silent for so long is ended (default 300)");
  po::positional_options_description positional;
  positional.add("suite", 1);
  const auto values = parse_arguments(self, arguments, options, positional);
  if (!values) return kFine;
  if (suite.empty())
    throw InputError("qassay run", "no suite is named", "name one, such as `qassay run default`");
  if (!(request.case_timeout_seconds > 0)) {
    throw InputError("--case-timeout", "is not positive", "give a number of seconds");
  }

  const Machine machine = read_machine();
  request.suite = load_suite(suite);
  apply(choice, request.suite);
  request.timing = request.quick ? kQuick : request.suite.timing;
  request.plan.threads = checked_threads(threads, machine);
  request.plan.legs = request.timing.legs;
  request.plan.quick = request.quick;
  request.store = store;
  request.command = command_line(arguments);
  request.kernel_libraries = default_kernel_libraries();
  request.kernel_libraries.insert(request.kernel_libraries.end(), libraries.begin(),
                                  libraries.end());
  const KernelChoice kernels(
      request.kernel_libraries, machine,
      request.isa.empty() ? std::nullopt : std::optional(parse_isa(request.isa)));
  const Plan plan = make_plan(request.suite, request.plan, kernels, machine);
  if (values->contains("list")) return print_list(plan), kFine;
  if (values->contains("dry-run")) return print_dry_run(plan, request.timing), kFine;

  const RunResult result = run_plan(request, plan, machine);
  print_summary(result, plan, store);
  if (result.interrupted) return kInterrupted;
  if (!result.compared) return kNothingMeasured;
  return result.some_failed ? kSomeCasesFailed : kFine;
}

}  // namespace qassay
