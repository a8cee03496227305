#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "harness/store/rows.hpp"
#include "harness/worker/timer.hpp"
#include "kernels/kernel.hpp"

namespace qassay {

/// One case of a leg, packed for its kernel: the weights that are verified, timed and evaluated,
/// and for cold measurements the copies that the calls rotate through.
class Arm {
 public:
  Arm(const CaseRow& row, std::size_t layer) : row_(&row), layer_(layer) {
    result_.case_key = row.key;
    result_.arm = row.arm;
    result_.status = "passed";
  }

  const CaseRow& row() const { return *row_; }
  std::size_t layer() const { return layer_; }
  LegCaseRow& result() { return result_; }
  bool passed() const { return result_.status == "passed"; }
  /// Gives the weights back; the case takes no further part.
  void fail(std::string status, std::string reason);

  void pack(std::unique_ptr<Prepared> prepared);
  void make_copies(std::int64_t copies);
  bool packed() const { return !copies_.empty(); }
  Prepared& prepared() { return *copies_.front(); }
  /// Each call takes the next copy.
  void call(ConstMatrix x, std::span<std::byte> workspace, Matrix y);

  Pace pace;

 private:
  const CaseRow* row_;
  std::size_t layer_;
  LegCaseRow result_;
  std::vector<std::unique_ptr<Prepared>> copies_;
  std::size_t next_ = 0;
};

}  // namespace qassay
