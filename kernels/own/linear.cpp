// Our own linear kernels: the workspace and the threads. The arithmetic is in linear_<isa>.cpp of
// the processor family's folder.

#include "kernels/own/linear.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <utility>
#include <vector>

#include "core/buffer.hpp"
#include "core/grid.hpp"
#include "kernels/own/team.hpp"

namespace qassay::own {
namespace {

/// Where the parts of the workspace begin, in bytes.
struct WorkspacePlan {
  std::size_t x_scales = 0;
  std::size_t corrections = 0;
  std::size_t first_thread = 0;
  std::size_t bytes = 0;
};

// Of a call that may be over before a team is awake: a few microseconds.
constexpr double kTinyOperations = 1e6;
constexpr int kTrials = 10;

class PreparedLinear final : public Prepared {
 public:
  PreparedLinear(Product product, const Problem& problem, int threads)
      : product_(std::move(product)), problem_(problem), threads_(threads), plan_(plan()) {}

  std::size_t packed_bytes() const override { return product_.weights().bytes(); }
  std::vector<std::span<const std::byte>> packed() const override {
    return {{product_.weights().data(), packed_bytes()}};
  }
  std::size_t workspace_bytes() const override { return plan_.bytes; }

  Traffic traffic(std::int64_t m) const override {
    return traffic_of(problem_, m, packed_bytes(), product_.unit(m));
  }

  std::string implementation() const override {
    const int most = product_.weights().threads();
    return threads_ == most
               ? product_.implementation()
               : fmt::format("{}; {} of {} threads", product_.implementation(), threads_, most);
  }

  /// Tiny products are tried: waking a team may take longer than it saves.
  void choose_team() {
    const std::int64_t m = problem_.m_max;
    if (threads_ == 1 || traffic(m).operations > kTinyOperations) return;
    const Buffer x(static_cast<std::size_t>(m * problem_.k) * sizeof(float));
    const Buffer y(static_cast<std::size_t>(m * problem_.n) * sizeof(float));
    const Buffer workspace(workspace_bytes());
    threads_ = fastest_team(threads_, [&](int threads) {
      threads_ = threads;
      double least = std::numeric_limits<double>::infinity();
      for (int i = 0; i < kTrials; ++i) {
        const auto start = std::chrono::steady_clock::now();
        run({x.as<float>(), m, problem_.k}, {workspace.data(), workspace.size()},
            {y.as<float>(), m, problem_.n});
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        least = std::min(least, taken.count());
      }
      return least;
    });
    plan_ = plan();
  }

  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) override {
    switch (product_.input(x.rows)) {
      case Input::f32:
        break;
      case Input::bf16:
      case Input::bf16x2:
        convert_to_bf16(x, workspace);
        break;
      case Input::a8:
        quantize_to_a8(x, workspace);
        break;
      case Input::a16:
        quantize_to_a16(x, workspace);
        break;
    }
  }

