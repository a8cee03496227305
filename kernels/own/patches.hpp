#pragma once

#include <cstddef>
#include <cstdint>

#include "core/convolution.hpp"
#include "core/matrix_view.hpp"
#include "kernels/own/args.h"

namespace qassay::own {

/// What a convolution's product reads as rows of x: the patches of the images, one a row, images
/// one after another, row = image * out_pixels + pixel.
///
/// With a border around the image, kernel_height runs of kernel_width * channels numbers are a
/// patch. Where runs are whole words they go from the image into the tile; where not (bytes of few
/// channels), a patch is put together first, for words are runs of k.
class Patches {
 public:
  /// `number_bytes`: 4 (FP32) or 1 (int8 codes). `steps`: words of a row. `group`: k whose codes
  /// are summed, 0: all. `zero`: what the sums are multiplied by. `rows` must stay.
  Patches(const Convolution& convolution, std::int64_t number_bytes, std::int64_t steps,
          std::int64_t group, int zero, const RowFunctions& rows);

  std::int64_t pixels() const { return pixels_; }
  std::int64_t bordered_image_bytes() const { return (c_.height + 2 * c_.padding) * pitch_; }
  /// Bytes that lower() needs for up to `rows` rows, besides its output.
  std::int64_t room_bytes(std::int64_t rows) const;

  /// Codes that have their border already, with 3 readable bytes behind them: rows [begin, end)
  /// into tiles of words, [steps][rows of the tile], and corrections[rows][groups] as LinearArgs
  /// has them.
  void lower_codes(const unsigned char* codes, std::int64_t begin, std::int64_t end, Word* words,
                   std::int32_t* corrections, std::byte* room) const;
  /// FP32 images, rows of x.
  void lower_floats(ConstMatrix x, std::int64_t begin, std::int64_t end, Word* words,
                    std::byte* room) const;

 private:
  struct Place;  // of a row: image, and pixel in it

  /// Calls tile(first row of it, rows, the begins of their patches); begin_of(place) gives the
  /// latter.
  template <typename BeginOf, typename Tile>
  void for_each_tile(std::int64_t begin, std::int64_t end, BeginOf begin_of, Tile tile) const;

  /// Lines of the bordered image that `rows` rows of patches see at most.
  std::int64_t lines_of(std::int64_t rows) const;
  /// Images that the rows of one tile come from at most.
  std::int64_t images_of_tile() const { return (kTileRows - 2) / pixels_ + 2; }
  void copy_with_border(const float* image, std::int64_t first_line, std::int64_t lines,
                        std::byte* to) const;
  bool whole_words() const { return run_bytes_ % static_cast<std::int64_t>(sizeof(Word)) == 0; }
  /// Puts patches of codes together in `room`, and points to them there. Reads up to 3 bytes behind
  /// a patch.
  void gather(const unsigned char** patches, std::int64_t rows, std::byte* room) const;
  std::int64_t gathered_bytes() const;  // of one patch, with a word more
  void lower_tile(const unsigned char* const* patches, std::int64_t rows, Word* out,
                  std::int32_t* corrections) const;

  Convolution c_;
  std::int64_t number_bytes_, steps_;
  std::int64_t pixels_, out_width_;
  std::int64_t pitch_;      // bytes from one line of the bordered image to the next
  std::int64_t run_bytes_;  // of a patch, on one line
  std::int64_t k_words_;    // of a patch, the last perhaps not full
  std::int64_t group_words_, groups_;
  int zero_;
  const RowFunctions& rows_;
};

}  // namespace qassay::own
