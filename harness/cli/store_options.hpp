#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "harness/cli/command.hpp"
#include "harness/store/store.hpp"

namespace qassay {

/// The options of every command that reads a store: --store and --run.
struct StoreOptions {
  std::string path;
  std::optional<std::int64_t> run;

  void add_to(boost::program_options::options_description& options);
};

/// A store that was opened for a command, with the run that it speaks of (the latest unless --run).
struct OpenedRun {
  Store store;
  StoredRun run;
};

enum class Access { read, write };

/// Throws InputError when the store holds no (such) run.
OpenedRun open_run(const StoreOptions& options, Access access);

}  // namespace qassay
