#include "harness/claims/part_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/record.hpp"
#include "core/scheme.hpp"
#include "quantizers/method.hpp"

namespace qassay {
namespace {

ClaimedRange read_value(const TomlTable& table) {
  const double value = table.number("value");
  if (table.has("tolerance") == table.has("tolerance_relative")) {
    table.refuse("value", "needs one tolerance",
                 "give either tolerance or tolerance_relative; 0 for an exact figure");
  }
  const bool relative = table.has("tolerance_relative");
  const std::string_view key = relative ? "tolerance_relative" : "tolerance";
  const double tolerance = table.number(key);
  if (tolerance < 0) table.refuse(key, "is negative", "write 0 or more");
  const double reach = relative ? std::abs(value) * tolerance : tolerance;
  return {value - reach, value + reach};
}

std::vector<std::string> read_schemes(const TomlTable& table, bool patterns) {
  std::vector<std::string> schemes = table.texts("schemes");
  for (const std::string& scheme : schemes) {
    const bool is_pattern = patterns && scheme.find('*') != std::string::npos;
    if (is_pattern || is_scheme(scheme)) continue;
    table.refuse("schemes", fmt::format("'{}' is no scheme", scheme),
                 patterns ? "write a scheme like W4A16-g128, or a pattern like W4*"
                          : "write a scheme like W4A16-g128");
  }
  return schemes;
}

/// Round to nearest where nothing is said.
std::vector<std::string> read_methods(const TomlTable& table) {
  if (!table.has("methods")) return ClaimPart().methods;
  std::vector<std::string> methods = table.texts("methods");
  for (const std::string& method : methods) {
    const bool is_pattern = method.find('*') != std::string::npos;
    if (!is_pattern && method != kCheckpointMethod) parse_method(method, "methods");
  }
  return methods;
}

ClaimPart read_part(const TomlTable& table, bool patterns) {
  return {read_schemes(table, patterns), read_range(table), read_methods(table), {}};
}

struct OperationName {
  std::string_view name;
  Audit::Operation operation;
  std::size_t most;  // figures; the least is two
};
constexpr std::size_t kMany = 100;
constexpr std::array kOperations{OperationName{"sum", Audit::Operation::sum, kMany},
                                 OperationName{"difference", Audit::Operation::difference, 2},
                                 OperationName{"product", Audit::Operation::product, kMany},
                                 OperationName{"quotient", Audit::Operation::quotient, 2},
                                 OperationName{"change", Audit::Operation::change, 2}};

const OperationName& read_operation(const TomlTable& table) {
  const OperationName* found = nullptr;
  for (const OperationName& each : kOperations) {
    if (!table.has(each.name)) continue;
    if (found != nullptr) table.refuse(each.name, "is a second operation", "write one an audit");
    found = &each;
  }
  if (found != nullptr) return *found;
  table.refuse("", "says no operation", "write one of sum, difference, product, quotient, change");
}

/// What stands below a line has to be other than zero.
double divisor(const Audit& audit) {
  if (audit.operation == Audit::Operation::quotient) return audit.figures[1];
  return audit.operation == Audit::Operation::change ? audit.figures[0] : 1;
}

Audit read_audit(const TomlTable& table) {
  table.allow_only(
      {"of", "sum", "difference", "product", "quotient", "change", "printed", "tolerance"});
  const OperationName& operation = read_operation(table);
  Audit audit{.of = table.text("of"),
              .operation = operation.operation,
              .figures = table.numbers(operation.name)};
  if (audit.figures.size() < 2 || audit.figures.size() > operation.most) {
    table.refuse(operation.name, fmt::format("has {} figures", audit.figures.size()),
                 operation.most == 2 ? "write two" : "write two or more");
  }
  if (divisor(audit) == 0)
    table.refuse(operation.name, "divides by zero", "check the order of the figures");
  const std::vector<double> printed = table.numbers("printed");
  if (printed.size() > 2 || printed.front() > printed.back())
    table.refuse("printed", "is no number and no range", "write [number] or [low, high]");
  audit.printed_low = printed.front();
  audit.printed_high = printed.back();
  audit.tolerance = table.number("tolerance");
  if (audit.tolerance < 0) table.refuse("tolerance", "is negative", "write 0 or more");
  return audit;
}

}  // namespace

bool is_scheme(std::string_view text) {
  try {
    parse_scheme(text);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

ClaimedRange read_range(const TomlTable& table) {
  if (table.has("range") == table.has("value")) {
    table.refuse("", "says no range, or says it twice",
                 "give either range = [low, high] or value with a tolerance");
  }
  if (table.has("value")) return read_value(table);
  for (const std::string_view key : {"tolerance", "tolerance_relative"}) {
    if (table.has(key)) table.refuse(key, "goes with value, not with range", "leave it out");
  }
  const std::vector<double> ends = table.numbers("range");
  if (ends.size() != 2) table.refuse("range", "has not two ends", "write [low, high]");
  if (ends[0] > ends[1]) table.refuse("range", "has low above high", "write [low, high]");
  return {ends[0], ends[1]};
}

std::vector<ClaimPart> read_parts(const TomlTable& table, bool patterns) {
  if (!table.has("part")) return {read_part(table, patterns)};
  for (const std::string_view key :
       {"schemes", "methods", "range", "value", "tolerance", "tolerance_relative"}) {
    if (table.has(key))
      table.refuse(key, "goes into the parts", "move it into each [[claim.part]]");
  }
  std::vector<ClaimPart> parts;
  std::set<std::pair<std::string, std::vector<std::string>>> seen;  // schemes by methods
  for (const TomlTable& entry : table.tables("part")) {
    entry.allow_only(
        {"schemes", "methods", "range", "value", "tolerance", "tolerance_relative", "audit"});
    parts.push_back(read_part(entry, patterns));
    parts.back().audits = read_audits(entry);
    for (const std::string& scheme : parts.back().schemes) {
      if (!seen.insert({scheme, parts.back().methods}).second) {
        entry.refuse("schemes", fmt::format("names '{}' again", scheme), "name it in one part");
      }
    }
  }
  return parts;
}

std::vector<ClaimPart> read_order(const TomlTable& table) {
  std::vector<ClaimPart> order;
  for (const TomlTable& group : table.tables("order")) {
    group.allow_only({"schemes", "methods"});
    order.push_back({read_schemes(group, true), {}, read_methods(group), {}});
  }
  if (order.size() < 2) {
    table.refuse("order", "has fewer than two groups", "list at least two, the lesser loss first");
  }
  return order;
}

std::vector<Audit> read_audits(const TomlTable& table) {
  std::vector<Audit> audits;
  if (!table.has("audit")) return audits;
  for (const TomlTable& entry : table.tables("audit")) audits.push_back(read_audit(entry));
  return audits;
}

}  // namespace qassay
