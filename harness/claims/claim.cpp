#include "harness/claims/claim.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace qassay {
namespace {

template <typename Value>
using Name = std::pair<Value, std::string_view>;

constexpr std::array kRegimes{
    Name<ClaimRegime>{ClaimRegime::decode, "decode"},
    Name<ClaimRegime>{ClaimRegime::batch, "batch"},
    Name<ClaimRegime>{ClaimRegime::network, "network"},
    Name<ClaimRegime>{ClaimRegime::generation, "generation"},
    Name<ClaimRegime>{ClaimRegime::model, "model"},
    Name<ClaimRegime>{ClaimRegime::images, "images"},
    Name<ClaimRegime>{ClaimRegime::text, "text"},
    Name<ClaimRegime>{ClaimRegime::layers, "layers"},
};

constexpr std::array kKinds{
    Name<EvidenceKind>{EvidenceKind::measured, "measured"},
    Name<EvidenceKind>{EvidenceKind::derived, "derived"},
    Name<EvidenceKind>{EvidenceKind::predicted, "predicted"},
};

constexpr std::array kReasons{
    Name<ReasonCode>{ReasonCode::needs_gpu, "needs_gpu"},
    Name<ReasonCode>{ReasonCode::needs_checkpoint, "needs_checkpoint"},
    Name<ReasonCode>{ReasonCode::underpowered, "underpowered"},
    Name<ReasonCode>{ReasonCode::baseline_suspect, "baseline_suspect"},
    Name<ReasonCode>{ReasonCode::inconsistent_source, "inconsistent_source"},
    Name<ReasonCode>{ReasonCode::not_comparable, "not_comparable"},
    Name<ReasonCode>{ReasonCode::no_vector_kernel, "no_vector_kernel"},
    Name<ReasonCode>{ReasonCode::fell_back, "fell_back"},
};

template <typename Names, typename Value>
std::string_view name_of(const Names& names, Value value) {
  return std::find_if(names.begin(), names.end(),
                      [&](const auto& name) { return name.first == value; })
      ->second;
}

template <typename Value, std::size_t kCount>
std::optional<Value> value_of(const std::array<Name<Value>, kCount>& names, std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(ClaimRegime regime) { return name_of(kRegimes, regime); }
std::optional<ClaimRegime> parse_regime(std::string_view text) { return value_of(kRegimes, text); }

std::string_view to_string(EvidenceKind kind) { return name_of(kKinds, kind); }
std::optional<EvidenceKind> parse_evidence_kind(std::string_view text) {
  return value_of(kKinds, text);
}

std::string_view to_string(ReasonCode reason) { return name_of(kReasons, reason); }
std::optional<ReasonCode> parse_reason_code(std::string_view text) {
  return value_of(kReasons, text);
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t from = star; from <= text.size(); ++from) {
    if (matches_pattern(rest, text.substr(from))) return true;
  }
  return false;
}

}  // namespace qassay
