#include "harness/store/machine_json.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace qassay {
namespace {

using nlohmann::json;

// What /sys and libraries say of themselves need not be UTF-8.
std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string isas_to_json(const std::vector<Isa>& isas) {
  json list = json::array();
  for (const Isa isa : isas) list.push_back(to_string(isa));
  return dump(list);
}

std::string cores_to_json(const std::vector<int>& cores) { return dump(json(cores)); }

std::string facts_to_json(const std::vector<Fact>& facts) {
  json list = json::array();
  for (const Fact& fact : facts) list.push_back(json::array({fact.name, fact.value}));
  return dump(list);
}

std::vector<Isa> isas_from_json(std::string_view text) {
  std::vector<Isa> isas;
  for (const json& name : json::parse(text)) isas.push_back(parse_isa(name.get<std::string>()));
  return isas;
}

std::vector<int> cores_from_json(std::string_view text) {
  return json::parse(text).get<std::vector<int>>();
}

std::vector<Fact> facts_from_json(std::string_view text) {
  std::vector<Fact> facts;
  for (const json& fact : json::parse(text)) {
    facts.push_back({fact.at(0).get<std::string>(), fact.at(1).get<std::string>()});
  }
  return facts;
}

}  // namespace qassay
