#include "core/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/error.hpp"

namespace qassay {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

/// False, with errno set, when not all could be written.
bool write_all(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

/// Zero or an errno.
int write_parts(const std::filesystem::path& path,
                std::span<const std::span<const std::byte>> parts) {
  constexpr int kMode = 0644;  // less the umask
  Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kMode));
  const bool written =
      file.get() >= 0 &&
      std::ranges::all_of(parts, [&](auto part) { return write_all(file.get(), part); }) &&
      ::fsync(file.get()) == 0 && file.close();
  return written ? 0 : errno;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path, std::size_t limit) {
  const auto fail = [&](const std::string& why) {
    throw InputError(path.string(), fmt::format("cannot be read ({})", why),
                     "check that the file exists and may be read");
  };
  // Without O_NONBLOCK a pipe would wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) fail(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail("not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > limit) {
    throw InputError(path.string(), fmt::format("has {} bytes, more than {}", size, limit),
                     "check that it is the right file");
  }
  if (size == 0) return;  // cannot be mapped
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) fail(std::strerror(errno));
  data_ = static_cast<const std::byte*>(memory);
  size_ = size;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> count = 0;
  return path.string() + fmt::format(".{}-{}.tmp", ::getpid(), count++);
}

void replace_file(const std::filesystem::path& path,
                  std::span<const std::span<const std::byte>> parts) {
  const auto fail = [&](const std::string& why) {
    throw InputError(path.string(), fmt::format("cannot be written ({})", why),
                     "check the folder's permissions and free space");
  };
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error) fail(error.message());

  const std::filesystem::path temporary = temporary_name(path);
  error = {write_parts(temporary, parts), std::generic_category()};
  if (!error) std::filesystem::rename(temporary, path, error);
  if (error) {
    const std::string why = error.message();
    std::filesystem::remove(temporary, error);
    fail(why);
  }
}

}  // namespace qassay
