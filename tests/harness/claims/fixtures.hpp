#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/record.hpp"
#include "harness/claims/claim.hpp"

namespace qassay::test {

struct Place {
  std::string scheme = "W8A8";
  std::string backend = "cpu";
  std::string layer = "up";
  std::int64_t n = 64, k = 32;
  std::int64_t m = 1;
};

inline Record row(const Place& place, const std::string& metric) {
  Record record;
  record.arm = "a";
  record.model = "decoder";
  record.layer = place.layer;
  record.n = place.n;
  record.k = place.k;
  record.m = place.m;
  record.cache = place.m == 1 ? "cold" : "hot";
  record.threads = 2;
  record.scheme = place.scheme;
  record.method = "rtn";
  record.backend = place.backend;
  record.kernel = "linear_x";
  record.implementation = "brgemm:avx512_core_vnni";
  record.status = "passed";
  record.metric = metric;
  record.count = 4;
  record.case_key = fmt::format("{}/{}/m{}/{}/{}", record.model, place.layer, place.m, place.scheme,
                                place.backend);
  return record;
}

inline Record speedup(const Place& place, double value, double low, double high) {
  Record record = row(place, "speedup");
  record.value = value;
  record.low = low;
  record.high = high;
  record.baseline = "best-fp32";
  record.unit = "ratio";
  return record;
}

inline Record exact(const Place& place, const std::string& metric, double value) {
  Record record = row(place, metric);
  record.value = record.low = record.high = value;
  record.count = 1;
  return record;
}

/// A row without figures.
inline Record silent(const Place& place, const std::string& status, const std::string& reason) {
  Record record = row(place, "");
  record.status = status;
  record.reason = reason;
  record.count = 0;
  return record;
}

/// Of the whole model "images".
inline Record loss(const std::string& scheme, double value, double low, double high) {
  Record record = row({scheme, "cpu", "", 0, 0, 128}, "loss");
  record.model = "images";
  record.case_key = "images/" + scheme;
  record.value = value;
  record.low = low;
  record.high = high;
  record.count = 10000;
  record.baseline = "own-fp32";
  return record;
}

/// Of the whole language model "letters", on text.
inline Record text_figure(const std::string& metric, const std::string& scheme, double value,
                          double low, double high) {
  Record record = loss(scheme, value, low, high);
  record.model = "letters";
  record.case_key = "letters/" + scheme;
  record.metric = metric;
  record.kv_cache = "FP32";
  record.protocol = "text=t context=256 stride=256";
  return record;
}

inline ClaimRegime regime_of(const ClaimMetric& metric) {
  if (metric.evidence == Evidence::timing) return ClaimRegime::decode;
  return metric.evidence == Evidence::accuracy ? ClaimRegime::images : ClaimRegime::model;
}

inline Claim claim_of(const std::string& metric, std::vector<std::string> schemes, double low,
                      double high) {
  Claim claim;
  claim.id = "some.claim";
  claim.statement = "it is so";
  claim.source = "somewhere";
  claim.metric = find_claim_metric(metric);
  if (metric == "speedup") claim.baseline = "best-fp32";
  claim.regimes = {regime_of(*claim.metric)};
  claim.parts = {{std::move(schemes), {low, high}}};
  return claim;
}

}  // namespace qassay::test
