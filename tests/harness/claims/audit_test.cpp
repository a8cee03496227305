// The arithmetic of sources, and what a contradiction does to a verdict.

#include "harness/claims/audit.hpp"

#include <gmock/gmock.h>

#include "harness/claims/judge.hpp"
#include "tests/harness/claims/fixtures.hpp"

namespace qassay {
namespace {

using namespace test;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Operation = Audit::Operation;

Audit audit(Operation operation, std::vector<double> figures, double printed, double tolerance) {
  return {"it", operation, std::move(figures), printed, printed, tolerance};
}

TEST(AuditTest, EveryOperationIsWorkedOut) {
  EXPECT_EQ(contradiction(audit(Operation::sum, {1, 2, 3}, 6, 0)), "");
  EXPECT_EQ(contradiction(audit(Operation::difference, {6.66, 6.24}, 0.42, 0)), "");
  EXPECT_EQ(contradiction(audit(Operation::product, {8, 1000, 0.5}, 4000, 0)), "");
  EXPECT_EQ(contradiction(audit(Operation::quotient, {144, 32}, 4.5, 0)), "");
  EXPECT_EQ(contradiction(audit(Operation::change, {8000, 2000}, -75, 0)), "");
}

TEST(AuditTest, AContradictionShowsItsArithmetic) {
  EXPECT_EQ(contradiction(audit(Operation::sum, {1, 2, 3}, 7, 0.5)),
            "1 + 2 + 3 = 6, and 7 is printed (it)");
  EXPECT_EQ(contradiction(audit(Operation::difference, {6.66, 6.24}, 0.5, 0)),
            "6.66 - 6.24 = 0.42, and 0.5 is printed (it)");
  EXPECT_EQ(contradiction(audit(Operation::product, {1.5, 0.5}, 0.4, 0.05)),
            "1.5 * 0.5 = 0.75, and 0.4 is printed (it)");
  EXPECT_EQ(contradiction(audit(Operation::quotient, {1967, 667}, 1.3389, 0.005)),
            "1967 / 667 = 2.949, and 1.3389 is printed (it)");
  Audit change = audit(Operation::change, {8000, 2000}, -70, 0);
  change.printed_high = -50;
  EXPECT_EQ(contradiction(change),
            "from 8000 to 2000 in percent = -75, and -70 to -50 is printed (it)");
}

TEST(AuditTest, RoundingIsAllowedForUpToItsEnds) {
  EXPECT_EQ(contradiction(audit(Operation::quotient, {37.28, 27.65}, 1.35, 0.005)), "");
  EXPECT_NE(contradiction(audit(Operation::quotient, {37.28, 27.65}, 1.36, 0.005)), "");
  EXPECT_EQ(contradiction(audit(Operation::difference, {0.3, 0.1}, 0.1, 0.1)), "")
      << "an end of the tolerance belongs to it, and doubles are no decimals";
}

TEST(AuditTest, TellsAllThatContradict) {
  EXPECT_EQ(contradictions({audit(Operation::sum, {1, 1}, 2, 0)}), "");
  EXPECT_EQ(
      contradictions({audit(Operation::sum, {1, 1}, 3, 0), audit(Operation::sum, {1, 1}, 2, 0),
                      audit(Operation::sum, {2, 2}, 5, 0)}),
      "1 + 1 = 2, and 3 is printed (it); 2 + 2 = 4, and 5 is printed (it)");
}

class ContradictionTest : public ::testing::Test {
 protected:
  static VerdictRow judged(double value, double low, double high) {
    Claim claim = claim_of("loss", {"W8A8"}, 1, 3);
    claim.audits = {audit(Operation::sum, {1, 1}, 3, 0)};
    return judge(claim, std::vector{loss("W8A8", value, low, high)}, {}).front();
  }
};

TEST_F(ContradictionTest, IsNoEvidenceForAClaimAndLeavesThatAgainstIt) {
  EXPECT_EQ(judged(2, 1.5, 2.5).verdict, "inconclusive");
  EXPECT_EQ(judged(0, -0.1, 0.1).verdict, "inconclusive") << "better is no better here";
  EXPECT_EQ(judged(3, 2, 4).verdict, "inconclusive");
  const VerdictRow refuted = judged(5, 4, 6);
  EXPECT_EQ(refuted.verdict, "refuted");
  EXPECT_EQ(refuted.reason, "inconsistent_source");
  EXPECT_EQ(refuted.estimate, 5);
  EXPECT_THAT(refuted.note, StartsWith("1 + 1 = 2, and 3 is printed (it)"));
}

TEST_F(ContradictionTest, IsTheReasonOfWhatCannotBeTested) {
  Claim claim = claim_of("accuracy_kept", {"W8A8"}, 97, 98);
  claim.not_testable = ReasonCode::needs_gpu;
  claim.explanation = "of a GPU";
  EXPECT_EQ(judge(claim, {}, {}).front().reason, "needs_gpu");
  claim.audits = {audit(Operation::sum, {1, 1}, 3, 0)};
  const VerdictRow row = judge(claim, {}, {}).front();
  EXPECT_EQ(row.verdict, "not_testable");
  EXPECT_EQ(row.reason, "inconsistent_source");
  EXPECT_EQ(row.note, "1 + 1 = 2, and 3 is printed (it); of a GPU");
}

TEST_F(ContradictionTest, OfAPartIsOfThatPartAlone) {
  Claim claim = claim_of("loss", {"W8A8"}, 1, 3);
  claim.parts.push_back({{"W8A16"}, {1, 3}, {"rtn"}, {audit(Operation::sum, {1, 1}, 3, 0)}});
  const auto rows =
      judge(claim, std::vector{loss("W8A8", 2, 1.5, 2.5), loss("W8A16", 2, 1.5, 2.5)}, {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].verdict, "confirmed");
  EXPECT_EQ(rows[0].reason, "");
  EXPECT_EQ(rows[1].reason, "inconsistent_source");
}

}  // namespace
}  // namespace qassay
