#include "harness/store/export.hpp"

#include <fmt/format.h>

#include <iostream>

#include "core/error.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/store_options.hpp"

namespace qassay {

namespace po = boost::program_options;

int export_command(const Command& self, const Arguments& arguments) {
  StoreOptions store;
  std::string format;
  po::options_description options("options");
  store.add_to(options);
  options.add_options()("format", po::value(&format)->value_name("json|csv")->default_value("json"),
                        "of the output");
  if (!parse_arguments(self, arguments, options)) return kFine;
  if (format != "json" && format != "csv") {
    throw InputError("--format", fmt::format("'{}' is not known", format), "choose json or csv");
  }
  const OpenedRun opened = open_run(store, Access::read);
  const std::vector<Record> records = opened.store.records(opened.run.id);
  format == "json" ? export_json(records, std::cout) : export_csv(records, std::cout);
  return kFine;
}

}  // namespace qassay
