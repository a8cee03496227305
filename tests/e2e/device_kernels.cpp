// A library of kernels that pretend to run on a device with a clock of its own, which tells what it
// was told: nothing else may come into a figure.

#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/kernel.hpp"

namespace qassay {
namespace {

constexpr double kHotSeconds = 1e-3;
constexpr double kColdSeconds = 4e-3;
constexpr double kReadsPerColdCall =
    2;  // of the weights, which the device could have done meanwhile

/// A plain FP32 product of linear layers. Going to the device and back takes longer than all it
/// does there.
class PretendedLayer final : public Prepared, private DeviceClock {
 public:
  PretendedLayer(double slowness, const QuantMatrix& weights, std::span<const float> bias)
      : slowness_(slowness), weights_(weights), bias_(bias.begin(), bias.end()) {
    bias_.resize(static_cast<std::size_t>(weights.n));
  }

  std::size_t packed_bytes() const override { return weights_.values.size() * sizeof(float); }
  std::size_t workspace_bytes() const override { return 0; }
  Traffic traffic(std::int64_t m) const override {
    return {.weight_bytes = static_cast<double>(packed_bytes()),
            .operations = 2.0 * static_cast<double>(m * weights_.n * weights_.k)};
  }
  std::string implementation() const override { return "pretended, for tests"; }
  std::unique_ptr<Prepared> copy() const override {
    throw std::logic_error("a device empties its cache and needs no copies");
  }
  DeviceClock* clock() override { return this; }

  void quantize_input(ConstMatrix x, std::span<std::byte>) override { rows_ = x.rows; }
  void multiply(ConstMatrix x, std::span<std::byte>, Matrix y) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (std::int64_t m = 0; m < x.rows; ++m) {
      for (std::int64_t n = 0; n < y.cols; ++n) {
        double sum = bias_[static_cast<std::size_t>(n)];
        for (std::int64_t k = 0; k < x.cols; ++k) sum += x.row(m)[k] * weights_.value(n, k);
        y.row(m)[n] = static_cast<float>(sum);
      }
    }
  }

 private:
  double seconds(std::int64_t calls, bool cold) override {
    if (rows_ == 0 || calls < 1) throw std::logic_error("there is nothing to time");
    return slowness_ * (cold ? kColdSeconds : kHotSeconds);
  }
  double read_bytes_per_second() override {
    return kReadsPerColdCall * static_cast<double>(packed_bytes()) / kColdSeconds;
  }

  double slowness_;
  QuantMatrix weights_;
  std::vector<float> bias_;
  std::int64_t rows_ = 0;
};

class PretendedKernel final : public Kernel {
 public:
  PretendedKernel(double slowness, std::string_view name, std::string_view backend)
      : slowness_(slowness), info_{name, backend, Isa::any, Contract::reordered} {}

  const KernelInfo& info() const override { return info_; }
  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (problem.scheme.weights.kind != Kind::f32) return Refusal{"takes FP32 only"};
    if (problem.convolution) return Refusal{"takes linear layers only"};
    return std::nullopt;
  }
  std::unique_ptr<Prepared> prepare(const Problem&, const QuantMatrix& weights,
                                    std::span<const float> bias, const Device&) const override {
    return std::make_unique<PretendedLayer>(slowness_, weights, bias);
  }

 private:
  double slowness_;
  KernelInfo info_;
};

}  // namespace
}  // namespace qassay

const qassay::KernelTable* qassay_kernel_table() {
  using namespace qassay;
  static const PretendedKernel device(1, "linear_f32_f32_f32_device", "device");
  static const PretendedKernel slower(3, "linear_f32_f32_f32_slower_device", "slower_device");
  static const Kernel* const kernels[] = {&device, &slower};
  static const Backend backends[] = {{"device", "1", ""}, {"slower_device", "1", ""}};
  static const KernelTable table{kKernelInterfaceVersion, kernels, backends};
  return &table;
}
