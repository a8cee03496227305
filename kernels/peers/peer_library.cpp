#include "kernels/peers/peer_library.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace qassay {

std::filesystem::path peers_folder() {
  const char* named = std::getenv("QASSAY_PEERS");
  return named == nullptr || *named == '\0' ? "out/peers" : named;
}

std::string peer_not_found(const std::filesystem::path& path) {
  return fmt::format("{} not found; scripts/fetch-peers gets it", path.string());
}

}  // namespace qassay
