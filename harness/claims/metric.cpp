#include "harness/claims/metric.hpp"

#include <algorithm>
#include <array>

namespace qassay {
namespace {

double as_is(double raw) { return raw; }
double of_fp32(double bytes_per_weight) { return bytes_per_weight / kFp32Bytes; }
double percent_left(double percent_lost) { return 100 - percent_lost; }
// Against the weights as plain FP32 numbers, not against some FP32 packing: a candidate's scales,
// padding and bias count against it, and padding of FP32 never counts in its favour.
double percent_saved(double bytes_per_weight) { return 100 * (1 - bytes_per_weight / kFp32Bytes); }

constexpr std::array kMetrics{
    ClaimMetric{"speedup", "x", Better::higher, Evidence::timing, "speedup", as_is, ""},
    ClaimMetric{"weight_saving", "%", Better::higher, Evidence::bytes, "weight_bytes",
                percent_saved, "fp32"},
    ClaimMetric{"bytes_per_parameter", "bytes", Better::lower, Evidence::bytes, "weight_bytes",
                as_is, ""},
    ClaimMetric{"bytes_ratio", "x", Better::lower, Evidence::bytes, "weight_bytes", of_fp32,
                "fp32"},
    ClaimMetric{"loss", "%", Better::lower, Evidence::accuracy, "loss", as_is, ""},
    ClaimMetric{"task_gap", "%", Better::higher, Evidence::accuracy, "loss", as_is, ""},
    ClaimMetric{"model_gap", "%", Better::higher, Evidence::accuracy, "loss", as_is, ""},
    ClaimMetric{"loss_points", "points", Better::lower, Evidence::accuracy, "loss_points", as_is,
                ""},
    ClaimMetric{"accuracy_kept", "%", Better::higher, Evidence::accuracy, "loss", percent_left, ""},
    ClaimMetric{"top1", "fraction", Better::higher, Evidence::accuracy, "top1", as_is, ""},
    ClaimMetric{"perplexity", "", Better::lower, Evidence::accuracy, "perplexity", as_is, ""},
    ClaimMetric{"perplexity_ratio", "x", Better::lower, Evidence::accuracy, "perplexity_ratio",
                as_is, ""},
    ClaimMetric{"bits_per_byte", "bits", Better::lower, Evidence::accuracy, "bits_per_byte", as_is,
                ""},
    ClaimMetric{"kl_mean", "nats", Better::lower, Evidence::accuracy, "kl_mean", as_is, ""},
    ClaimMetric{"top1_agreement", "fraction", Better::higher, Evidence::accuracy, "top1_agreement",
                as_is, ""},
    ClaimMetric{"latency", "s", Better::lower, Evidence::timing, "latency", as_is, ""},
    ClaimMetric{"error_accumulation", "x", Better::higher, Evidence::layer_error,
                "accumulated_relative_error", as_is, ""},
    ClaimMetric{"footprint", "GB", Better::lower, Evidence::arithmetic, "", as_is, ""},
    ClaimMetric{"cost_saving", "%", Better::higher, Evidence::arithmetic, "", as_is, ""},
    ClaimMetric{"loss_growth", "%", Better::higher, Evidence::accuracy, "loss", as_is, "",
                Comparison::difference, true},
    ClaimMetric{"loss_change", "%", Better::lower, Evidence::accuracy, "loss", as_is, "",
                Comparison::difference},
    ClaimMetric{"tuning_growth", "%", Better::higher, Evidence::accuracy, "loss", as_is, "",
                Comparison::tuning, true},
    ClaimMetric{"kl_growth", "x", Better::higher, Evidence::accuracy, "kl_mean", as_is, "",
                Comparison::ratio, true},
    ClaimMetric{"perplexity_change", "x", Better::lower, Evidence::accuracy, "perplexity_ratio",
                as_is, "", Comparison::ratio},
    ClaimMetric{"time_growth", "x", Better::higher, Evidence::cost, "quantize_seconds", as_is, "",
                Comparison::ratio, true},
    ClaimMetric{"error_growth", "x", Better::higher, Evidence::layer_error, "relative_error", as_is,
                "", Comparison::ratio, true},
    ClaimMetric{"accumulated_error_growth", "x", Better::higher, Evidence::layer_error,
                "accumulated_relative_error", as_is, "", Comparison::ratio, true},
    ClaimMetric{"speed_change", "x", Better::higher, Evidence::timing, "speedup", as_is, "",
                Comparison::ratio},
};

}  // namespace

std::string_view to_string(Better better) { return better == Better::higher ? "higher" : "lower"; }

std::span<const ClaimMetric> claim_metrics() { return kMetrics; }

const ClaimMetric* find_claim_metric(std::string_view name) {
  const auto found = std::find_if(kMetrics.begin(), kMetrics.end(),
                                  [&](const ClaimMetric& metric) { return metric.name == name; });
  return found == kMetrics.end() ? nullptr : &*found;
}

}  // namespace qassay
