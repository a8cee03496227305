#include "reports/report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "harness/claims/claim_reader.hpp"
#include "harness/claims/judge.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/store_options.hpp"

namespace qassay {
namespace {

namespace po = boost::program_options;

/// "name: value" lines, as version_text() writes them.
std::vector<Fact> build_facts(const StoredRun& run) {
  std::vector<Fact> facts{{"revision", run.info.revision}};
  std::string_view rest = run.info.build;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) {
      facts.push_back({"program", std::string(line)});
    } else {
      facts.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
    }
  }
  return facts;
}

ReportInput describe(const OpenedRun& opened) {
  const StoredRun& run = opened.run;
  ReportInput input;
  input.title = fmt::format("qassay: {}", run.info.suite);
  input.generated =
      fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(static_cast<std::time_t>(run.started)));
  input.quick = run.info.quick;
  input.suite = run.info.suite;
  input.records = opened.store.records(run.id);
  input.verdicts = opened.store.verdicts(run.id);
  if (input.verdicts.empty())
    input.verdicts = judge_all(seed_claims(), input.records, {.quick = input.quick});
  input.machine = run.info.machine;
  input.build = build_facts(run);
  input.command = run.info.command;
  return input;
}

/// Under a temporary name first: a reader sees the old page or the whole new one.
void write_file(const std::filesystem::path& path, const ReportInput& input) {
  const std::filesystem::path draft = path.string() + ".new";
  std::ofstream out(draft, std::ios::binary);
  write_report(input, out);
  out.close();
  std::error_code failed;
  if (out) std::filesystem::rename(draft, path, failed);
  if (!out || failed) {
    const std::string why = failed ? failed.message() : std::strerror(errno);
    std::filesystem::remove(draft, failed);
    throw InputError(path.string(), fmt::format("cannot be written ({})", why),
                     "name a file in a folder that may be written");
  }
}

}  // namespace

int report_command(const Command& self, const Arguments& arguments) {
  StoreOptions store;
  std::string output;
  po::options_description options("options");
  store.add_to(options);
  options.add_options()(
      "output", po::value(&output)->value_name("FILE")->default_value("report.html"), "the page");
  if (!parse_arguments(self, arguments, options)) return kFine;
  write_file(output, describe(open_run(store, Access::read)));
  fmt::print("{}\n", std::filesystem::absolute(output).string());
  return kFine;
}

}  // namespace qassay
