#include "harness/worker/arm.hpp"

#include <utility>

namespace qassay {

void Arm::fail(std::string status, std::string reason) {
  result_.status = std::move(status);
  result_.reason = std::move(reason);
  result_.rounds.clear();
  copies_.clear();
}

void Arm::pack(std::unique_ptr<Prepared> prepared) {
  result_.implementation = prepared->implementation();
  result_.packed_bytes = static_cast<std::int64_t>(prepared->packed_bytes());
  result_.workspace_bytes = static_cast<std::int64_t>(prepared->workspace_bytes());
  copies_.push_back(std::move(prepared));
}

void Arm::make_copies(std::int64_t copies) {
  while (static_cast<std::int64_t>(copies_.size()) < copies)
    copies_.push_back(copies_.front()->copy());
}

void Arm::call(ConstMatrix x, std::span<std::byte> workspace, Matrix y) {
  copies_[next_]->run(x, workspace, y);
  next_ = (next_ + 1) % copies_.size();
}

}  // namespace qassay
