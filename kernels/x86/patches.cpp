#include "kernels/x86/patches.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace qassay::x86 {
namespace {

constexpr std::int64_t kWordBytes = sizeof(Word);

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

struct Patches::Place {
  std::int64_t image, y, x;
};

Patches::Patches(const Convolution& convolution, std::int64_t number_bytes, std::int64_t steps,
                 std::int64_t group, int zero)
    : c_(convolution),
      number_bytes_(number_bytes),
      steps_(steps),
      pixels_(c_.out_pixels()),
      out_width_(c_.out_width()),
      pitch_((c_.width + 2 * c_.padding) * c_.channels * number_bytes),
      run_bytes_(c_.kernel_width * c_.channels * number_bytes),
      k_words_(divide_up(c_.k() * number_bytes, kWordBytes)),
      group_words_(group == 0 ? k_words_ : group * number_bytes / kWordBytes),
      groups_(divide_up(k_words_, group_words_)),
      zero_(zero) {}

std::int64_t Patches::lines_of(std::int64_t rows) const {
  const std::int64_t out_lines = std::min((rows - 2) / out_width_ + 2, c_.out_height());
  return (out_lines - 1) * c_.stride + c_.kernel_height;
}

std::int64_t Patches::gathered_bytes() const {
  return divide_up(k_words_ * kWordBytes, kLine) * kLine;
}

std::int64_t Patches::room_bytes(std::int64_t rows) const {
  if (number_bytes_ == 1) return run_bytes_ % kWordBytes == 0 ? 0 : kTileRows * gathered_bytes();
  return c_.padding == 0 ? 0 : images_of_tile() * lines_of(rows) * pitch_;
}

template <typename BeginOf, typename Tile>
void Patches::for_each_tile(std::int64_t begin, std::int64_t end, BeginOf begin_of,
                            Tile tile) const {
  Place place{begin / pixels_, begin % pixels_ / out_width_, begin % out_width_};
  place.x = begin % pixels_ % out_width_;
  const std::int64_t rows = end - begin;
  const std::int64_t tiles = tile_count(rows);
  for (std::int64_t t = 0; t < tiles; ++t) {
    const std::int64_t first = tile_begin(t, tiles, rows);
    const std::int64_t height = tile_begin(t + 1, tiles, rows) - first;
    const unsigned char* patches[kTileRows];
    for (std::int64_t r = 0; r < height; ++r) {
      patches[r] = begin_of(place);
      if (++place.x < out_width_) continue;
      place.x = 0;
      if (++place.y * out_width_ < pixels_) continue;
      place.y = 0;
      ++place.image;
    }
    tile(first, height, patches);
  }
}

void Patches::gather(const unsigned char* const* from, std::int64_t rows,
                     unsigned char* room) const {
  const std::int64_t bytes = c_.kernel_height * run_bytes_;
  for (std::int64_t r = 0; r < rows; ++r) {
    unsigned char* const patch = room + r * gathered_bytes();
    for (std::int64_t line = 0; line < c_.kernel_height; ++line) {
      std::memcpy(patch + line * run_bytes_, from[r] + line * pitch_,
                  static_cast<std::size_t>(run_bytes_));
    }
    std::fill(patch + bytes, patch + k_words_ * kWordBytes, static_cast<unsigned char>(0));
  }
}

void Patches::lower_codes(const unsigned char* codes, std::int64_t begin, std::int64_t end,
                          Word* words, std::int32_t* corrections, std::byte* room) const {
  const std::int64_t pixel_bytes = c_.channels * c_.stride;
  const bool whole_words = run_bytes_ % kWordBytes == 0;
  const std::int64_t runs = whole_words ? c_.kernel_height : 1;
  const std::int64_t run_words = whole_words ? run_bytes_ / kWordBytes : k_words_;
  const auto begin_of = [&](const Place& at) {
    return codes + at.image * bordered_image_bytes() + at.y * c_.stride * pitch_ +
           at.x * pixel_bytes;
  };
  for_each_tile(begin, end, begin_of,
                [&](std::int64_t first, std::int64_t rows, const unsigned char** patches) {
                  if (!whole_words) {
                    auto* const gathered = reinterpret_cast<unsigned char*>(room);
                    gather(patches, rows, gathered);
                    for (std::int64_t r = 0; r < rows; ++r)
                      patches[r] = gathered + r * gathered_bytes();
                  }
                  Word* out = words + first * steps_;
                  alignas(kLine) std::int32_t sums[kTileRows * kLanes] = {};
                  std::int64_t group = 0;
                  std::int64_t left = group_words_;  // of the group
                  const auto finish_group = [&] {
                    for (std::int64_t r = 0; r < rows; ++r) {
                      const std::int32_t* const lanes = sums + r * kLanes;
                      corrections[(first + r) * groups_ + group] =
                          -zero_ * std::accumulate(lanes, lanes + kLanes, 0);
                    }
                    std::fill_n(sums, rows * kLanes, 0);
                    ++group;
                    left = group_words_;
                  };
                  for (std::int64_t run = 0; run < runs; ++run) {
                    for (std::int64_t done = 0; done < run_words;) {
                      const std::int64_t count = std::min(run_words - done, left);
                      const unsigned char* from[kTileRows];
                      for (std::int64_t r = 0; r < rows; ++r)
                        from[r] = patches[r] + run * pitch_ + done * kWordBytes;
                      interleave_codes(from, rows, count, out, sums);
                      out += count * rows;
                      done += count;
                      left -= count;
                      if (left == 0) finish_group();
                    }
                  }
                  if (left < group_words_) finish_group();
                });
}

void Patches::copy_with_border(const float* image, std::int64_t first_line, std::int64_t lines,
                               std::byte* to) const {
  const std::int64_t side = c_.padding * c_.channels;
  const std::int64_t line = c_.width * c_.channels;
  auto* out = reinterpret_cast<float*>(to);
  for (std::int64_t y = first_line - c_.padding; y < first_line - c_.padding + lines; ++y) {
    if (y < 0 || y >= c_.height) {
      out = std::fill_n(out, line + 2 * side, 0.0F);
      continue;
    }
    out = std::fill_n(out, side, 0.0F);
    out = std::copy_n(image + y * line, line, out);
    out = std::fill_n(out, side, 0.0F);
  }
}

void Patches::lower_floats(ConstMatrix x, std::int64_t begin, std::int64_t end, Word* words,
                           std::byte* room) const {
  const std::int64_t pixel_bytes = c_.channels * c_.stride * number_bytes_;
  const std::int64_t run_words = run_bytes_ / kWordBytes;
  const std::int64_t copy_bytes = lines_of(end - begin) * pitch_;
  std::int64_t copied = -1;      // the last image that is in `room`
  std::int64_t copied_from = 0;  // the output line that its copy begins with
  const auto begin_of = [&](const Place& at) {
    if (c_.padding == 0) {
      return reinterpret_cast<const unsigned char*>(x.row(at.image)) + at.y * c_.stride * pitch_ +
             at.x * pixel_bytes;
    }
    std::byte* const copy = room + at.image % images_of_tile() * copy_bytes;
    if (at.image != copied) {
      const std::int64_t last_row = std::min(end - at.image * pixels_, pixels_) - 1;
      copied = at.image;
      copied_from = at.y;
      copy_with_border(x.row(at.image), at.y * c_.stride,
                       (last_row / out_width_ - at.y) * c_.stride + c_.kernel_height, copy);
    }
    return reinterpret_cast<const unsigned char*>(copy) +
           (at.y - copied_from) * c_.stride * pitch_ + at.x * pixel_bytes;
  };
  for_each_tile(begin, end, begin_of,
                [&](std::int64_t first, std::int64_t rows, const unsigned char** patches) {
                  Word* out = words + first * steps_;
                  for (std::int64_t run = 0; run < c_.kernel_height; ++run) {
                    interleave_words(patches, rows, run_words, out);
                    out += run_words * rows;
                    for (std::int64_t r = 0; r < rows; ++r) patches[r] += pitch_;
                  }
                  std::fill(out, words + (first + rows) * steps_, 0);  // for formats of whole lines
                });
}

}  // namespace qassay::x86
