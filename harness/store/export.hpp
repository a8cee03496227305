#pragma once

#include <ostream>
#include <vector>

#include "core/record.hpp"

namespace qassay {

/// Both write one row a record, with the columns run, case, arm, model, layer, n, k, m, cache,
/// threads, scheme, group, method, backend, kernel, implementation, status, reason, metric, value,
/// low, high, count, unit, baseline. Numbers read back to the same bits. In the row of a case
/// without figures value, low, high and count are null (JSON) or empty (CSV): nothing was measured,
/// and 0 would say otherwise.

/// An array of objects, one a line. Text that is not UTF-8 has U+FFFD in place of the bad bytes.
void export_json(const std::vector<Record>& records, std::ostream& out);

/// With a header line; quoted as RFC 4180 says, lines ended by \n alone. Bytes of text stay as they
/// are.
void export_csv(const std::vector<Record>& records, std::ostream& out);

}  // namespace qassay
