#include "models/import/packed_codes.hpp"

#include <array>
#include <cstddef>

namespace qassay {
namespace {

constexpr int kWordBits = 32;

std::size_t codes_per_word(int bits) { return static_cast<std::size_t>(kWordBits / bits); }

std::uint8_t code_at(std::uint32_t word, std::size_t position, int bits) {
  const std::uint32_t mask = (1U << bits) - 1;
  return static_cast<std::uint8_t>((word >> (position * static_cast<std::size_t>(bits))) & mask);
}

std::uint32_t code_in(std::uint8_t code, std::size_t position, int bits) {
  return std::uint32_t{code} << (position * static_cast<std::size_t>(bits));
}

/// Calls visit(word, position in it, code) for each code of a matrix packed along its rows.
template <typename Visit>
void for_codes_along_rows(std::int64_t rows, std::int64_t columns, int bits, Visit visit) {
  const auto width = static_cast<std::size_t>(columns);
  const std::size_t per_word = codes_per_word(bits);
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    for (std::size_t column = 0; column < width; ++column)
      visit(row / per_word * width + column, row % per_word, row * width + column);
  }
}

}  // namespace

std::vector<std::uint8_t> unpack_rows(std::span<const std::uint32_t> words, std::int64_t rows,
                                      std::int64_t columns, int bits) {
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(rows * columns));
  for_codes_along_rows(rows, columns, bits,
                       [&](std::size_t word, std::size_t position, std::size_t code) {
                         codes[code] = code_at(words[word], position, bits);
                       });
  return codes;
}

std::vector<std::uint32_t> pack_rows(std::span<const std::uint8_t> codes, std::int64_t rows,
                                     std::int64_t columns, int bits) {
  std::vector<std::uint32_t> words(codes.size() / codes_per_word(bits));
  for_codes_along_rows(rows, columns, bits,
                       [&](std::size_t word, std::size_t position, std::size_t code) {
                         words[word] |= code_in(codes[code], position, bits);
                       });
  return words;
}

// A row is packed by itself, so that all rows are as one long row.
std::vector<std::uint8_t> unpack_columns(std::span<const std::uint32_t> words, std::int64_t rows,
                                         std::int64_t columns, int bits, WordOrder order) {
  // Where the codes of columns 0 to 7 are in a word.
  static constexpr std::array<std::size_t, 8> kAwqPosition{0, 4, 1, 5, 2, 6, 3, 7};
  const std::size_t per_word = codes_per_word(bits);
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t column = i % per_word;
    const std::size_t position = order == WordOrder::awq ? kAwqPosition[column] : column;
    codes[i] = code_at(words[i / per_word], position, bits);
  }
  return codes;
}

std::vector<std::uint32_t> pack_columns(std::span<const std::uint8_t> codes, std::int64_t rows,
                                        std::int64_t columns, int bits) {
  // As one long column.
  return pack_rows(codes, rows * columns, 1, bits);
}

}  // namespace qassay
