#pragma once

namespace qassay {

/// What of the tile matrix extension this processor has and its operating system lets this process
/// use. Linux wants to be asked, which the first call does (arch_prctl, ARCH_REQ_XCOMP_PERM).
struct Amx {
  bool int8 = false;
  bool bf16 = false;
};

Amx usable_amx();

}  // namespace qassay
