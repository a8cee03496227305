#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "harness/store/database.hpp"

namespace qassay {

/// "QASY": marks a SQLite file as a store (PRAGMA application_id).
inline constexpr std::int64_t kStoreApplicationId = 0x51415359;

/// Step i takes a store from schema version i to i + 1 (PRAGMA user_version). Steps that were
/// released are never edited: a change of the schema is a new step at the end.
std::span<const std::string> store_migrations();

/// Runs the steps that the file lacks, all in one transaction; marks it as a store.
void migrate(Database& database, std::span<const std::string> steps);

}  // namespace qassay