  void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) override {
    const Input input = product_.input(x.rows);
    const bool as_it_is = input == Input::f32 && usable_as_it_is(x);
    const bool interleave = input == Input::f32 && !as_it_is;
#pragma omp parallel num_threads(threads_)
    {
      if (interleave) interleave_rows(x, words(workspace));
      const int thread = omp_get_thread_num();
      const BlockRange mine =
          share_of_thread(product_.weights().layout().blocks(), thread, omp_get_num_threads());
      LinearArgs share =
          product_.args(x.rows, workspace.data() + plan_.first_thread +
                                    static_cast<std::size_t>(thread) * product_.scratch_bytes());
      share.begin_block = mine.begin;
      share.end_block = mine.end;
      share.x = as_it_is ? reinterpret_cast<const Word*>(x.row(0)) : words(workspace);
      (scales_of_groups(input) ? share.group_scales : share.row_scales) = x_scales(workspace);
      share.corrections = corrections(workspace);
      share.y = y.data;
      share.y_stride = y.stride;
      product_.run(share);
    }
  }

  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<PreparedLinear>(product_.copy(), problem_, threads_);
  }

 private:
  /// Those of tiles of kTileRows.
  const RowFunctions& row_functions() const { return *product_.recipe().rows; }

  WorkspacePlan plan() const {
    std::int64_t words = 0;
    std::int64_t scales = 0;
    std::int64_t corrections = 0;
    for (const std::int64_t m : product_.largest_calls(problem_.m_max)) {
      const Input input = product_.input(m);
      const std::int64_t rows = m * parts_of(input);
      words = std::max(words, rows * product_.row_tiles(m).steps);
      if (!is_codes(input)) continue;
      corrections = std::max(corrections, rows * product_.groups());
      scales = std::max(scales, scales_of_groups(input) ? rows * product_.groups() : rows);
    }
    constexpr std::int64_t kWordBytes = sizeof(Word);
    Parts parts;
    WorkspacePlan plan;
    parts.take(words * kWordBytes);
    plan.x_scales = parts.take(scales * kWordBytes);
    plan.corrections = parts.take(corrections * kWordBytes);
    plan.first_thread = parts.bytes();
    plan.bytes = plan.first_thread + static_cast<std::size_t>(threads_) * product_.scratch_bytes();
    return plan;
  }

  Word* words(std::span<std::byte> workspace) const {
    return reinterpret_cast<Word*>(workspace.data());
  }
  /// [m], or [m][groups] where each has its own.
  float* x_scales(std::span<std::byte> workspace) const {
    return reinterpret_cast<float*>(workspace.data() + plan_.x_scales);
  }
  std::int32_t* corrections(std::span<std::byte> workspace) const {
    return reinterpret_cast<std::int32_t*>(workspace.data() + plan_.corrections);
  }

  /// One FP32 row with no padding is what the kernel reads.
  bool usable_as_it_is(ConstMatrix x) const { return x.rows == 1 && x.cols == product_.steps(1); }

  /// Calls row(its functions, index, where its words go, words from one to the next) for all rows
  /// of x, in parallel. Words of its second part go `together` behind those of its first.
  template <typename Row>
  void for_each_row(std::int64_t rows, Word* words, Row row) const {
    const std::int64_t parts = parts_of(product_.input(rows));
    const RowTiles shape = product_.row_tiles(rows);
    const std::int64_t tiles = tile_count(rows * parts, shape.rows);
#pragma omp parallel for num_threads(threads_) if (tiles > 1) schedule(static)
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t begin = tile_begin(tile, tiles, rows * parts, parts);
      const std::int64_t stride = tile_begin(tile + 1, tiles, rows * parts, parts) - begin;
      for (std::int64_t r = 0; r < stride; r += parts) {
        row(*shape.fill, (begin + r) / parts, words + begin * shape.steps + r * shape.together,
            stride * shape.together);
      }
    }
  }

  /// FP32 rows into tiles; all threads of the team together, which it waits for.
  void interleave_rows(ConstMatrix x, Word* words) const {
    const std::int64_t tiles = tile_count(x.rows);
    const std::int64_t steps = product_.steps(x.rows);
#pragma omp for schedule(static)
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t begin = tile_begin(tile, tiles, x.rows, 1);
      const std::int64_t count = tile_begin(tile + 1, tiles, x.rows, 1) - begin;
      Word* const out = words + begin * steps;
      const unsigned char* from[kTileRows];
      for (std::int64_t r = 0; r < count; ++r)
        from[r] = reinterpret_cast<const unsigned char*>(x.row(begin + r));
      row_functions().interleave_words(from, count, x.cols, out);
      std::fill(out + x.cols * count, out + steps * count, 0);
    }
  }

  void convert_to_bf16(ConstMatrix x, std::span<std::byte> workspace) const {
    for_each_row(x.rows, words(workspace),
                 [&](const RowFunctions& fill, std::int64_t m, Word* out, std::int64_t stride) {
                   fill.convert(x.row(m), x.cols, out, stride);
                 });
  }

  bool blocked() const { return problem_.scheme.blocks_input(); }
  bool scales_of_groups(Input input) const { return blocked() || input == Input::a16; }

  /// Values that are not finite make outputs that are not, as with FP32.
  void quantize_to_a16(ConstMatrix x, std::span<std::byte> workspace) const {
    const std::int64_t groups = product_.groups();
    const std::int64_t low = product_.row_tiles(x.rows).together;
    for_each_row(x.rows, words(workspace),
                 [&](const RowFunctions& fill, std::int64_t m, Word* out, std::int64_t stride) {
                   fill.quantize_halves(x.row(m), x.cols, product_.zero(),
                                        product_.weights().layout().group, out, low, stride,
                                        corrections(workspace) + 2 * m * groups, groups,
                                        x_scales(workspace) + 2 * m * groups);
                 });
  }

  void quantize_to_a8(ConstMatrix x, std::span<std::byte> workspace) const {
    std::exception_ptr failure;  // must not leave the parallel region
    for_each_row(x.rows, words(workspace),
                 [&](const RowFunctions& fill, std::int64_t m, Word* out, std::int64_t stride) {
                   try {
                     if (blocked()) {
                       quantize_row_by_group(fill, x, m, out, stride, workspace);
                     } else {
                       quantize_row_as_one(fill, x, m, out, stride, workspace);
                     }
                   } catch (...) {
#pragma omp critical
                     failure = std::current_exception();
                   }
                 });
    if (failure) std::rethrow_exception(failure);
  }

  void quantize_row_as_one(const RowFunctions& fill, ConstMatrix x, std::int64_t m, Word* out,
                           std::int64_t stride, std::span<std::byte> workspace) const {
    const float largest = fill.largest_magnitude(x.row(m), x.cols);
    float& scale = x_scales(workspace)[m];
    scale = symmetric_grid(largest, 8, DType::f32, "activations").scale;
    fill.quantize(x.row(m), x.cols, scale, product_.zero(), product_.weights().layout().group, out,
                  stride, corrections(workspace) + m * product_.groups());
  }

  void quantize_row_by_group(const RowFunctions& fill, ConstMatrix x, std::int64_t m, Word* out,
                             std::int64_t stride, std::span<std::byte> workspace) const {
    const std::int64_t group = product_.weights().layout().group;
    float* const scales = x_scales(workspace) + m * product_.groups();
    fill.quantize_blocks(x.row(m), x.cols, product_.zero(), group, out, stride,
                         corrections(workspace) + m * product_.groups(), scales);
    const bool fits = std::all_of(scales, scales + product_.groups(),
                                  [](float scale) { return std::isfinite(127 * scale); });
    if (fits) return;
    std::vector<std::int8_t> codes(static_cast<std::size_t>(x.cols));
    quantize_row_blocked(x.row(m), x.cols, group, codes.data(), scales);  // says what is wrong
  }

  Product product_;
  Problem problem_;
  int threads_;
  WorkspacePlan plan_;
};

}  // namespace

std::unique_ptr<Prepared> LinearKernel::prepare(const Problem& problem, const QuantMatrix& weights,
                                                std::span<const float> bias,
                                                const Device& device) const {
  auto prepared = std::make_unique<PreparedLinear>(
      Product(recipe_, problem, weights, bias, problem.m_max, device.threads), problem,
      device.threads);
  prepared->choose_team();
  return prepared;
}

}  // namespace qassay::own
