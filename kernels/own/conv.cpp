// Our own convolutions, on the same weights and tiles as the linear kernels: the rows of the
// product are the patches of the images. A thread writes the words of a band of patches, few enough
// to stay in L2 beside the weights, and multiplies them with all channels.
//
// Int8 activations are quantized once, with a border that stands for zero, before.

#include "kernels/own/conv.hpp"

#include <omp.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/own/patches.hpp"
#include "kernels/static_input.hpp"

namespace qassay::own {
namespace {

/// Rows of patches that are computed at a time: their words take a quarter of L2.
std::int64_t band_rows(const Problem& problem, Input input) {
  const std::int64_t row_bytes = problem.k * (input == Input::a8 ? 1 : 4);
  const std::int64_t fitting = cache_sizes().l2 / 4 / row_bytes;
  const std::int64_t tiles = std::max<std::int64_t>(fitting / kTileRows, 1);
  return std::min(tiles * kTileRows, problem.m_max * problem.convolution->out_pixels());
}

/// Where the parts of the workspace begin, in bytes.
struct WorkspacePlan {
  std::size_t first_thread = 0;  // behind the codes of the images; int8 only
  // From the begin of a thread's part, which starts with the words.
  std::size_t corrections = 0;
  std::size_t room = 0;
  std::size_t scratch = 0;
  std::size_t thread_bytes = 0;
  std::size_t bytes = 0;
};

class PreparedConv final : public Prepared {
 public:
  PreparedConv(Product product, const Problem& problem, const Grid& input, int threads)
      : product_(std::move(product)),
        problem_(problem),
        input_(input),
        threads_(threads),
        patches_(*problem.convolution, a8() ? 1 : 4, product_.steps(product_.rows_max()),
                 a8() ? product_.weights().layout().group : 0, product_.zero(),
                 *product_.recipe().rows),
        plan_(plan()),
        row_scales_(static_cast<std::size_t>(product_.rows_max()), input.scale) {}

  std::size_t packed_bytes() const override { return product_.weights().bytes(); }
  std::vector<std::span<const std::byte>> packed() const override {
    return {{product_.weights().data(), packed_bytes()}};
  }
  std::size_t workspace_bytes() const override { return plan_.bytes; }

  Traffic traffic(std::int64_t m) const override {
    return traffic_of(problem_, m, packed_bytes(), product_.unit(m));
  }

  std::string implementation() const override {
    return "patches lowered by bands; " + product_.implementation();
  }

  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) override {
    if (!a8()) return;
    const Convolution& convolution = *problem_.convolution;
    quantize_images(x, convolution, convolution.padding, input_, CodeForm::as_signed, threads_,
                    reinterpret_cast<std::uint8_t*>(workspace.data()));
  }

  void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) override {
    const std::int64_t pixels = patches_.pixels();
    // Rows of y at equal distances are computed as one: those of all images, if nothing is between.
    const bool one_span = pixels == 1 || y.rows == 1 || y.stride == y.cols;
    const std::int64_t span_rows = one_span ? y.rows * pixels : pixels;
    const std::int64_t spans = y.rows * pixels / span_rows;
    const std::int64_t row_stride = pixels == 1 ? y.stride : problem_.n;
    // Whole tiles are dealt out: none of a single row is left, which would be summed in another
    // order than the rows of a tile.
    const std::int64_t tiles = tile_count(span_rows);
    const std::int64_t band_tiles = tile_count(product_.rows_max());
#pragma omp parallel num_threads(threads_)
    {
      const int thread = omp_get_thread_num();
      std::byte* const memory = workspace.data() + plan_.first_thread +
                                static_cast<std::size_t>(thread) * plan_.thread_bytes;
      const BlockRange mine = share_of_thread(spans * tiles, thread, omp_get_num_threads());
      for (std::int64_t at = mine.begin; at < mine.end;) {
        const std::int64_t span = at / tiles;
        const std::int64_t first = at % tiles;
        const std::int64_t last = std::min({first + band_tiles, tiles, first + mine.end - at});
        const std::int64_t begin = tile_begin(first, tiles, span_rows, 1);
        const std::int64_t end = tile_begin(last, tiles, span_rows, 1);
        multiply_band(x, workspace, span * span_rows + begin, span * span_rows + end, memory,
                      y.row(span) + begin * row_stride, row_stride);
        at += last - first;
      }
    }
  }

  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<PreparedConv>(product_.copy(), problem_, input_, threads_);
  }

 private:
  bool a8() const { return product_.recipe().input == Input::a8; }

  WorkspacePlan plan() const {
    constexpr std::int64_t kWordBytes = sizeof(Word);
    const std::int64_t rows = product_.rows_max();
    Parts shared;
    shared.take(a8() ? problem_.m_max * patches_.bordered_image_bytes() : 0);
    Parts own;
    WorkspacePlan plan;
    plan.first_thread = shared.bytes();
    own.take(rows * product_.steps(product_.rows_max()) * kWordBytes);
    plan.corrections = own.take(a8() ? rows * product_.groups() * kWordBytes : 0);
    plan.room = own.take(patches_.room_bytes(rows));
    plan.scratch = own.bytes();
    plan.thread_bytes = plan.scratch + product_.scratch_bytes();
    plan.bytes = plan.first_thread + static_cast<std::size_t>(threads_) * plan.thread_bytes;
    return plan;
  }

  /// The rows [begin, end) of patches, to y and on. `memory`: the thread's.
  void multiply_band(ConstMatrix x, std::span<std::byte> workspace, std::int64_t begin,
                     std::int64_t end, std::byte* memory, float* y, std::int64_t y_stride) const {
    auto* const words = reinterpret_cast<Word*>(memory);
    auto* const corrections = reinterpret_cast<std::int32_t*>(memory + plan_.corrections);
    if (a8()) {
      patches_.lower_codes(reinterpret_cast<const unsigned char*>(workspace.data()), begin, end,
                           words, corrections, memory + plan_.room);
    } else {
      patches_.lower_floats(x, begin, end, words, memory + plan_.room);
    }
    LinearArgs band = product_.args(end - begin, memory + plan_.scratch);
    band.x = words;
    band.row_scales = row_scales_.data();
    band.corrections = corrections;
    band.y = y;
    band.y_stride = y_stride;
    product_.run(band);
  }

  Product product_;
  Problem problem_;
  Grid input_;  // int8 only
  int threads_;
  Patches patches_;
  WorkspacePlan plan_;
  std::vector<float> row_scales_;  // the same for every row of a band
};

}  // namespace

std::optional<Refusal> ConvKernel::accepts(const Problem& problem) const {
  if (auto refusal = refuses(recipe_, LayerKind::convolution, problem)) return refusal;
  if (problem.convolution->groups != 1) return Refusal{"has no convolutions in groups"};
  return std::nullopt;
}

std::unique_ptr<Prepared> ConvKernel::prepare(const Problem& problem, const QuantMatrix& weights,
                                              std::span<const float> bias,
                                              const Device& device) const {
  std::vector<float> offsets;
  if (recipe_.input == Input::a8) bias = offsets = static_offsets(weights, bias);
  return std::make_unique<PreparedConv>(
      Product(recipe_, problem, weights, bias, band_rows(problem, recipe_.input), device.threads),
      problem, weights.input, device.threads);
}

}  // namespace qassay::own
