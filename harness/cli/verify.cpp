#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/claims/claim_reader.hpp"
#include "harness/claims/judge.hpp"
#include "harness/claims/verdict_text.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/store_options.hpp"

namespace qassay {

namespace po = boost::program_options;

int verify_command(const Command& self, const Arguments& arguments) {
  StoreOptions store;
  std::vector<std::string> files;
  bool json = false;
  bool explained = false;
  bool gate = false;
  po::options_description options("options");
  store.add_to(options);
  options.add_options()  //
      ("claims", po::value(&files)->value_name("FILE"),
       "shipped claims by name (qassay list), or your own (TOML); default: seed")              //
      ("json", po::bool_switch(&json), "print the verdicts as JSON")                           //
      ("explain", po::bool_switch(&explained), "say of each verdict where the interval lies")  //
      ("fail-on-refuted", po::bool_switch(&gate), "exit with 1 when a claim is refuted");
  po::positional_options_description positional;
  positional.add("claims", -1);
  if (!parse_arguments(self, arguments, options, positional)) return kFine;

  std::vector<Claim> claims;
  if (files.empty()) claims = seed_claims();
  for (const std::string& file : files)
    std::ranges::move(load_claims(file), std::back_inserter(claims));

  OpenedRun opened = open_run(store, Access::write);
  const std::vector<VerdictRow> verdicts =
      judge_all(claims, opened.store.records(opened.run.id), {.quick = opened.run.info.quick});
  opened.store.add_verdicts(opened.run.id, verdicts);
  fmt::print("{}", json ? verdict_json(verdicts) : verdict_table(verdicts));
  if (explained && !json) {
    for (const VerdictRow& row : verdicts) fmt::print("{}\n", explain(row));
  }
  const bool refuted =
      std::ranges::any_of(verdicts, [](const VerdictRow& row) { return row.verdict == "refuted"; });
  return gate && refuted ? kGateFailed : kFine;
}

}  // namespace qassay
