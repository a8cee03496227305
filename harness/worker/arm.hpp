#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/store/rows.hpp"
#include "harness/worker/timer.hpp"
#include "kernels/kernel.hpp"
#include "models/executor.hpp"

namespace qassay {

/// One case of a leg: what has become of it, and how it is timed.
class Arm {
 public:
  Arm(const CaseRow& row, std::size_t place) : row_(&row), place_(place) {
    result_.case_key = row.key;
    result_.arm = row.arm;
    result_.status = "passed";
  }
  Arm(Arm&&) = default;  // before `work` points to it
  virtual ~Arm() = default;

  const CaseRow& row() const { return *row_; }
  /// Cases of one place are compared: the index of the layer, or one more for the whole model.
  std::size_t place() const { return place_; }
  LegCaseRow& result() { return result_; }
  bool passed() const { return result_.status == "passed"; }
  /// Gives the memory back; the case takes no further part.
  virtual void fail(std::string status, std::string reason);

  Work work;  // what is timed
  Pace pace;

 private:
  const CaseRow* row_;
  std::size_t place_;
  LegCaseRow result_;
};

/// A layer, packed for its kernel: the weights that are verified, timed and evaluated, and for cold
/// measurements copies, for each call reads other ones than the call before.
class LayerArm final : public Arm {
 public:
  using Arm::Arm;

  void fail(std::string status, std::string reason) override;
  void pack(std::unique_ptr<Prepared> prepared);
  /// Before so many calls: makes each of them read weights that are in no cache. Where the packed
  /// weights lie is known (Prepared::packed).
  void cool(std::int64_t calls, int threads);
  bool packed() const { return !copies_.empty(); }
  Prepared& prepared() { return *copies_.front(); }
  /// Each run takes the next copy.
  void run(ConstMatrix x, std::span<std::byte> workspace, Matrix y);

 private:
  void make_copies(std::int64_t copies);

  std::vector<std::unique_ptr<Prepared>> copies_;
  std::size_t next_ = 0;
};

/// The whole model, through the packed layers of one recipe.
class ModelArm final : public Arm {
 public:
  using Arm::Arm;

  void fail(std::string status, std::string reason) override;
  /// `layers`: all of the model's, in order. Fails where one of them did.
  void assemble(const Model& model, std::span<LayerArm* const> layers, std::int64_t m, int threads);
  Executor& executor() { return *executor_; }
  /// Of all layers in a timed call; it is bound by the fastest arithmetic among them.
  Traffic traffic(std::int64_t m) const;

 private:
  std::vector<Prepared*> prepared_;
  std::vector<std::int64_t> rows_;  // by layer, for each of the model's
  std::unique_ptr<Executor> executor_;
  bool writes_text_ = false;
};

}  // namespace qassay
