#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace qassay {

/// An array of unsigned bytes in the IDX format: row-major, last dimension fastest.
struct IdxArray {
  std::vector<std::int64_t> dimensions;
  std::vector<std::uint8_t> values;  // as many as the product of the dimensions
};

/// Reads a gzip-compressed IDX file that is already in memory. The format (Y. LeCun's MNIST page):
/// bytes 0, 0, element type (8: unsigned byte), rank; one big-endian uint32 per dimension; the
/// values. The file is not trusted: throws InputError naming `place` when it is not gzip, damaged
/// or cut short, of another element type or rank than `rank`, claims more values than it can hold
/// (before memory is taken for them), or goes on after the last value.
IdxArray read_idx(std::span<const std::byte> gzip, int rank, std::string_view place);

}  // namespace qassay
