// The backend "cpu" on x86-64: who accepts what, the workspace, and the threads. The arithmetic is
// in linear_<isa>.cpp.

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "core/grid.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/longest_sum.hpp"
#include "kernels/x86/args.h"
#include "kernels/x86/blocking.hpp"
#include "kernels/x86/packed_weights.hpp"

namespace qassay {
namespace {

using x86::LinearArgs;
using x86::LineFormat;
using x86::PackedLayout;
using x86::PackedWeights;
using x86::Word;

/// What a kernel reads of x: words of 4 bytes.
enum class Input { f32, bf16, a8 };

struct Recipe {
  KernelInfo info;
  Scheme scheme;
  LineFormat format;
  Input input;
  x86::LinearFunction function;
};

std::int64_t k_per_word(Input input) {
  switch (input) {
    case Input::f32:
      return 1;
    case Input::bf16:
      return 2;
    case Input::a8:
      return 4;
  }
  return 0;
}

Traffic::Unit unit(Input input) {
  switch (input) {
    case Input::f32:
      return Traffic::Unit::f32;
    case Input::bf16:
      return Traffic::Unit::bf16;
    case Input::a8:
      return Traffic::Unit::int8;
  }
  return Traffic::Unit::f32;
}

PackedLayout layout_of(const Recipe& recipe, const Problem& problem) {
  const NumberFormat& weights = problem.scheme.weights;
  const bool integer = weights.kind == Kind::integer;
  return {.format = recipe.format,
          .n = problem.n,
          .k = problem.k,
          .group = integer && weights.per == Granularity::block ? weights.block : 0,
          .bias = problem.bias,
          .channel_scales = integer && weights.per == Granularity::row};
}

/// Where the parts of the workspace begin, in bytes; each on a line of the cache.
struct WorkspacePlan {
  std::size_t row_scales = 0;
  std::size_t corrections = 0;
  std::size_t first_thread = 0;
  std::size_t panel_scales = 0;  // from the begin of a thread's part, which starts with the panel
  std::size_t partial = 0;
  std::size_t thread_bytes = 0;
  std::size_t bytes = 0;
};

class X86Linear final : public Prepared {
 public:
  X86Linear(const Recipe& recipe, PackedWeights weights, std::int64_t m_max, int threads)
      : recipe_(recipe),
        weights_(std::move(weights)),
        m_max_(m_max),
        threads_(threads),
        plan_(plan()) {}

  std::size_t packed_bytes() const override { return weights_.bytes(); }
  std::size_t workspace_bytes() const override { return plan_.bytes; }

  Traffic traffic(std::int64_t m) const override {
    const PackedLayout& layout = weights_.layout();
    return {.weight_bytes = static_cast<double>(packed_bytes()),
            .activation_bytes = 4.0 * static_cast<double>(m * (layout.k + layout.n)),
            .operations = 2.0 * static_cast<double>(m * layout.n * layout.k),
            .unit = unit(recipe_.input)};
  }

  std::string implementation() const override {
    return fmt::format("{}: one pass for 1 row, {}x{} tiles for more", to_string(recipe_.info.isa),
                       x86::kTileRows, x86::kPanel);
  }

  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) override {
    switch (recipe_.input) {
      case Input::f32:
        break;
      case Input::bf16:
        convert_to_bf16(x, workspace);
        break;
      case Input::a8:
        quantize_to_a8(x, workspace);
        break;
    }
  }

