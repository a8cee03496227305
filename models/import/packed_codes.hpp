#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qassay {

/// Codes in the words of published checkpoints, one behind the other from the lowest bit of the
/// first word on: 32 / bits of them in a word, and of 3 bits 32 in three words, with two that begin
/// in one word and end in the next. `bits` is 2, 3, 4 or 8; a matrix of codes is row-major, a byte
/// each.

/// The words of so many codes, which have to fill them.
std::int64_t packed_words(std::int64_t codes, int bits);
/// Whether they do.
bool fill_words(std::int64_t codes, int bits);

/// Along the rows: words [packed_words(rows), columns], a column's codes in a column of words.
/// `rows` and `columns` are of the codes; the sizes are those of the words, which the caller has
/// checked.
std::vector<std::uint8_t> unpack_rows(std::span<const std::uint32_t> words, std::int64_t rows,
                                      std::int64_t columns, int bits);
std::vector<std::uint32_t> pack_rows(std::span<const std::uint8_t> codes, std::int64_t rows,
                                     std::int64_t columns, int bits);

/// Along the columns: words [rows, packed_words(columns)], in the order in which the columns are,
/// or in AWQ's: columns 0, 2, 4, 6, 1, 3, 5, 7 of each 8 (bits is 4).
enum class WordOrder { plain, awq };
std::vector<std::uint8_t> unpack_columns(std::span<const std::uint32_t> words, std::int64_t rows,
                                         std::int64_t columns, int bits, WordOrder order);
std::vector<std::uint32_t> pack_columns(std::span<const std::uint8_t> codes, std::int64_t rows,
                                        std::int64_t columns, int bits);

}  // namespace qassay
