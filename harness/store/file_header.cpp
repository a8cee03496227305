#include "harness/store/file_header.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace qassay {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kUserVersionAt = 60;
constexpr std::size_t kApplicationIdAt = 68;
using Bytes = std::array<std::uint8_t, 100>;

std::int64_t big_endian_32(const Bytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | bytes[at + i];
  return static_cast<std::int32_t>(value);
}

// Through SQLite's own layer: it keeps count of the locks of this process on the file, all of which
// the system drops when a descriptor that SQLite knows nothing of is closed.
class VfsFile {
 public:
  explicit VfsFile(const std::filesystem::path& path)
      : path_(path.string()),
        name_(sqlite3_create_filename(std::filesystem::absolute(path).c_str(), "", "", 0, nullptr),
              sqlite3_free_filename),
        memory_(static_cast<std::size_t>(vfs_->szOsFile) / sizeof(std::max_align_t) + 1) {
    if (name_ == nullptr) throw std::bad_alloc();
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
    if (vfs_->xOpen(vfs_, name_.get(), file(), flags, nullptr) != SQLITE_OK) {
      fail("opened", "check that it and its folders may be read");
    }
  }
  ~VfsFile() { file()->pMethods->xClose(file()); }
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  /// Zeros where the file is shorter.
  Bytes first_bytes() {
    Bytes bytes{};
    const int code = file()->pMethods->xRead(file(), bytes.data(), bytes.size(), 0);
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
      fail("read", "check the disk that it lies on");
    }
    return bytes;
  }

 private:
  [[noreturn]] void fail(std::string_view what, std::string_view mend) const {
    const int error = vfs_->xGetLastError(vfs_, 0, nullptr);
    throw InputError(path_, fmt::format("cannot be {} ({})", what, std::strerror(error)), mend);
  }
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }

  sqlite3_vfs* vfs_ = sqlite3_vfs_find(nullptr);
  std::string path_;
  std::unique_ptr<const char, void (*)(const char*)> name_;
  std::vector<std::max_align_t> memory_;  // of the size and alignment that the layer asks for
};

}  // namespace

FileHeader read_file_header(const std::filesystem::path& path) {
  // The layer is there only once the library is.
  if (sqlite3_initialize() != SQLITE_OK) throw std::bad_alloc();
  const Bytes bytes = VfsFile(path).first_bytes();
  return {std::equal(kMagic.begin(), kMagic.end(), bytes.begin()),
          big_endian_32(bytes, kApplicationIdAt), big_endian_32(bytes, kUserVersionAt)};
}

}  // namespace qassay
