#include "harness/cli/store_options.hpp"

#include <utility>

#include "core/error.hpp"

namespace qassay {

namespace po = boost::program_options;

void StoreOptions::add_to(po::options_description& options) {
  options.add_options()  //
      ("store", po::value(&path)->value_name("FILE")->default_value("qassay.db"),
       "what was measured")  //
      ("run",
       po::value<std::int64_t>()->value_name("N")->notifier([this](std::int64_t n) { run = n; }),
       "which run of it; default: the latest");
}

OpenedRun open_run(const StoreOptions& options, Access access) {
  Store store = access == Access::write ? Store::open_for_writing(options.path)
                                        : Store::open_for_reading(options.path);
  const std::optional<std::int64_t> id = options.run ? options.run : store.latest_run();
  if (!id) throw InputError(options.path, "holds no run", "make one with `qassay run`");
  StoredRun run = store.run(*id);
  return {std::move(store), std::move(run)};
}

}  // namespace qassay
