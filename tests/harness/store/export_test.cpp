#include "harness/store/export.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

namespace qassay {
namespace {

std::vector<Record> records() {
  Record measured;
  measured.run = 3;
  measured.case_key = "decoder-7b/q,k\"v\"/m128";
  measured.arm = "a";
  measured.model = "decoder-7b";
  measured.layer = "</script><b>\nnext line";
  measured.n = 4096;
  measured.k = 11008;
  measured.m = 128;
  measured.cache = "hot";
  measured.threads = 2;
  measured.protocol = "text=t context=8";
  measured.kv_cache = "INT8";
  measured.scheme = "W4A8-g128";
  measured.group = "g1";
  measured.method = "rtn";
  measured.backend = "cpu";
  measured.kernel = "linear_a8r_s4g128";
  measured.implementation = "back\\slash \xff";
  measured.status = "passed";
  measured.metric = "latency";
  measured.value = 0.1;
  measured.low = 1e-300;
  measured.high = 1.0 / 3.0;
  measured.count = 4;
  measured.unit = "seconds";
  measured.baseline = "own-fp32";
  Record refused;
  refused.run = 3;
  refused.case_key = "c2";
  refused.arm = "b";
  refused.status = "unsupported";
  refused.reason = "no kernel";
  return {measured, refused};
}

TEST(ExportTest, CsvIsThis) {
  std::ostringstream out;
  export_csv(records(), out);
  EXPECT_EQ(
      out.str(),
      "run,case,arm,model,layer,n,k,m,cache,threads,protocol,kv_cache,scheme,group,method,backend,"
      "kernel,implementation,status,reason,metric,value,low,high,count,unit,baseline\n"
      "3,\"decoder-7b/q,k\"\"v\"\"/m128\",a,decoder-7b,\"</script><b>\nnext line\",4096,11008,"
      "128,hot,2,text=t context=8,INT8,W4A8-g128,g1,rtn,cpu,linear_a8r_s4g128,back\\slash "
      "\xff,passed,,latency,0.1,"
      "1e-300,0.3333333333333333,4,seconds,own-fp32\n"
      "3,c2,b,,,0,0,0,,0,,,,,,,,,unsupported,no kernel,,,,,,,\n");
}

TEST(ExportTest, JsonIsThis) {
  std::ostringstream out;
  export_json(records(), out);
  EXPECT_EQ(
      out.str(),
      "[\n"
      "{\"run\":3,\"case\":\"decoder-7b/q,k\\\"v\\\"/m128\",\"arm\":\"a\",\"model\":\"decoder-7b\","
      "\"layer\":\"</script><b>\\nnext line\",\"n\":4096,\"k\":11008,\"m\":128,\"cache\":\"hot\","
      "\"threads\":2,\"protocol\":\"text=t "
      "context=8\",\"kv_cache\":\"INT8\",\"scheme\":\"W4A8-g128\",\"group\":\"g1\",\"method\":"
      "\"rtn\",\"backend\":"
      "\"cpu\","
      "\"kernel\":\"linear_a8r_s4g128\",\"implementation\":\"back\\\\slash \xEF\xBF\xBD\","
      "\"status\":\"passed\",\"reason\":\"\",\"metric\":\"latency\",\"value\":0.1,\"low\":1e-300,"
      "\"high\":0.3333333333333333,\"count\":4,\"unit\":\"seconds\",\"baseline\":\"own-fp32\"},\n"
      "{\"run\":3,\"case\":\"c2\",\"arm\":\"b\",\"model\":\"\",\"layer\":\"\",\"n\":0,\"k\":0,"
      "\"m\":0,"
      "\"cache\":\"\",\"threads\":0,\"protocol\":\"\",\"kv_cache\":\"\",\"scheme\":\"\",\"group\":"
      "\"\",\"method\":\"\",\"backend\":"
      "\"\","
      "\"kernel\":\"\",\"implementation\":\"\",\"status\":\"unsupported\",\"reason\":\"no kernel\","
      "\"metric\":\"\",\"value\":null,\"low\":null,\"high\":null,\"count\":null,\"unit\":\"\","
      "\"baseline\":\"\"}\n"
      "]\n");
}

TEST(ExportTest, NothingIsAnEmptyListAndAHeader) {
  std::ostringstream json;
  export_json({}, json);
  EXPECT_EQ(nlohmann::json::parse(json.str()), nlohmann::json::array());
  std::ostringstream csv;
  export_csv({}, csv);
  EXPECT_EQ(csv.str().find('\n'), csv.str().size() - 1);
}

TEST(ExportTest, NumbersReadBackToTheSameBits) {
  std::vector<Record> rows(1, records()[0]);
  for (const double value :
       {0.1, 5e-324, 1.7976931348623157e308, -1.0, 123456789.123456789, std::nextafter(2.0, 3.0)}) {
    rows[0].value = value;
    std::ostringstream json;
    export_json(rows, json);
    EXPECT_EQ(nlohmann::json::parse(json.str())[0]["value"].get<double>(), value);
  }
  rows[0].count = std::numeric_limits<std::int64_t>::max();
  std::ostringstream json;
  export_json(rows, json);
  EXPECT_EQ(nlohmann::json::parse(json.str())[0]["count"].get<std::int64_t>(), rows[0].count);
}

}  // namespace
}  // namespace qassay
