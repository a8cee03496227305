#include "harness/claims/claim_reader.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "core/error.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kSpeed = R"([[claim]]
id = "speed.int8"
statement = "INT8 is twice as fast"
source = "a page"
metric = "speedup"
better = "higher"
kind = "measured"
baseline = "best-fp32"
schemes = ["W8A8", "W4*"]
regimes = ["decode", "batch"]
range = [2, 4.5]
)";

const std::string kFit = R"([[claim]]
id = "fit.all"
statement = "it fits"
source = "a page"
metric = "footprint"
better = "lower"
kind = "derived"
regimes = ["model"]
[[claim.part]]
schemes = ["FP16"]
value = 100
tolerance = 1
[[claim.part]]
schemes = ["W4A16"]
value = 25
tolerance_relative = 0.1
[claim.footprint]
total_gb = 100
from = ["FP16"]
row = 8192
kv_cache = { layers = 64, heads = 8, head_size = 128, tokens = 4096, sequences = 2, bits = 8 }
)";

/// `text` with one occurrence of `from` put as `to`.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

std::string fault_of(const std::function<void()>& read) {
  try {
    read();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no fault";
}

std::string fault_in(const std::string& text) {
  return fault_of([&] { read_claims(text, "my.toml"); });
}

TEST(ClaimReaderTest, ReadsAMeasuredClaim) {
  const auto claims = read_claims(kSpeed, "my.toml");
  ASSERT_EQ(claims.size(), 1U);
  const Claim& claim = claims[0];
  EXPECT_EQ(claim.id, "speed.int8");
  EXPECT_EQ(claim.statement, "INT8 is twice as fast");
  EXPECT_EQ(claim.source, "a page");
  EXPECT_EQ(claim.metric, find_claim_metric("speedup"));
  EXPECT_EQ(claim.kind, EvidenceKind::measured);
  EXPECT_EQ(claim.baseline, "best-fp32");
  EXPECT_THAT(claim.regimes, ElementsAre(ClaimRegime::decode, ClaimRegime::batch));
  ASSERT_EQ(claim.parts.size(), 1U);
  EXPECT_THAT(claim.parts[0].schemes, ElementsAre("W8A8", "W4*"));
  EXPECT_EQ(claim.parts[0].claimed.low, 2);
  EXPECT_EQ(claim.parts[0].claimed.high, 4.5);
  EXPECT_FALSE(claim.footprint);
  EXPECT_FALSE(claim.not_testable);
}

TEST(ClaimReaderTest, ReadsADerivedClaimInParts) {
  const Claim claim = read_claims(kFit, "my.toml").at(0);
  ASSERT_EQ(claim.parts.size(), 2U);
  EXPECT_EQ(claim.parts[0].claimed.low, 99);
  EXPECT_EQ(claim.parts[0].claimed.high, 101);
  EXPECT_DOUBLE_EQ(claim.parts[1].claimed.low, 22.5);
  EXPECT_DOUBLE_EQ(claim.parts[1].claimed.high, 27.5);
  ASSERT_TRUE(claim.footprint && claim.footprint->kv_cache);
  EXPECT_EQ(claim.footprint->total_gb, 100);
  EXPECT_EQ(claim.footprint->row, 8192);
  EXPECT_EQ(claim.footprint->kv_cache->bytes(), 2.0 * 64 * 8 * 128 * 4096 * 2);
}

TEST(ClaimReaderTest, ReadsWhatCannotBeTested) {
  const Claim claim =
      read_claims(kSpeed + "not_testable = \"needs_gpu\"\nexplanation = \"no GPU\"\n", "my.toml")
          .at(0);
  EXPECT_EQ(claim.not_testable, ReasonCode::needs_gpu);
  EXPECT_EQ(claim.explanation, "no GPU");
}

TEST(ClaimReaderTest, ANegativeValueKeepsItsEndsInOrder) {
  const Claim claim =
      read_claims(with(kSpeed, "range = [2, 4.5]", "value = -2\ntolerance_relative = 0.5"),
                  "my.toml")
          .at(0);
  EXPECT_EQ(claim.parts[0].claimed.low, -3);
  EXPECT_EQ(claim.parts[0].claimed.high, -1);
}

TEST(ClaimReaderTest, AFaultSaysPlaceWhatAndMend) {
  EXPECT_EQ(fault_in(with(kSpeed, "range = [2, 4.5]", "range = [4.5, 2]")),
            "my.toml:11: claim 'speed.int8', range: has low above high; write [low, high]");
  EXPECT_EQ(fault_in(with(kSpeed, "source = \"a page\"\n", "")),
            "my.toml:1: claim 'speed.int8': 'source' is missing; give a text in quotes");
  EXPECT_EQ(fault_in(with(kFit, "tolerance = 1", "tolerance = 1\nsigma = 3")),
            "my.toml:13: claim 'fit.all', part 1, sigma: is not a known key; known here: schemes, "
            "methods, range, value, tolerance, tolerance_relative, audit");
}

struct ClaimFault {
  std::string name;
  std::string from, to;  // a change of kSpeed, or of kFit
  std::string expected;
  bool fit = false;
};

class ClaimFaultTest : public testing::TestWithParam<ClaimFault> {};

TEST_P(ClaimFaultTest, IsRefused) {
  const ClaimFault& fault = GetParam();
  const std::string said = fault_in(with(fault.fit ? kFit : kSpeed, fault.from, fault.to));
  EXPECT_THAT(said, AllOf(HasSubstr("my.toml"), HasSubstr(fault.expected)));
}

INSTANTIATE_TEST_SUITE_P(
    Measured, ClaimFaultTest,
    testing::Values(
        ClaimFault{"UnknownKey", "kind =", "knd =", "knd: is not a known key"},
        ClaimFault{"UnknownTopKey", "[[claim]]", "version = 1\n[[claim]]",
                   "version: is not a known key"},
        ClaimFault{"TextForNumberList", "[2, 4.5]", "\"2-4\"", "range: has the wrong type"},
        ClaimFault{"TextInNumberList", "[2, 4.5]", "[2, \"4\"]", "range: has the wrong type"},
        ClaimFault{"NumberForText", "\"a page\"", "7", "source: has the wrong type"},
        ClaimFault{"NumberInTexts", "\"W8A8\", ", "8, ", "schemes: has the wrong type"},
        ClaimFault{"TextForTexts", "[\"W8A8\", \"W4*\"]", "\"W8A8\"",
                   "schemes: has the wrong type"},
        ClaimFault{"BlankText", "\"a page\"", "\" \"", "source: is empty"},
        ClaimFault{"NoId", "id = \"speed.int8\"\n", "", "'id' is missing"},
        ClaimFault{"OddId", "speed.int8\"", "speed int8\"", "id: has other characters"},
        ClaimFault{"NoSchemes", "schemes = [\"W8A8\", \"W4*\"]\n", "", "'schemes' is missing"},
        ClaimFault{"EmptySchemes", "[\"W8A8\", \"W4*\"]", "[]", "schemes: is empty"},
        ClaimFault{"SchemeTwice", "\"W4*\"", "\"W8A8\"", "names 'W8A8' twice"},
        ClaimFault{"NoScheme", "\"W8A8\"", "\"W9A8\"", "'W9A8' is no scheme"},
        ClaimFault{"EmptyRegimes", "[\"decode\", \"batch\"]", "[]", "regimes: is empty"},
        ClaimFault{"RegimeTwice", "\"batch\"", "\"decode\"", "names 'decode' twice"},
        ClaimFault{"NoRegime", "\"batch\"", "\"prefill\"", "'prefill' does not fit"},
        ClaimFault{"RegimeOfModels", "\"batch\"", "\"model\"", "'model' does not fit"},
        ClaimFault{"UnknownMetric", "\"speedup\"", "\"speed\"", "metric: 'speed' is not known"},
        ClaimFault{"WrongDirection", "\"higher\"", "\"lower\"", "better: is 'lower'"},
        ClaimFault{"UnknownKind", "\"measured\"", "\"seen\"", "kind: 'seen' is not known"},
        ClaimFault{"KindDoesNotFit", "\"measured\"", "\"derived\"", "kind: does not fit"},
        ClaimFault{"Prediction", "\"measured\"", "\"predicted\"", "kind: does not fit"},
        ClaimFault{"UnknownBaseline", "\"best-fp32\"", "\"fp32\"", "baseline: 'fp32' is not known"},
        ClaimFault{"NoBaseline", "baseline = \"best-fp32\"\n", "", "'baseline' is missing"},
        ClaimFault{"BaselineOfNoSpeedup", "\"speedup\"", "\"top1\"",
                   "baseline: is only for a speedup"},
        ClaimFault{"NoRange", "range = [2, 4.5]\n", "", "says no range, or says it twice"},
        ClaimFault{"RangeAndValue",
                   "range =", "value = 3\nrange =", "says no range, or says it twice"},
        ClaimFault{"OneEnd", "[2, 4.5]", "[2]", "range: has not two ends"},
        ClaimFault{"ThreeEnds", "[2, 4.5]", "[2, 3, 4]", "range: has not two ends"},
        ClaimFault{"NoEnds", "[2, 4.5]", "[]", "range: has not two ends"},
        ClaimFault{"NanEnd", "[2, 4.5]", "[nan, 4]", "range: is not a finite number"},
        ClaimFault{"InfiniteEnd", "[2, 4.5]", "[2, inf]", "range: is not a finite number"},
        ClaimFault{"ToleranceOfRange",
                   "range =", "tolerance = 1\nrange =", "tolerance: goes with value"},
        ClaimFault{"ValueWithoutTolerance", "range = [2, 4.5]", "value = 3",
                   "value: needs one tolerance"},
        ClaimFault{"TwoTolerances", "range = [2, 4.5]",
                   "value = 3\ntolerance = 1\ntolerance_relative = 1",
                   "value: needs one tolerance"},
        ClaimFault{"NegativeTolerance", "range = [2, 4.5]", "value = 3\ntolerance = -1",
                   "tolerance: is negative"},
        ClaimFault{"NanValue", "range = [2, 4.5]", "value = nan\ntolerance = 1",
                   "value: is not a finite number"},
        ClaimFault{"TrueForNumber", "range = [2, 4.5]", "value = true\ntolerance = 1",
                   "value: has the wrong type"},
        ClaimFault{"Footprint", "range =", "footprint = { parameters = 1, row = 1 }\nrange =",
                   "footprint: goes with metric footprint"},
        ClaimFault{"NoReasonCode",
                   "range =", "not_testable = \"hard\"\nexplanation = \"so\"\nrange =",
                   "'hard' is no reason code"},
        ClaimFault{"NotExplained",
                   "range =", "not_testable = \"needs_gpu\"\nrange =", "'explanation' is missing"},
        ClaimFault{"ExplainsNothing",
                   "range =", "explanation = \"so\"\nrange =", "explanation: explains nothing"},
        ClaimFault{"NoToml", "range = [2, 4.5]", "range = [2, ", "mend the syntax there"},
        ClaimFault{"KeyTwice", "range =", "id = \"again\"\nrange =", "mend the syntax there"}),
    [](const auto& fault) { return fault.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Derived, ClaimFaultTest,
    testing::Values(
        ClaimFault{"PatternOfSchemes", "\"W4A16\"", "\"W4*\"", "'W4*' is no scheme", true},
        ClaimFault{"SchemeInTwoParts", "\"W4A16\"", "\"FP16\"", "names 'FP16' again", true},
        ClaimFault{"AccuracyInARegimeOfTimes", "[\"decode\", \"batch\"]", "[\"text\"]",
                   "of speedup write some of \"decode\", \"batch\", \"network\", \"generation\""},
        ClaimFault{"UnknownProtocolField",
                   "regimes =", "protocol = { window = 3 }\nregimes =", "protocol, window"},
        ClaimFault{"SchemesBesideParts", "regimes =", "schemes = [\"FP32\"]\nregimes =",
                   "schemes: goes into the parts", true},
        ClaimFault{"RegimeOfLayers", "\"model\"", "\"decode\"", "'decode' does not fit", true},
        ClaimFault{"NoRow", "row = 8192\n", "", "footprint: 'row' is missing", true},
        ClaimFault{"RowOfNothing", "row = 8192", "row = 0", "row: is below 1", true},
        ClaimFault{"BrokenRow", "row = 8192", "row = 1.5", "row: has the wrong type", true},
        ClaimFault{"TwoSizes", "row =", "parameters = 1e9\nrow =", "says no size, or says it twice",
                   true},
        ClaimFault{"NoSize", "total_gb = 100\n", "", "says no size, or says it twice", true},
        ClaimFault{"NoParameters", "total_gb = 100\nfrom = [\"FP16\"]", "parameters = 0",
                   "parameters: is not above zero", true},
        ClaimFault{"FromOfParameters", "total_gb = 100", "parameters = 1e9",
                   "from: goes with total_gb", true},
        ClaimFault{"FromNothing", "from = [\"FP16\"]", "from = []", "from: is empty", true},
        ClaimFault{"FromNoScheme", "from = [\"FP16\"]", "from = [\"half\"]", "'half' is no scheme",
                   true},
        ClaimFault{"AllCache", "total_gb = 100", "total_gb = 1",
                   "kv_cache: is as large as the whole", true},
        ClaimFault{"UnknownOfCache", "layers = 64", "blocks = 64", "blocks: is not a known key",
                   true},
        ClaimFault{"WideCache", "bits = 8", "bits = 64", "bits: is above 32", true},
        ClaimFault{"CacheIsNoTable",
                   "kv_cache = { layers = 64, heads = 8, head_size = 128, tokens = 4096, "
                   "sequences = 2, bits = 8 }",
                   "kv_cache = 3", "kv_cache: has the wrong type", true},
        ClaimFault{"Measured", "\"derived\"", "\"measured\"", "kind: does not fit", true}),
    [](const auto& fault) { return fault.param.name; });

TEST(ClaimReaderTest, AnOrderStandsInPlaceOfSchemesAndRange) {
  const std::string head =
      "[[claim]]\nid = \"o\"\nstatement = \"s\"\nsource = \"s\"\nbetter = \"higher\"\n"
      "kind = \"measured\"\nregimes = [\"images\"]\nmetric = \"loss_growth\"\n";
  const std::string order =
      "order = [{ schemes = [\"FP16\"] }, { schemes = [\"W8A8\", \"W4*\"] }]\n";
  const auto claims = read_claims(head + order, "c.toml");
  ASSERT_EQ(claims.at(0).order.size(), 2U);
  EXPECT_THAT(claims.at(0).order[0].schemes, ElementsAre("FP16"));
  EXPECT_THAT(claims.at(0).order[1].schemes, ElementsAre("W8A8", "W4*"));
  EXPECT_THAT(claims.at(0).order[1].methods, ElementsAre("rtn"));
  const auto of_methods = read_claims(head +
                                          "order = [{ schemes = [\"W4*\"], methods = [\"gptq*\", "
                                          "\"awq\"] }, { schemes = [\"W4*\"] }]\n",
                                      "c.toml");
  EXPECT_THAT(of_methods.at(0).order[0].methods, ElementsAre("gptq*", "awq"));
  EXPECT_THROW(read_claims(head + "order = [{ schemes = [\"W4*\"], methods = [\"gpqt\"] }, "
                                  "{ schemes = [\"W4*\"] }]\n",
                           "c.toml"),
               InputError);
  EXPECT_THROW(read_claims(head, "c.toml"), InputError);
  EXPECT_THROW(read_claims(head + order + "range = [0, 1]\n", "c.toml"), InputError);
  EXPECT_THROW(read_claims(head + "order = [{ schemes = [\"FP16\"] }]\n", "c.toml"), InputError);
  EXPECT_THROW(read_claims(head + "order = [{ schemes = [\"FP17\"] }, { schemes = [\"FP16\"] }]\n",
                           "c.toml"),
               InputError);
}

TEST(ClaimReaderTest, AnOrderThatIsNoGrowthHasARange) {
  const std::string head =
      "[[claim]]\nid = \"o\"\nstatement = \"s\"\nsource = \"s\"\nbetter = \"lower\"\n"
      "kind = \"measured\"\nregimes = [\"images\"]\nmetric = \"loss_change\"\n"
      "order = [{ schemes = [\"FP16\"] }, { schemes = [\"W8A8\"] }]\n";
  const Claim claim = read_claims(head + "range = [-1, 2]\n", "c.toml").at(0);
  EXPECT_EQ(claim.step.low, -1);
  EXPECT_EQ(claim.step.high, 2);
  EXPECT_THAT(fault_in(head), HasSubstr("says no range, or says it twice"));
  EXPECT_THAT(fault_in(head + "schemes = [\"FP16\"]\nrange = [-1, 2]\n"),
              HasSubstr("schemes: is what order says already"));
}

TEST(ClaimReaderTest, SaysWhatIsPublishedOfWhichModels) {
  const Claim analogue = read_claims(kSpeed + "published_for = \"Llama-2-7B\"\n", "c.toml").at(0);
  EXPECT_EQ(analogue.published_for, "Llama-2-7B");
  const std::string of_model = kSpeed + "models = [\"opt-125m\"]\nreproduce = \"qassay run x\"\n";
  EXPECT_EQ(read_claims(of_model, "c.toml").at(0).reproduce, "qassay run x");
  EXPECT_THAT(fault_in(kSpeed + "reproduce = \"qassay run x\"\n"),
              HasSubstr("reproduce: is of no model"));
  EXPECT_THAT(fault_in(of_model + "published_for = \"another\"\n"),
              HasSubstr("published_for: contradicts reproduce"));
  EXPECT_THAT(fault_in(of_model + "not_testable = \"needs_gpu\"\nexplanation = \"no GPU\"\n"),
              HasSubstr("not_testable: contradicts reproduce"));
}

TEST(ClaimReaderTest, ReadsAudits) {
  const auto audited = [](const std::string& audit) {
    return kSpeed + "audit = [{ of = \"it\", " + audit + " }]\n";
  };
  const Claim claim =
      read_claims(audited("quotient = [37.28, 27.65], printed = [1.3, 1.4], tolerance = 0.1"), "c")
          .at(0);
  ASSERT_EQ(claim.audits.size(), 1U);
  EXPECT_EQ(claim.audits[0].operation, Audit::Operation::quotient);
  EXPECT_EQ(claim.audits[0].printed_low, 1.3);
  EXPECT_EQ(claim.audits[0].printed_high, 1.4);
  EXPECT_EQ(claim.audits[0].tolerance, 0.1);
  const std::string rest = ", printed = [1], tolerance = 0";
  EXPECT_THAT(fault_in(audited("printed = [1], tolerance = 0")), HasSubstr("says no operation"));
  EXPECT_THAT(fault_in(audited("sum = [1, 2], product = [1, 2]" + rest)),
              HasSubstr("product: is a second operation"));
  EXPECT_THAT(fault_in(audited("sum = [1]" + rest)), HasSubstr("sum: has 1 figures"));
  EXPECT_THAT(fault_in(audited("quotient = [1, 2, 3]" + rest)), HasSubstr("has 3 figures"));
  EXPECT_THAT(fault_in(audited("quotient = [1, 0]" + rest)), HasSubstr("divides by zero"));
  EXPECT_THAT(fault_in(audited("change = [0, 1]" + rest)), HasSubstr("divides by zero"));
  EXPECT_THAT(fault_in(audited("sum = [1, 2], printed = [2, 1], tolerance = 0")),
              HasSubstr("printed: is no number and no range"));
  EXPECT_THAT(fault_in(audited("sum = [1, 2], printed = [1, 2, 3], tolerance = 0")),
              HasSubstr("printed: is no number and no range"));
  EXPECT_THAT(fault_in(audited("sum = [1, 2], printed = [3], tolerance = -1")),
              HasSubstr("tolerance: is negative"));
  EXPECT_THAT(fault_in(audited("sum = [1, 2], printed = [3]")),
              HasSubstr("'tolerance' is missing"));
  EXPECT_THAT(fault_in(audited("sums = [1, 2]" + rest)), HasSubstr("sums: is not a known key"));
}

TEST(ClaimReaderTest, PartsMayDifferByMethodAlone) {
  const std::string head =
      "[[claim]]\nid = \"o\"\nstatement = \"s\"\nsource = \"s\"\nbetter = \"lower\"\n"
      "kind = \"measured\"\nregimes = [\"text\"]\nmetric = \"perplexity\"\n";
  const std::string part = "[[claim.part]]\nschemes = [\"W4A16\"]\nrange = [1, 2]\n";
  EXPECT_EQ(
      read_claims(head + part + part + "methods = [\"checkpoint\"]\n", "c").at(0).parts.size(), 2U);
  EXPECT_THAT(fault_in(head + part + part), HasSubstr("names 'W4A16' again"));
}

TEST(ClaimReaderTest, AFootprintHasToBeSaid) {
  const auto begin = kFit.find("[claim.footprint]");
  EXPECT_THAT(fault_in(kFit.substr(0, begin)), HasSubstr("'footprint' is missing"));
}

TEST(ClaimReaderTest, EveryClaimHasItsOwnId) {
  EXPECT_THAT(fault_in(kSpeed + kSpeed),
              HasSubstr("my.toml:13: claim 2, id: 'speed.int8' is taken"));
}

TEST(ClaimReaderTest, AFileHasClaims) {
  EXPECT_THAT(fault_in(""), HasSubstr("'claim' is missing"));
  EXPECT_THAT(fault_in("claim = []"), HasSubstr("claim: is empty"));
  EXPECT_THAT(fault_in("claim = 3"), HasSubstr("claim: has the wrong type"));
  EXPECT_THAT(fault_in("claim = [3]"), HasSubstr("claim: has the wrong type"));
}

TEST(ClaimReaderTest, ReadsFiles) {
  const auto folder = std::filesystem::temp_directory_path();
  const auto path = folder / ("qassay_claims_" + std::to_string(::getpid()) + ".toml");
  std::ofstream(path) << kSpeed;
  EXPECT_EQ(read_claims_file(path).size(), 1U);
  std::filesystem::remove(path);
  EXPECT_THAT(fault_of([&] { read_claims_file(path); }), HasSubstr("cannot be read"));
  EXPECT_THAT(fault_of([&] { read_claims_file(folder); }), HasSubstr("cannot be read"));
}

TEST(SeedClaimsTest, AreThoseOfTheArticles) {
  std::vector<std::string> ids;
  for (const Claim& claim : seed_claims()) ids.push_back(claim.id);
  EXPECT_THAT(
      ids,
      ElementsAre("mem.fp16", "mem.int8", "mem.int4", "size.fp32", "size.fp16", "size.int8",
                  "size.int4", "speed.fp16", "speed.int8", "speed.int4", "loss.fp16", "loss.int8",
                  "loss.int4", "order.loss-precision", "order.task", "model.differs",
                  "order.method-accuracy", "salient.weights", "order.method-time",
                  "noise.accumulates", "noise.corrected", "calib.samples", "calib.samples-awq",
                  "4bit.tuning", "retain.int8", "retain.int4", "fit.gpt3", "fit.7b", "fit.vram",
                  "fit.whisper", "asr.latency", "asr.real-time", "cost.gpu", "cost.a100"));
}

TEST(SeedClaimsTest, SayTheNumbersOfTheArticles) {
  const auto claimed = [claims = seed_claims()](const std::string& id, std::size_t part = 0) {
    for (const Claim& claim : claims) {
      if (claim.id == id) return claim.parts.at(part).claimed;
    }
    return ClaimedRange{};
  };
  const auto is = [&](const ClaimedRange& range, double low, double high) {
    EXPECT_DOUBLE_EQ(range.low, low);
    EXPECT_DOUBLE_EQ(range.high, high);
  };
  is(claimed("mem.fp16"), 49, 51);
  is(claimed("mem.int8"), 74, 76);
  is(claimed("mem.int4"), 85.5, 89.5);
  is(claimed("size.fp32"), 3.8, 4.2);
  is(claimed("size.fp16"), 1.9, 2.1);
  is(claimed("size.int8"), 0.95, 1.05);
  is(claimed("size.int4"), 0.45, 0.55);
  is(claimed("speed.fp16"), 1.5, 2);
  is(claimed("speed.int8"), 2, 4);
  is(claimed("speed.int4"), 4, 8);
  is(claimed("loss.fp16"), 0, 1);
  is(claimed("loss.int8"), 1, 3);
  is(claimed("loss.int4"), 3, 10);
  is(claimed("retain.int8"), 97, 98);
  is(claimed("retain.int4"), 90, 95);
  is(claimed("fit.gpt3", 0), 665, 735);
  is(claimed("fit.gpt3", 1), 166.25, 183.75);
  is(claimed("fit.gpt3", 2), 78.75, 96.25);
  is(claimed("fit.7b", 0), 26.6, 29.4);
  is(claimed("fit.7b", 1), 3.15, 3.85);
  is(claimed("fit.vram"), 15, 25);
}

}  // namespace
}  // namespace qassay
