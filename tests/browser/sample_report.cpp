#include "tests/browser/sample_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <span>

#include "tests/browser/sample_verdicts.hpp"

namespace qassay {
namespace {

struct Layer {
  const char* model;
  const char* name;
  std::int64_t n, k;
};
constexpr char kNetwork[] = "fmnist-cnn";  // timed as a whole, too
constexpr Layer kLayers[] = {
    {"decoder-7b", "attn.q", 4096, 4096},
    {"decoder-7b", "mlp.up", 11008, 4096},
    {"decoder-7b", kPlantedLayer, 4096, 11008},
    {"decoder-7b", "small", 768, 768},
    {"fmnist-features", "features", 2048, 784},
    {"fmnist-features", "classes", 10, 2048},
    {kNetwork, "stem", 32, 9},
    {kNetwork, "block1.depth", 32, 9},
    {kNetwork, "block1.point", 64, 32},
    {kNetwork, "block2.depth", 64, 9},
    {kNetwork, "block2.point", 128, 64},
    {kNetwork, "classes", 10, 128},
};

struct Regime {
  std::int64_t m;
  const char* cache;
  const char* claim_name;
};
constexpr Regime kRegimes[] = {{1, "cold", "decode"}, {128, "hot", "batch"}};
constexpr Regime kNetworkRegimes[] = {{1, "hot", ""}, {128, "hot", "network"}};

std::span<const Regime> regimes_of(const Layer& layer) {
  if (std::string_view(layer.model) == kNetwork) return kNetworkRegimes;
  return kRegimes;
}

struct SampleScheme {
  const char* name;
  double bytes;          // a weight
  double decode, batch;  // times FP32
  double loss;           // percent
  double sqnr;           // dB
};
constexpr SampleScheme kSchemes[] = {
    {"FP32", 4, 1, 1, 0, 138},
    {"FP16", 2, 1.9, 1.02, 0.0, 66},
    {"BF16", 2, 1.85, 2.3, 0.05, 50},
    {"W8A8", 1.001, 3.6, 3.1, 0.21, 36},
    {"W4A16-g32", 0.5625, 5.6, 0.9, 1.1, 21.5},
    {"W4A16-g128", 0.516, 6.1, 0.95, 1.9, 19.8},
    {"W4A8-g32", 0.5625, 5.4, 1.7, 1.3, 20.9},
    {"W4A8-g128", 0.516, 5.9, 2.0, 2.2, 19.1},
};

struct SampleBackend {
  const char* name;
  double pace;
};
constexpr SampleBackend kBackends[] = {{"cpu", 1.0}, {"onednn", 0.93}, {"openblas", 0.97}};

bool supports(const SampleBackend& backend, const SampleScheme& scheme) {
  const std::string_view name = scheme.name;
  if (name == "FP32") return true;
  if (std::string_view(backend.name) == "openblas") return false;
  return std::string_view(backend.name) == "cpu" || name == "BF16" || name == "W8A8";
}

/// A number in [-1, 1) that depends on `seed` alone.
double wobble(int seed) {
  const auto bits = static_cast<unsigned>(seed) * 2654435761U;
  return static_cast<double>(bits >> 8) / (1 << 23) - 1;
}

class Rows {
 public:
  explicit Rows(std::vector<Record>& out) : out_(out) {}

  void start(Record about) { about_ = std::move(about); }
  void put(const char* metric, double value, double half_width, const char* unit,
           const char* baseline = "", std::int64_t count = 6) {
    Record row = about_;
    row.metric = metric;
    row.value = value;
    row.low = value - half_width;
    row.high = value + half_width;
    row.unit = unit;
    row.baseline = baseline;
    row.count = count;
    out_.push_back(row);
  }
  void put_nothing() { out_.push_back(about_); }

