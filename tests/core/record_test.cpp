#include "core/record.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/isa.hpp"

namespace qassay {
namespace {

// The store refuses NaN: a record that nobody filled must hold none.
TEST(RecordTest, StartsEmptyAndFinite) {
  const Record record;
  for (const double figure : {record.value, record.low, record.high}) EXPECT_EQ(figure, 0);
  for (const std::int64_t number : {record.run, record.n, record.k, record.m, record.count}) {
    EXPECT_EQ(number, 0);
  }
  EXPECT_TRUE(record.status.empty()) << "an outcome has to be stated";

  const VerdictRow verdict;
  for (const double figure :
       {verdict.estimate, verdict.low, verdict.high, verdict.claimed_low, verdict.claimed_high}) {
    EXPECT_EQ(figure, 0);
  }
  EXPECT_EQ(verdict.covered, 0);
  EXPECT_EQ(verdict.cells, 0);
}

TEST(IsaTest, NamesRoundTrip) {
  for (const Isa isa : kAllIsas) EXPECT_EQ(parse_isa(to_string(isa)), isa);
  EXPECT_THROW(parse_isa("AVX512"), InputError);
  EXPECT_THROW(parse_isa(""), InputError);
}

}  // namespace
}  // namespace qassay
