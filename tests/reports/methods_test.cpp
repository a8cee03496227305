// What the page says of methods beside each other.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reports/page.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class MethodsPageTest : public ::testing::Test {
 protected:
  void add(const std::string& method, const char* metric, double value, const char* unit,
           const char* layer = "", const char* backend = "cpu") {
    Record record;
    record.case_key = fmt::format("text/{}/{}/{}", layer, method, backend);
    record.arm = std::string("a");
    record.model = std::string("text");
    record.layer = layer;
    record.m = 256;
    record.scheme = std::string("W4A16-g32");
    record.method = method;
    record.backend = backend;
    record.status = std::string("passed");
    record.metric = metric;
    record.value = record.low = record.high = value;
    record.count = 4;
    record.unit = unit;
    input_.records.push_back(record);
  }
  std::string shown() const { return section(page_of(input_), "methods"); }

  ReportInput input_;
};

TEST_F(MethodsPageTest, ShowsLossAndCostBesideThePlainMethod) {
  add("rtn", "kl_mean", 0.010, "nats");
  add("rtn", "quantize_seconds", 0.5, "s");
  add("gptq", "kl_mean", 0.004, "nats");
  add("gptq", "kl_mean", 0.008, "nats", "", "other");  // ours speaks
  add("gptq", "quantize_seconds", 2.5, "s");
  add("gptq", "weight_relative_error", 0.10, "ratio", "first");
  add("gptq", "weight_relative_error", 0.14, "ratio", "second");
  const std::string page = shown();
  EXPECT_THAT(page, AllOf(HasSubstr("<td>gptq</td>"), HasSubstr(">0.4<"), HasSubstr(">12 %<"),
                          HasSubstr("2.5 s"), Not(HasSubstr(">0.8<"))));
  EXPECT_THAT(page, Not(HasSubstr("calibration samples")));
}

TEST_F(MethodsPageTest, ShowsLossByCalibrationSamples) {
  add("gptq", "kl_mean", 0.004, "nats");
  add("gptq@8", "kl_mean", 0.006, "nats");
  add("gptq@512", "kl_mean", 0.003, "nats");
  EXPECT_THAT(shown(), AllOf(HasSubstr("Loss by calibration samples, text"), HasSubstr("8 samples"),
                             HasSubstr("128 samples"), HasSubstr("512 samples")));
}

TEST_F(MethodsPageTest, ShowsErrorThroughTheLayersByMethodWhereMostIsLost) {
  add("rtn", "kl_mean", 0.010, "nats");
  add("gptq", "kl_mean", 0.004, "nats");
  EXPECT_THAT(shown(), Not(HasSubstr("Error through the layers")));
  add("rtn", "accumulated_relative_error", 0.25, "ratio", "first");
  add("gptq", "accumulated_relative_error", 0.125, "ratio", "first");
  add("gptq@8", "accumulated_relative_error", 0.5, "ratio", "first");
  const std::string page = shown();
  EXPECT_THAT(page, HasSubstr("Error through the layers in W4A16-g32, text"));
  EXPECT_THAT(page, AllOf(HasSubstr("25.0"), HasSubstr("12.5"), HasSubstr(">gptq</th>"),
                          Not(HasSubstr(">gptq@8</th>"))));
}

TEST_F(MethodsPageTest, OneMethodHasNothingBesideIt) {
  add("rtn", "kl_mean", 0.010, "nats");
  EXPECT_THAT(shown(), AllOf(HasSubstr("qassay run methods"), Not(HasSubstr("<table"))));
}

}  // namespace
}  // namespace qassay