  void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) override {
    const bool interleave = recipe_.input == Input::f32 && !usable_as_it_is(x);
    const LinearArgs call = args(x, workspace, y);
#pragma omp parallel num_threads(threads_)
    {
      if (interleave) interleave_rows(x, words(workspace));
      const int thread = omp_get_thread_num();
      const x86::BlockRange mine =
          x86::share_of_thread(weights_.layout().blocks(), thread, omp_get_num_threads());
      std::byte* const scratch = workspace.data() + plan_.first_thread +
                                 static_cast<std::size_t>(thread) * plan_.thread_bytes;
      LinearArgs share = call;
      share.begin_block = mine.begin;
      share.end_block = mine.end;
      share.panel = reinterpret_cast<unsigned char*>(scratch);
      share.panel_scales = reinterpret_cast<float*>(scratch + plan_.panel_scales);
      share.partial = reinterpret_cast<float*>(scratch + plan_.partial);
      recipe_.function(share);
    }
  }

  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<X86Linear>(recipe_, weights_.copy(), m_max_, threads_);
  }

 private:
  std::int64_t steps() const { return weights_.layout().padded_k() / k_per_word(recipe_.input); }
  std::int64_t groups() const { return weights_.layout().groups(); }

  /// Whether the lines that the tile reads are made from the packed ones.
  bool decoded() const { return weights_.layout().k_per_line() != k_per_word(recipe_.input); }

  x86::Blocking blocking(std::int64_t rows) const {
    const PackedLayout& layout = weights_.layout();
    const std::int64_t unit_k = layout.group == 0 ? layout.k_per_line() : layout.group;
    return x86::choose_blocking(x86::cache_sizes(), steps(), unit_k / k_per_word(recipe_.input),
                                rows, decoded());
  }

  WorkspacePlan plan() const {
    WorkspacePlan plan;
    std::size_t end = 0;
    const auto take = [&end](std::int64_t bytes) {
      const std::size_t begin = end;
      end += static_cast<std::size_t>((bytes + x86::kLine - 1) / x86::kLine * x86::kLine);
      return begin;
    };
    constexpr std::int64_t kWordBytes = sizeof(Word);
    take(m_max_ * steps() * kWordBytes);
    const bool a8 = recipe_.input == Input::a8;
    plan.row_scales = take(a8 ? m_max_ * kWordBytes : 0);
    plan.corrections = take(a8 ? m_max_ * groups() * kWordBytes : 0);
    plan.first_thread = end;

    // A call with few rows has smaller chunks, but not more of anything.
    const x86::Blocking blocking = this->blocking(m_max_);
    const std::int64_t group = weights_.layout().group;
    const std::int64_t chunk_groups =
        group == 0 || !a8 ? 0 : blocking.chunk_steps * k_per_word(recipe_.input) / group;
    end = 0;
    take(decoded() && m_max_ > 1
             ? x86::kPanelBlocks * x86::spread_lines(blocking.chunk_steps) * x86::kLine
             : 0);
    plan.panel_scales = take(chunk_groups * x86::kPanel * kWordBytes);
    plan.partial = take(blocking.tiles_at_once * x86::kTileRows * x86::kPanel * kWordBytes);
    plan.thread_bytes = end;
    plan.bytes = plan.first_thread + static_cast<std::size_t>(threads_) * plan.thread_bytes;
    return plan;
  }

  Word* words(std::span<std::byte> workspace) const {
    return reinterpret_cast<Word*>(workspace.data());
  }
  float* row_scales(std::span<std::byte> workspace) const {
    return reinterpret_cast<float*>(workspace.data() + plan_.row_scales);
  }
  std::int32_t* corrections(std::span<std::byte> workspace) const {
    return reinterpret_cast<std::int32_t*>(workspace.data() + plan_.corrections);
  }

  /// One FP32 row with no padding is what the kernel reads.
  bool usable_as_it_is(ConstMatrix x) const { return x.rows == 1 && x.cols == steps(); }

  LinearArgs args(ConstMatrix x, std::span<std::byte> workspace, Matrix y) const {
    const PackedLayout& layout = weights_.layout();
    const x86::Blocking blocking = this->blocking(x.rows);
    LinearArgs args{};
    args.weights = reinterpret_cast<const unsigned char*>(weights_.data());
    args.block_bytes = layout.block_bytes();
    args.n = layout.n;
    args.k = layout.padded_k();
    args.group = layout.group;
    args.has_bias = layout.bias;
    args.has_channel_scales = layout.channel_scales;
    args.x = recipe_.input == Input::f32 && usable_as_it_is(x)
                 ? reinterpret_cast<const Word*>(x.row(0))
                 : words(workspace);
    args.m = x.rows;
    args.row_scales = row_scales(workspace);
    args.corrections = corrections(workspace);
    args.y = y.data;
    args.y_stride = y.stride;
    args.chunk_steps = blocking.chunk_steps;
    args.tiles_at_once = blocking.tiles_at_once;
    return args;
  }

  /// Calls row(index, where its words go, words from one to the next) for all rows, in parallel.
  template <typename Row>
  void for_each_row(std::int64_t rows, Word* words, Row row) const {
    const std::int64_t tiles = x86::tile_count(rows);
#pragma omp parallel for num_threads(threads_) if (tiles > 1) schedule(static)
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t begin = x86::tile_begin(tile, tiles, rows);
      const std::int64_t stride = x86::tile_begin(tile + 1, tiles, rows) - begin;
      for (std::int64_t r = 0; r < stride; ++r) row(begin + r, words + begin * steps() + r, stride);
    }
  }

  /// FP32 rows into tiles; all threads of the team together, which it waits for.
  void interleave_rows(ConstMatrix x, Word* words) const {
    const std::int64_t tiles = x86::tile_count(x.rows);
#pragma omp for schedule(static)
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t begin = x86::tile_begin(tile, tiles, x.rows);
      const std::int64_t rows = x86::tile_begin(tile + 1, tiles, x.rows) - begin;
      float* out = reinterpret_cast<float*>(words + begin * steps());
      for (std::int64_t r = 0; r < rows; ++r) {
        const float* row = x.row(begin + r);
        for (std::int64_t k = 0; k < x.cols; ++k) out[k * rows + r] = row[k];
      }
      std::fill(out + x.cols * rows, out + steps() * rows, 0.0F);
    }
  }

  void convert_to_bf16(ConstMatrix x, std::span<std::byte> workspace) const {
    for_each_row(x.rows, words(workspace), [&](std::int64_t m, Word* out, std::int64_t stride) {
      x86::convert_row_bf16(x.row(m), x.cols, out, stride);
    });
  }

  void quantize_to_a8(ConstMatrix x, std::span<std::byte> workspace) const {
    float* const scales = row_scales(workspace);
    std::int32_t* const starts = corrections(workspace);
    const int zero = recipe_.format == LineFormat::u4 ? x86::kZeroU4 : x86::kZeroU8;
    std::exception_ptr failure;  // must not leave the parallel region
    for_each_row(x.rows, words(workspace), [&](std::int64_t m, Word* out, std::int64_t stride) {
      try {
        const float largest = x86::largest_magnitude(x.row(m), x.cols);
        scales[m] = symmetric_grid(largest, 8, DType::f32, "activations").scale;
      } catch (...) {
#pragma omp critical
        failure = std::current_exception();
        return;
      }
      x86::quantize_row_a8(x.row(m), x.cols, scales[m], zero, weights_.layout().group, out, stride,
                           starts + m * groups());
    });
    if (failure) std::rethrow_exception(failure);
  }

  Recipe recipe_;
  PackedWeights weights_;
  std::int64_t m_max_;
  int threads_;
  WorkspacePlan plan_;
};

