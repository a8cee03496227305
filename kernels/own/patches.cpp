#include "kernels/own/patches.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace qassay::own {
namespace {

constexpr std::int64_t kWordBytes = sizeof(Word);

}  // namespace

struct Patches::Place {
  std::int64_t image, y, x;
};

Patches::Patches(const Convolution& convolution, std::int64_t number_bytes, std::int64_t steps,
                 std::int64_t group, int zero, const RowFunctions& rows)
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
      zero_(zero),
      rows_(rows) {}

std::int64_t Patches::lines_of(std::int64_t rows) const {
  const std::int64_t out_lines = std::min((rows - 2) / out_width_ + 2, c_.out_height());
  return (out_lines - 1) * c_.stride + c_.kernel_height;
}

std::int64_t Patches::gathered_bytes() const {
  return divide_up((k_words_ + 1) * kWordBytes, kLine) * kLine;
}

std::int64_t Patches::room_bytes(std::int64_t rows) const {
  if (number_bytes_ == 1) return whole_words() ? 0 : kTileRows * gathered_bytes();
  return c_.padding == 0 ? 0 : images_of_tile() * lines_of(rows) * pitch_;
}

template <typename BeginOf, typename Tile>
void Patches::for_each_tile(std::int64_t begin, std::int64_t end, BeginOf begin_of,
                            Tile tile) const {
  Place place{begin / pixels_, begin % pixels_ / out_width_, begin % out_width_};
  place.x = begin % pixels_ % out_width_;
  const std::int64_t rows = end - begin;
  const std::int64_t tiles = tile_count(rows);
  for (std::int64_t t = 0, first = 0; t < tiles; ++t) {
    const std::int64_t next = tile_begin(t + 1, tiles, rows, 1);
    const std::int64_t height = next - first;
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
    first = next;
  }
}

void Patches::gather(const unsigned char** patches, std::int64_t rows, std::byte* room) const {
  const std::int64_t bytes = c_.kernel_height * run_bytes_;
  for (std::int64_t r = 0; r < rows; ++r) {
    auto* const patch = reinterpret_cast<unsigned char*>(room) + r * gathered_bytes();
    // Runs are short: by words, the last of which is more than the run and is written over by the
    // next.
    for (std::int64_t line = 0; line < c_.kernel_height; ++line) {
      for (std::int64_t i = 0; i < run_bytes_; i += kWordBytes)
        std::memcpy(patch + line * run_bytes_ + i, patches[r] + line * pitch_ + i, kWordBytes);
    }
    std::memset(patch + bytes, 0, kWordBytes);
    patches[r] = patch;
  }
}

void Patches::lower_codes(const unsigned char* codes, std::int64_t begin, std::int64_t end,
                          Word* words, std::int32_t* corrections, std::byte* room) const {
  const std::int64_t pixel_bytes = c_.channels * c_.stride;
  const auto begin_of = [&](const Place& at) {
    return codes + at.image * bordered_image_bytes() + at.y * c_.stride * pitch_ +
           at.x * pixel_bytes;
  };
  for_each_tile(begin, end, begin_of,
                [&](std::int64_t first, std::int64_t rows, const unsigned char** patches) {
                  if (!whole_words()) gather(patches, rows, room);
                  lower_tile(patches, rows, words + first * steps_, corrections + first * groups_);
                });
}

void Patches::lower_tile(const unsigned char* const* patches, std::int64_t rows, Word* out,
                         std::int32_t* corrections) const {
  const std::int64_t runs = whole_words() ? c_.kernel_height : 1;
  const std::int64_t run_words = whole_words() ? run_bytes_ / kWordBytes : k_words_;
  alignas(kLine) std::int32_t sums[kTileRows * kLanes] = {};
  std::int64_t group = 0;
  std::int64_t left = group_words_;  // of the group
  const auto finish_group = [&] {
    for (std::int64_t r = 0; r < rows; ++r) {
      std::int32_t* const lanes = sums + r * kLanes;
      corrections[r * groups_ + group] = -zero_ * std::accumulate(lanes, lanes + kLanes, 0);
      std::fill_n(lanes, kLanes, 0);
    }
    ++group;
    left = group_words_;
  };
  for (std::int64_t run = 0; run < runs; ++run) {
    for (std::int64_t done = 0; done < run_words;) {
      const std::int64_t count = std::min(run_words - done, left);
      const unsigned char* from[kTileRows];
      for (std::int64_t r = 0; r < rows; ++r)
        from[r] = patches[r] + run * pitch_ + done * kWordBytes;
      rows_.interleave_codes(from, rows, count, out, sums);
      out += count * rows;
      done += count;
      left -= count;
      if (left == 0) finish_group();
    }
  }
  if (left < group_words_) finish_group();
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
  std::int64_t image = -1;           // of the last row; rows come in order
  const std::byte* start = nullptr;  // of its first line that is needed here
  std::int64_t first_y = 0;          // output line that begins there
  const auto begin_of = [&](const Place& at) {
    if (at.image != image) {
      image = at.image;
      first_y = at.y;
      if (c_.padding == 0) {
        start = reinterpret_cast<const std::byte*>(x.row(image)) + at.y * c_.stride * pitch_;
      } else {
        std::byte* const copy = room + image % images_of_tile() * copy_bytes;
        const std::int64_t last_y = (std::min(end - image * pixels_, pixels_) - 1) / out_width_;
        copy_with_border(x.row(image), first_y * c_.stride,
                         (last_y - first_y) * c_.stride + c_.kernel_height, copy);
        start = copy;
      }
    }
    return reinterpret_cast<const unsigned char*>(start) + (at.y - first_y) * c_.stride * pitch_ +
           at.x * pixel_bytes;
  };
  for_each_tile(begin, end, begin_of,
                [&](std::int64_t first, std::int64_t rows, const unsigned char** patches) {
                  Word* out = words + first * steps_;
                  for (std::int64_t run = 0; run < c_.kernel_height; ++run) {
                    rows_.interleave_words(patches, rows, run_words, out);
                    out += run_words * rows;
                    for (std::int64_t r = 0; r < rows; ++r) patches[r] += pitch_;
                  }
                  std::fill(out, words + (first + rows) * steps_, 0);  // for formats of whole lines
                });
}

}  // namespace qassay::own
