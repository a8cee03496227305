// What the page says of language models.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reports/page.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class LanguagePageTest : public ::testing::Test {
 protected:
  /// Of whole models, each figure exact.
  void add(const std::string& model, const char* scheme, const char* kv_cache, std::int64_t m,
           const char* metric, double value, const char* unit, const char* baseline = "") {
    Record record;
    record.case_key = fmt::format("{}/{}/{}/{}", model, scheme, kv_cache, m);
    record.arm = std::string("a");
    record.model = model;
    record.m = m;
    record.cache = std::string("hot");
    record.threads = 2;
    record.scheme = scheme;
    record.kv_cache = kv_cache;
    if (model == "text" && m > 1) record.protocol = std::string("text=t context=8");
    record.method = std::string("rtn");
    record.backend = std::string("cpu");
    record.status = std::string("passed");
    record.metric = metric;
    record.value = record.low = record.high = value;
    record.count = 4;
    record.unit = unit;
    record.baseline = baseline;
    input_.records.push_back(record);
  }
  void add_text() {
    for (const std::int64_t m : {1, 256}) {
      for (const char* kv : {"FP32", "INT8"}) {
        for (const char* scheme : {"FP32", "W4A16-g32"}) {
          add("text", scheme, kv, m, "latency", 0.5, "s");
          add("text", scheme, kv, m, "throughput", static_cast<double>(m) * 2, "tokens/s");
          if (m == 1) continue;
          add("text", scheme, kv, m, "perplexity", 2.5, "ratio");
          add("text", scheme, kv, m, "perplexity_ratio", 1.025, "ratio", "fp32");
          add("text", scheme, kv, m, "kl_mean", 0.0041, "nats", "fp32");
          if (std::string_view(scheme) != "FP32")
            add("text", scheme, kv, m, "loss", 1.5, "percent", "fp32");
        }
      }
    }
  }
  std::string section_of(const char* id) const { return section(page_of(input_), id); }

  ReportInput input_;
};

TEST_F(LanguagePageTest, ShowsPrefillAndDecodeByKvCache) {
  add_text();
  const std::string networks = section_of("networks");
  EXPECT_THAT(networks, AllOf(HasSubstr("<h4>decode, a token at a time, 2 threads</h4>"),
                              HasSubstr("<h4>prefill, 256 tokens at once, 2 threads</h4>"),
                              HasSubstr("Time to the first token"), HasSubstr("KV cache")));
  EXPECT_EQ(occurrences(networks, "<td>INT8</td>"), 4U);
}

TEST_F(LanguagePageTest, ShowsWhatIsLostOnTextAndUnderWhichProtocol) {
  add_text();
  const std::string accuracy = section_of("accuracy");
  EXPECT_THAT(accuracy, AllOf(HasSubstr("<code>text=t context=8</code>"), HasSubstr("2.5 %"),
                              HasSubstr("4.1 mnats"), HasSubstr("1.5 %")));
  // FP32 with keys and values in FP32 has nothing to be compared with; with others it has.
  EXPECT_EQ(occurrences(accuracy, "is the baseline"), 5U);
  EXPECT_THAT(accuracy, Not(HasSubstr("Models beside each other")));
}

TEST_F(LanguagePageTest, TellsACheckpointAgainstItsOwnWeightsFromALoss) {
  add_text();
  add("text", "W8A16", "FP32", 256, "perplexity", 2.5, "ratio");
  add("text", "W8A16", "FP32", 256, "kl_mean", 0.0007, "nats", "fp32");
  EXPECT_THAT(section_of("accuracy"), Not(HasSubstr("--original")));

  add("checkpoint", "W4A8-g32", "FP32", 256, "perplexity", 2.5, "ratio");
  add("checkpoint", "W4A8-g32", "FP32", 256, "kl_mean", 0.0019, "nats", "dequantized");
  add("checkpoint", "W4A8-g32", "FP32", 256, "loss", 0.3, "percent", "dequantized");
  const std::string accuracy = section_of("accuracy");
  EXPECT_THAT(accuracy, AllOf(HasSubstr("--original DIR"), HasSubstr("1.9 mnats"),
                              HasSubstr("Divergence from its weights, dequantized, checkpoint"),
                              HasSubstr("Divergence from FP32, text")));
  // Nowhere beside losses of other models.
  EXPECT_THAT(accuracy, Not(HasSubstr("Models beside each other")));
}

TEST_F(LanguagePageTest, ShowsModelsBesideEachOtherByWhatTheyLose) {
  add_text();
  add("images", "W4A16-g32", "", 128, "top1", 0.9, "fraction");
  add("images", "W4A16-g32", "", 128, "loss", 0.7, "percent", "fp32");
  const std::string accuracy = section_of("accuracy");
  const std::string table = accuracy.substr(accuracy.find("Models beside each other"));
  EXPECT_THAT(table, AllOf(HasSubstr("W4A16-g32"), HasSubstr("1.5 %"), HasSubstr("0.7 %")));
}

}  // namespace
}  // namespace qassay
