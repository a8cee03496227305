#include "models/model_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace qassay {
namespace {

static_assert(std::endian::native == std::endian::little, "the file form is little-endian");

/// First line of a file; then the SHA-256 of the rest as 64 digits and a line feed.
constexpr std::string_view kMagic = "qassay-model 1\n";
constexpr std::size_t kHeader = kMagic.size() + 64 + 1;

class Writer {
 public:
  void integer(std::int64_t value) { append(&value, sizeof value); }
  void text(const std::string& value) {
    integer(static_cast<std::int64_t>(value.size()));
    append(value.data(), value.size());
  }
  void floats(const std::vector<float>& values) {
    append(values.data(), values.size() * sizeof(float));
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  void append(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
  }

  std::vector<std::byte> bytes_;
};

/// Takes a byte form apart; anything that does not fit in what is left is damage.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::int64_t integer() {
    std::int64_t value = 0;
    copy(&value, 1, sizeof value);
    return value;
  }
  /// A number of things that take at least one byte each.
  std::int64_t size() {
    const std::int64_t value = integer();
    if (value < 0 || static_cast<std::size_t>(value) > bytes_.size()) damaged();
    return value;
  }
  std::string text() {
    std::string value(static_cast<std::size_t>(size()), '\0');
    copy(value.data(), value.size(), 1);
    return value;
  }
  std::vector<float> floats(std::int64_t rows, std::int64_t cols) {
    const auto most = static_cast<std::int64_t>(bytes_.size() / sizeof(float));
    if (cols != 0 && rows > most / cols) damaged();
    std::vector<float> values(static_cast<std::size_t>(rows * cols));
    copy(values.data(), values.size(), sizeof(float));
    return values;
  }
  bool at_end() const { return bytes_.empty(); }
  [[noreturn]] static void damaged() { throw std::out_of_range("model file"); }

 private:
  void copy(void* out, std::size_t count, std::size_t size) {
    const std::size_t wanted = count * size;
    if (wanted > bytes_.size()) damaged();
    if (wanted != 0) std::memcpy(out, bytes_.data(), wanted);
    bytes_ = bytes_.subspan(wanted);
  }

  std::span<const std::byte> bytes_;
};

Model from_bytes(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  Model model;
  model.name = reader.text();
  for (std::int64_t left = reader.size(); left > 0; --left) {
    LinearLayer layer;
    layer.name = reader.text();
    layer.n = reader.size();
    layer.k = reader.size();
    layer.relu = reader.integer() != 0;
    const std::int64_t biases = reader.size();
    layer.weights = reader.floats(layer.n, layer.k);
    layer.bias = reader.floats(biases, 1);
    model.layers.push_back(std::move(layer));
  }
  if (!reader.at_end()) Reader::damaged();
  check_chain(model);
  return model;
}

/// A name beside the file that no other process takes.
std::filesystem::path temporary_name(const std::filesystem::path& path) {
  return path.string() + fmt::format(".{}.tmp", ::getpid());
}

}  // namespace

std::vector<std::byte> to_bytes(const Model& model) {
  Writer writer;
  writer.text(model.name);
  writer.integer(static_cast<std::int64_t>(model.layers.size()));
  for (const LinearLayer& layer : model.layers) {
    writer.text(layer.name);
    writer.integer(layer.n);
    writer.integer(layer.k);
    writer.integer(layer.relu ? 1 : 0);
    writer.integer(static_cast<std::int64_t>(layer.bias.size()));
    writer.floats(layer.weights);
    writer.floats(layer.bias);
  }
  return writer.take();
}

void save_model(const Model& model, const std::filesystem::path& path) {
  const auto fail = [&](const std::string& why) {
    throw InputError(path.string(), fmt::format("cannot be written ({})", why),
                     "check the folder's permissions and free space");
  };
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) fail(error.message());

  const std::vector<std::byte> bytes = to_bytes(model);
  const std::filesystem::path temporary = temporary_name(path);
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << kMagic << sha256(bytes) << '\n';
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) {
    const std::string why = std::strerror(errno);
    std::filesystem::remove(temporary, error);
    fail(why);
  }
  std::filesystem::rename(temporary, path, error);
  if (error) {
    const std::string why = error.message();
    std::filesystem::remove(temporary, error);
    fail(why);
  }
}

std::optional<Model> load_model(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  std::vector<char> file(!error && in ? size : 0);
  in.read(file.data(), static_cast<std::streamsize>(file.size()));
  if (error || !in) {
    throw InputError(path.string(), "cannot be read", "check its permissions");
  }
  const std::string_view text(file.data(), file.size());
  const auto content = std::as_bytes(std::span(file)).subspan(std::min(kHeader, file.size()));
  const bool sound = text.starts_with(kMagic) && file.size() >= kHeader &&
                     text.substr(kMagic.size(), 64) == sha256(content);
  try {
    if (sound) return from_bytes(content);
  } catch (const std::logic_error&) {
    // A right hash over a wrong content: the same fault, told below.
  }
  throw InputError(path.string(), "is damaged", "delete it");
}

}  // namespace qassay
