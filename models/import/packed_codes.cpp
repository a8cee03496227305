#include "models/import/packed_codes.hpp"

#include <array>
#include <cstddef>

namespace qassay {
namespace {

constexpr int kWordBits = 32;

/// Where code `index` of a stream begins.
struct Place {
  Place(std::size_t index, int bits)
      : word(index * static_cast<std::size_t>(bits) / kWordBits),
        bit(static_cast<int>(index * static_cast<std::size_t>(bits) % kWordBits)) {}

  std::size_t word;
  int bit;
};

/// The code at a place; `stride`: from a word of the stream to the next.
std::uint8_t code_at(std::span<const std::uint32_t> words, std::size_t first, std::size_t stride,
                     Place place, int bits) {
  const std::size_t at = first + place.word * stride;
  std::uint32_t code = words[at] >> place.bit;
  if (place.bit + bits > kWordBits) code |= words[at + stride] << (kWordBits - place.bit);
  return static_cast<std::uint8_t>(code & ((1U << bits) - 1));
}

void put_code(std::uint8_t code, std::span<std::uint32_t> words, std::size_t first,
              std::size_t stride, Place place, int bits) {
  const std::size_t at = first + place.word * stride;
  words[at] |= std::uint32_t{code} << place.bit;
  if (place.bit + bits > kWordBits)
    words[at + stride] |= std::uint32_t{code} >> (kWordBits - place.bit);
}

}  // namespace

std::int64_t packed_words(std::int64_t codes, int bits) { return codes * bits / kWordBits; }
bool fill_words(std::int64_t codes, int bits) { return codes * bits % kWordBits == 0; }

std::vector<std::uint8_t> unpack_rows(std::span<const std::uint32_t> words, std::int64_t rows,
                                      std::int64_t columns, int bits) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(rows) * width);
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = code_at(words, i % width, width, {i / width, bits}, bits);
  return codes;
}

std::vector<std::uint32_t> pack_rows(std::span<const std::uint8_t> codes, std::int64_t rows,
                                     std::int64_t columns, int bits) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<std::uint32_t> words(static_cast<std::size_t>(packed_words(rows, bits)) * width);
  for (std::size_t i = 0; i < codes.size(); ++i)
    put_code(codes[i], words, i % width, width, {i / width, bits}, bits);
  return words;
}

// A row is packed by itself, so that all rows are as one long row.
std::vector<std::uint8_t> unpack_columns(std::span<const std::uint32_t> words, std::int64_t rows,
                                         std::int64_t columns, int bits, WordOrder order) {
  // Where the codes of columns 0 to 7 are in a word.
  static constexpr std::array<std::size_t, 8> kAwqPosition{0, 4, 1, 5, 2, 6, 3, 7};
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t index = order == WordOrder::awq ? i / 8 * 8 + kAwqPosition[i % 8] : i;
    codes[i] = code_at(words, 0, 1, {index, bits}, bits);
  }
  return codes;
}

std::vector<std::uint32_t> pack_columns(std::span<const std::uint8_t> codes, std::int64_t rows,
                                        std::int64_t columns, int bits) {
  // As one long column.
  return pack_rows(codes, rows * columns, 1, bits);
}

}  // namespace qassay
