#pragma once

namespace qassay {

/// How well outputs are what is wanted of them.
struct Outcome {
  double loss = 0;   // mean, in nats
  double right = 0;  // fraction of the rows whose largest score is the label's
};

}  // namespace qassay
