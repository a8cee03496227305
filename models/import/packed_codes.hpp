#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qassay {

/// Codes in the words of published checkpoints: 32 / bits of them in a word, the first in its
/// lowest bits. `bits` is 2, 4 or 8; a matrix of codes is row-major, a byte each.

/// Along the rows: word (w, column) has the codes of rows w * 32 / bits and on. `rows` and
/// `columns` are of the codes; the sizes are those of the words, which the caller has checked.
std::vector<std::uint8_t> unpack_rows(std::span<const std::uint32_t> words, std::int64_t rows,
                                      std::int64_t columns, int bits);
std::vector<std::uint32_t> pack_rows(std::span<const std::uint8_t> codes, std::int64_t rows,
                                     std::int64_t columns, int bits);

/// Along the columns: word (row, w) has the codes of columns w * 32 / bits and on, in the order in
/// which they are, or in AWQ's: columns 0, 2, 4, 6, 1, 3, 5, 7 of each 8 (bits is 4).
enum class WordOrder { plain, awq };
std::vector<std::uint8_t> unpack_columns(std::span<const std::uint32_t> words, std::int64_t rows,
                                         std::int64_t columns, int bits, WordOrder order);
std::vector<std::uint32_t> pack_columns(std::span<const std::uint8_t> codes, std::int64_t rows,
                                        std::int64_t columns, int bits);

}  // namespace qassay
