#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/store_options.hpp"

namespace qassay {
namespace {

namespace po = boost::program_options;

/// The command that measures this case (and the baselines that it is compared with) again.
std::string command_again(const Record& record, const StoredRun& run) {
  std::string command = run.info.command;
  const auto add = [&](const std::string& option, const std::string& value) {
    if (command.find(" " + option) == std::string::npos)
      command += fmt::format(" {} {}", option, value);
  };
  add("--threads", std::to_string(record.threads));
  add("--scheme", record.scheme);
  add("--backend", record.backend);
  if (!record.layer.empty()) add("--layer", fmt::format("'{}/{}'", record.model, record.layer));
  return command;
}

void print_case(const Record& record) {
  fmt::print("case            {}{}\n", record.case_key,
             record.arm == "a" ? "" : " (arm " + record.arm + ")");
  fmt::print("status          {}{}\n", record.status,
             record.reason.empty() ? "" : ": " + record.reason);
  if (record.n > 0) fmt::print("layer           {} out x {} in features\n", record.n, record.k);
  if (!record.kv_cache.empty()) fmt::print("KV cache        {}\n", record.kv_cache);
  if (!record.protocol.empty()) fmt::print("protocol        {}\n", record.protocol);
  fmt::print("kernel          {}\nimplementation  {}\n", record.kernel, record.implementation);
}

}  // namespace

int show_command(const Command& self, const Arguments& arguments) {
  StoreOptions store;
  std::string key;
  po::options_description options("options");
  store.add_to(options);
  options.add_options()("case", po::value(&key)->value_name("CASE"),
                        "its key, as `qassay run --list` prints it");
  po::positional_options_description positional;
  positional.add("case", 1);
  if (!parse_arguments(self, arguments, options, positional)) return kFine;
  if (key.empty())
    throw InputError("qassay show", "no case is named",
                     "take a key from `qassay run SUITE --list`");

  const OpenedRun opened = open_run(store, Access::read);
  std::vector<Record> records = opened.store.records(opened.run.id);
  std::erase_if(records, [&](const Record& record) { return record.case_key != key; });
  if (records.empty()) {
    throw InputError(store.path, fmt::format("run {} has no case '{}'", opened.run.id, key),
                     "take a key from `qassay run SUITE --list`");
  }
  print_case(records.front());
  for (const Record& record : records) {
    if (record.metric.empty()) continue;
    const std::string range = record.low == record.high
                                  ? ""
                                  : fmt::format(" ({:.6g} to {:.6g})", record.low, record.high);
    fmt::print("{:<17} {:.6g}{} {}{}\n", record.metric, record.value, range, record.unit,
               record.baseline.empty() ? "" : " against " + record.baseline);
  }
  fmt::print("again           {}\n", command_again(records.front(), opened.run));
  return kFine;
}

}  // namespace qassay