 private:
  std::vector<Record>& out_;
  Record about_;
};

Record case_of(const Layer& layer, const Regime& regime, const SampleScheme& scheme,
               const SampleBackend& backend) {
  Record record;
  record.run = 1;
  record.arm = std::string("a");
  record.model = layer.model;
  record.layer = layer.name;
  record.n = layer.n;
  record.k = layer.k;
  record.m = regime.m;
  record.cache = regime.cache;
  record.threads = 2;
  record.scheme = scheme.name;
  record.group = fmt::format("{}/m{}", layer.name, regime.m);
  record.method = std::string_view(scheme.name).front() == 'W' ? "rtn" : "none";
  record.backend = backend.name;
  record.kernel = fmt::format("linear_{}_{}", scheme.name, backend.name);
  record.implementation =
      std::string_view(backend.name) == "onednn" ? "brgemm:avx512_core_vnni" : record.kernel;
  record.case_key = fmt::format("{}/{}/m{}-{}/{}/{}", layer.model, layer.name, regime.m,
                                regime.cache, scheme.name, backend.name);
  record.status = std::string("passed");
  return record;
}

/// What a layer reached of the ceilings of a machine that is made up, too.
void add_rates(Rows& rows, const Regime& regime, const SampleScheme& scheme, double operation_rate,
               double bandwidth) {
  rows.put("operation_rate", operation_rate, operation_rate * 0.02, "op/s");
  rows.put("bandwidth", bandwidth, bandwidth * 0.02, "B/s");
  const std::string_view name = scheme.name;
  const auto share = [&](double rate, double ceiling, const char* bound) {
    rows.put("ceiling_fraction", rate / ceiling, rate / ceiling * 0.03, "fraction", bound);
  };
  if (std::string_view(regime.cache) == "cold") {
    share(bandwidth, 24e9, "read-rate");
  } else if (name.find("A8") != name.npos) {
    share(operation_rate, 640e9, "int8-peak");
  } else if (name == "BF16") {
    share(operation_rate, 430e9, "bf16-peak");
  } else {
    share(operation_rate, 190e9, "f32-peak");
  }
}

void add_layer_case(Rows& rows, const Layer& layer, const Regime& regime,
                    const SampleScheme& scheme, const SampleBackend& backend, int seed) {
  Record about = case_of(layer, regime, scheme, backend);
  if (!supports(backend, scheme)) {
    about.status = "unsupported";
    about.reason = fmt::format("{} has no kernel for {}", backend.name, scheme.name);
    about.implementation.clear();
    rows.start(about);
    rows.put_nothing();
    return;
  }
  if (std::string_view(layer.name) == "small" && std::string_view(scheme.name) == "W4A8-g32") {
    about.status = "failed";
    about.reason = "the worker ended with signal 11 (SIGSEGV)";
    rows.start(about);
    rows.put_nothing();
    return;
  }
  if (std::string_view(layer.name) == "attn.q" && std::string_view(scheme.name) == "FP16") {
    about.status = "mistrusted";
    about.reason = "the median is 1.31 times the probed ceiling";
  }
  rows.start(about);
  const bool decode = regime.m == 1;
  const double speedup =
      (decode ? scheme.decode : scheme.batch) * backend.pace * (1 + 0.12 * wobble(seed));
  const double work = static_cast<double>(layer.n) * static_cast<double>(layer.k);
  const double seconds = work * (decode ? 4 / 20e9 : 128 * 2 / 150e9) / speedup;
  rows.put("latency", seconds, seconds * 0.02, "seconds");
  rows.put("speedup", speedup, speedup * 0.03, "ratio", "best-fp32");
  rows.put("speedup", speedup / backend.pace, speedup * 0.03, "ratio", "own-fp32");
  if (std::string_view(backend.name) == "cpu" && supports(kBackends[1], scheme))
    rows.put("speedup", 1.06 + 0.1 * wobble(seed + 3), 0.03, "ratio", "best-peer");
  const double operations = 2 * work * static_cast<double>(regime.m);
  add_rates(rows, regime, scheme, operations / seconds, work * scheme.bytes / seconds);
  rows.put("weight_bytes", work * scheme.bytes, 0, "bytes", "", 1);
  rows.put("workspace_bytes", static_cast<double>(regime.m * layer.k), 0, "bytes", "", 1);
  rows.put("peak_rss_bytes", 3.4e8 + work * 6, 0, "bytes", "", 1);
  const double sqnr = scheme.sqnr + wobble(seed + 7);
  const double error = std::pow(10, -sqnr / 20);
  rows.put("sqnr", sqnr, 0, "dB", "FP32", 1);
  rows.put("relative_error", error, 0, "ratio", "FP32", 1);
  if (std::string_view(layer.model) == kNetwork && regime.m > 1) {
    const auto depth = static_cast<double>(&layer - std::begin(kLayers)) - 5;
    rows.put("accumulated_relative_error", error * std::sqrt(depth), 0, "ratio", "FP32", 1);
  }
}

void add_evaluation(Rows& rows, const SampleScheme& scheme, double top1_of_fp32) {
  const bool baseline = std::string_view(scheme.name) == "FP32";
  const double top1 = top1_of_fp32 * (1 - scheme.loss / 100);
  rows.put("top1", top1, 0.0068, "fraction", "", 10000);
  if (baseline) {
    rows.put("floor_flips", 2, 0, "samples", "FP32", 10000);
    return;
  }
  rows.put("loss", scheme.loss, 0.2, "percent", "fp32", 10000);
  rows.put("loss_points", scheme.loss * top1_of_fp32, 0.17, "points", "fp32", 10000);
  rows.put("loss_error_growth", (1 - top1) / (1 - top1_of_fp32), 0.01, "ratio", "fp32", 10000);
  rows.put("agreement", 1 - scheme.loss * 0.016, 0.002, "fraction", "fp32", 10000);
  rows.put("flips_lost", std::round(scheme.loss * 120), 0, "samples", "fp32", 10000);
  rows.put("flips_won", std::round(scheme.loss * 34), 0, "samples", "fp32", 10000);
  rows.put("mcnemar_p", scheme.loss < 0.1 ? 0.62 : std::pow(0.02, scheme.loss * 5), 0,
           "probability", "fp32", 10000);
}

/// A model that was evaluated and not timed as a whole.
void add_evaluated_model(Rows& rows, const SampleScheme& scheme, const SampleBackend& backend) {
  if (!supports(backend, scheme)) return;
  const Layer model = {"fmnist-features", "", 0, 0};
  rows.start(case_of(model, {0, "", ""}, scheme, backend));
  add_evaluation(rows, scheme, 0.8612);
}

void add_network(Rows& rows, const Regime& regime, const SampleScheme& scheme,
                 const SampleBackend& backend) {
  Record about = case_of({kNetwork, "", 0, 0}, regime, scheme, backend);
  if (!supports(backend, scheme)) {
    about.status = "unsupported";
    about.reason = fmt::format("{} has no kernel for {}", backend.name, scheme.name);
    rows.start(about);
    rows.put_nothing();
    return;
  }
  rows.start(about);
  const double own = regime.m == 1 ? std::sqrt(scheme.decode) : scheme.batch * 0.9 + 0.1;
  const double seconds = (regime.m == 1 ? 2.1e-4 : 9.3e-3) / own / backend.pace;
  const auto samples = static_cast<double>(regime.m);
  rows.put("latency", seconds, seconds * 0.02, "s");
  rows.put("throughput", samples / seconds, samples / seconds * 0.02, "samples/s");
  const bool fp32 = std::string_view(scheme.name) == "FP32";
  if (!fp32 || backend.pace < 1) {
    rows.put("speedup", own * backend.pace, own * 0.03, "ratio", "best-fp32");
  }
  if (!fp32) rows.put("speedup", own, own * 0.03, "ratio", "own-fp32");
  if (regime.m > 1) add_evaluation(rows, scheme, 0.9182);
}

}  // namespace

ReportInput sample_report() {
  ReportInput input;
  input.title = "qassay report";
  input.generated = "2024-05-17 08:30 UTC";
  input.suite = "default";
  Rows rows(input.records);
  int seed = 1;
  for (const Layer& layer : kLayers) {
    for (const Regime& regime : regimes_of(layer)) {
      for (const SampleScheme& scheme : kSchemes) {
        for (const SampleBackend& backend : kBackends) {
          add_layer_case(rows, layer, regime, scheme, backend, ++seed);
        }
      }
    }
  }
  for (const SampleScheme& scheme : kSchemes) {
    for (const SampleBackend& backend : kBackends) {
      add_evaluated_model(rows, scheme, backend);
      for (const Regime& regime : kNetworkRegimes) add_network(rows, regime, scheme, backend);
    }
  }
  for (int i = 0; i < 20; ++i) {
    Record twin = case_of(kLayers[0], kRegimes[1], kSchemes[0], kBackends[0]);
    twin.arm = std::string("b");
    twin.case_key += fmt::format("/{}", i);
    rows.start(twin);
    rows.put("speedup", 1 + 0.011 * wobble(i), 0.009, "ratio", "arm-a");
  }
  input.verdicts = sample_verdicts();
  input.machine.cpu = "Sample CPU with AVX-512 at 2.60 GHz";
  input.machine.isas = {Isa::any, Isa::avx512, Isa::avx512vnni};
  input.machine.cores = {0, 1};
  input.machine.last_level_cache_bytes = 32LL << 20;
  input.machine.memory_bytes = 16LL << 30;
  input.machine.facts = {{"governor", "unknown"},
                         {"huge pages", "madvise"},
                         {"hypervisor", "KVM"},
                         {"NUMA nodes", "1"},
                         {"CFS quota", "none"}};
  input.machine.fingerprint = "0f9c6d1c7f6e1b5f2d8a4b3c9e8d7f60";
  input.build = {{"qassay", "0.1.0"},
                 {"revision", "abcdef0123"},
                 {"compiler", "GNU 12.2.0, -O3"},
                 {"oneDNN", "2.6.3"},
                 {"OpenBLAS", "0.3.21"}};
  input.command =
      "build/release/qassay run default --store out/qassay.db --threads 2 && "
      "build/release/qassay report --store out/qassay.db --out out/report.html";
  return input;
}

}  // namespace qassay