std::string weights_text(const NumberFormat& weights) {
  return weights.kind == Kind::integer ? fmt::format("{}-bit", weights.bits)
                                       : to_string(Scheme{.weights = weights, .input = {}});
}

std::string scales_text(const NumberFormat& weights) {
  return weights.per == Granularity::block ? fmt::format("in groups of {}", weights.block)
                                           : "per output channel";
}

class X86Kernel final : public Kernel {
 public:
  explicit X86Kernel(Recipe recipe) : recipe_(recipe) {}

  const KernelInfo& info() const override { return recipe_.info; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    const NumberFormat& mine = recipe_.scheme.weights;
    const NumberFormat& weights = problem.scheme.weights;
    if (weights.kind != mine.kind || weights.bits != mine.bits)
      return Refusal{fmt::format("takes {} weights only", weights_text(mine))};
    if (problem.scheme.quantizes_input() != recipe_.scheme.quantizes_input()) {
      return Refusal{recipe_.scheme.quantizes_input() ? "takes int8 activations only"
                                                      : "takes floating activations only"};
    }
    if (weights.zero_points) return Refusal{"takes symmetric weights only"};
    if (weights.per != mine.per || weights.block != mine.block)
      return Refusal{fmt::format("takes scales {} only", scales_text(mine))};
    if (problem.scheme != recipe_.scheme)
      return Refusal{fmt::format("takes {} only", to_string(recipe_.scheme))};
    if (recipe_.input == Input::a8 && sum_length(weights, problem.k) > kLongestSum)
      return Refusal{"k is so long that an int32 sum can overflow"};
    return std::nullopt;
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    return std::make_unique<X86Linear>(
        recipe_, PackedWeights(layout_of(recipe_, problem), weights, bias, device.threads),
        problem.m_max, device.threads);
  }

 private:
  Recipe recipe_;
};

}  // namespace

#define QASSAY_X86_LINEAR(name, scheme, format, input, function)                                 \
  const Kernel& name() {                                                                         \
    static const X86Kernel kernel({kernel_info(#name), parse_scheme(scheme), LineFormat::format, \
                                   Input::input, x86::function});                                \
    return kernel;                                                                               \
  }

QASSAY_X86_LINEAR(linear_f32_f32_f32_6x64_avx512, "FP32", f32, f32, linear_f32)
QASSAY_X86_LINEAR(linear_f32_f16_f32_6x64_avx512, "FP16", f16, f32, linear_f16)
QASSAY_X86_LINEAR(linear_bf16_bf16_f32_6x64_avx512bf16, "BF16", bf16, bf16, linear_bf16_bf16)
QASSAY_X86_LINEAR(linear_f32_bf16_f32_6x64_avx512, "BF16", bf16, f32, linear_bf16)
QASSAY_X86_LINEAR(linear_a8r_s8c_f32_6x64_avx512vnni, "W8A8", u8, a8, linear_a8_s8)
QASSAY_X86_LINEAR(linear_a8r_s4g32_f32_6x64_avx512vnni, "W4A8-g32", u4, a8, linear_a8_s4)
QASSAY_X86_LINEAR(linear_a8r_s4g128_f32_6x64_avx512vnni, "W4A8-g128", u4, a8, linear_a8_s4)
QASSAY_X86_LINEAR(linear_f32_s8c_f32_6x64_avx512, "W8A16", u8, f32, linear_s8)
QASSAY_X86_LINEAR(linear_f32_s4g32_f32_6x64_avx512, "W4A16-g32", u4, f32, linear_s4)
QASSAY_X86_LINEAR(linear_f32_s4g128_f32_6x64_avx512, "W4A16-g128", u4, f32, linear_s4)

#undef QASSAY_X86_LINEAR

}  // namespace qassay
