#include "harness/run/job.hpp"

#include <nlohmann/json.hpp>

// NLOHMANN_DEFINE_TYPE_* writes both directions from one list of members.
namespace qassay {

NLOHMANN_JSON_SERIALIZE_ENUM(Cache, {{Cache::hot, "hot"}, {Cache::cold, "cold"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Isa, {{Isa::any, "any"},
                                   {Isa::avx2, "avx2"},
                                   {Isa::avxvnni, "avxvnni"},
                                   {Isa::avx512, "avx512"},
                                   {Isa::avx512vnni, "avx512vnni"},
                                   {Isa::avx512bf16, "avx512bf16"},
                                   {Isa::amx, "amx"},
                                   {Isa::neon, "neon"},
                                   {Isa::dotprod, "dotprod"},
                                   {Isa::i8mm, "i8mm"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Regime, m, cache)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Timing, legs, rounds, round_seconds, warmup_seconds)
// A layer that is more than its shape is looked up in its model.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LayerShape, name, n, k)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Fact, name, value)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Machine, cpu, isas, cores, cpu_quota, last_level_cache_bytes,
                                   memory_bytes, facts, fingerprint)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CaseRow, key, arm, group, legs, model, layer, n, k, m, cache,
                                   protocol, kv_cache, threads, scheme, method, backend, kernel,
                                   status, reason)
NLOHMANN_JSON_SERIALIZE_ENUM(Bos, {{Bos::none, "none"},
                                   {Bos::first_window, "first-window"},
                                   {Bos::every_window, "every-window"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Join, {{Join::none, "none"},
                                    {Join::newline, "newline"},
                                    {Join::blank_line, "blank-line"}})
NLOHMANN_JSON_SERIALIZE_ENUM(Tail, {{Tail::dropped, "dropped"}, {Tail::kept, "kept"}})
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TextProtocol, text, context, stride, bos, join, tail,
                                   tokens_hash)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TextChoice, text, tokens, stride, bos)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Group, key, model, source, checkpoint, baseline, whole, evaluate,
                                   timed, text, context, choice, protocol, samples, regime,
                                   round_seconds, own_threads, layers, cases)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MetricRow, case_key, arm, metric, value, low, high, count, unit,
                                   direction, baseline)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RoundRow, round, position, seconds, median_seconds, batches,
                                   iterations)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LegCaseRow, case_key, arm, status, reason, implementation,
                                   packed_bytes, workspace_bytes, rounds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SampleScoresRow, case_key, arm, dataset, dataset_hash,
                                   predictions)

#define QASSAY_JSON(Type, ...)                                                   \
  void to_json(nlohmann::json& nlohmann_json_j, const Type& nlohmann_json_t) {   \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__))     \
  }                                                                              \
  void from_json(const nlohmann::json& nlohmann_json_j, Type& nlohmann_json_t) { \
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_FROM, __VA_ARGS__))   \
  }

QASSAY_JSON(Job, group, leg, timing, kernel_libraries, isa, seed, threads, own_threads, machine)
QASSAY_JSON(Step, case_key, arm, doing, how_far)
QASSAY_JSON(LegRow, group, leg, started, seconds, peak_rss_bytes, environment, cases, metrics,
            samples)

#undef QASSAY_JSON

}  // namespace qassay
