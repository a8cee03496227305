#include "harness/store/export.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

namespace qassay {
namespace {

using Cell = std::variant<std::monostate, std::int64_t, double, std::string_view>;

struct Column {
  std::string_view name;
  Cell (*cell)(const Record&);
};

template <auto Member>
Cell of(const Record& record) {
  return Cell(record.*Member);
}
template <>
Cell of<&Record::threads>(const Record& record) {
  return std::int64_t{record.threads};
}
template <auto Member>
Cell figure(const Record& record) {
  return record.metric.empty() ? Cell() : of<Member>(record);
}

constexpr Column kColumns[] = {
    {"run", of<&Record::run>},
    {"case", of<&Record::case_key>},
    {"arm", of<&Record::arm>},
    {"model", of<&Record::model>},
    {"layer", of<&Record::layer>},
    {"n", of<&Record::n>},
    {"k", of<&Record::k>},
    {"m", of<&Record::m>},
    {"cache", of<&Record::cache>},
    {"threads", of<&Record::threads>},
    {"protocol", of<&Record::protocol>},
    {"kv_cache", of<&Record::kv_cache>},
    {"scheme", of<&Record::scheme>},
    {"group", of<&Record::group>},
    {"method", of<&Record::method>},
    {"backend", of<&Record::backend>},
    {"kernel", of<&Record::kernel>},
    {"implementation", of<&Record::implementation>},
    {"status", of<&Record::status>},
    {"reason", of<&Record::reason>},
    {"metric", of<&Record::metric>},
    {"value", figure<&Record::value>},
    {"low", figure<&Record::low>},
    {"high", figure<&Record::high>},
    {"count", figure<&Record::count>},
    {"unit", of<&Record::unit>},
    {"baseline", of<&Record::baseline>},
};

std::string json_text(std::string_view text) {
  using nlohmann::json;
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string quoted(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"') result += '"';
    result += letter;
  }
  return result + '"';
}

// fmt prints the shortest digits that read back to the same double. JSON has no word for infinity.
struct ToJson {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const {
    return std::isfinite(value) ? fmt::format("{}", value) : "null";
  }
  std::string operator()(std::string_view text) const { return json_text(text); }
};
struct ToCsv {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(std::string_view text) const { return quoted(text); }
};

}  // namespace

void export_json(const std::vector<Record>& records, std::ostream& out) {
  out << '[';
  const char* before_row = "\n";
  for (const Record& record : records) {
    out << before_row << '{';
    const char* before_cell = "";
    for (const Column& column : kColumns) {
      out << before_cell << '"' << column.name
          << "\":" << std::visit(ToJson{}, column.cell(record));
      before_cell = ",";
    }
    out << '}';
    before_row = ",\n";
  }
  out << "\n]\n";
}

void export_csv(const std::vector<Record>& records, std::ostream& out) {
  const char* before = "";
  for (const Column& column : kColumns) {
    out << before << column.name;
    before = ",";
  }
  out << '\n';
  for (const Record& record : records) {
    before = "";
    for (const Column& column : kColumns) {
      out << before << std::visit(ToCsv{}, column.cell(record));
      before = ",";
    }
    out << '\n';
  }
}

}  // namespace qassay
