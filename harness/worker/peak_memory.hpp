#pragma once

#include <cstdint>

namespace qassay {

/// The most memory that this process had resident, over all and over a part of its work.
class PeakMemory {
 public:
  /// Begins a part. Where the system does not let the peak begin anew, a part's is that of all.
  void begin_part();
  /// Bytes, since the last part began.
  static std::int64_t of_part();
  /// Bytes, since the process began.
  std::int64_t of_all() const;

 private:
  std::int64_t before_ = 0;  // that of all, when the last part began
};

}  // namespace qassay
