// A library of kernels that misbehave, one backend for each way: what a run has to survive.

#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/kernel.hpp"

namespace qassay {
namespace {

enum class Fault { crashes, hangs, hoards, throws, lies, none };

/// A plain FP32 product, apart from the fault.
class FaultyPrepared final : public Prepared {
 public:
  FaultyPrepared(Fault fault, const QuantMatrix& weights) : fault_(fault), weights_(weights) {}

  std::size_t packed_bytes() const override { return weights_.values.size() * sizeof(float); }
  std::size_t workspace_bytes() const override { return 0; }
  Traffic traffic(std::int64_t m) const override {
    return {.weight_bytes = static_cast<double>(packed_bytes()),
            .operations = 2.0 * static_cast<double>(m * weights_.n * weights_.k)};
  }
  std::string implementation() const override { return "faulty, for tests"; }
  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<FaultyPrepared>(*this);
  }

  void quantize_input(ConstMatrix, std::span<std::byte>) override {}
  void multiply(ConstMatrix x, std::span<std::byte>, Matrix y) override {
    if (fault_ == Fault::crashes) std::raise(SIGSEGV);
    while (fault_ == Fault::hangs) std::this_thread::sleep_for(std::chrono::seconds(1));
    if (fault_ == Fault::throws) throw std::runtime_error("the kernel threw");
    for (std::int64_t m = 0; m < x.rows; ++m) {
      for (std::int64_t n = 0; n < y.cols; ++n) {
        double sum = fault_ == Fault::lies ? 1.0 : 0.0;
        for (std::int64_t k = 0; k < x.cols; ++k) sum += x.row(m)[k] * weights_.value(n, k);
        y.row(m)[n] = static_cast<float>(sum);
      }
    }
  }

 private:
  Fault fault_;
  QuantMatrix weights_;
};

class FaultyKernel final : public Kernel {
 public:
  FaultyKernel(Fault fault, std::string_view name, std::string_view backend) : fault_(fault) {
    info_ = {name, backend, Isa::any, Contract::reordered};
  }

  const KernelInfo& info() const override { return info_; }
  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (problem.scheme.weights.kind != Kind::f32) return Refusal{"takes FP32 only"};
    return std::nullopt;
  }
  std::unique_ptr<Prepared> prepare(const Problem&, const QuantMatrix& weights,
                                    std::span<const float>, const Device&) const override {
    if (fault_ == Fault::hoards) {
      std::vector<std::vector<std::byte>> hoard;
      for (;;) hoard.emplace_back(std::size_t{1} << 42);
    }
    return std::make_unique<FaultyPrepared>(fault_, weights);
  }

 private:
  Fault fault_;
  KernelInfo info_;
};

}  // namespace
}  // namespace qassay

const qassay::KernelTable* qassay_kernel_table() {
  using namespace qassay;
  static const FaultyKernel crashes(Fault::crashes, "linear_f32_f32_f32_crashes", "crashes");
  static const FaultyKernel hangs(Fault::hangs, "linear_f32_f32_f32_hangs", "hangs");
  static const FaultyKernel hoards(Fault::hoards, "linear_f32_f32_f32_hoards", "hoards");
  static const FaultyKernel throws(Fault::throws, "linear_f32_f32_f32_throws", "throws");
  static const FaultyKernel lies(Fault::lies, "linear_f32_f32_f32_lies", "lies");
  static const FaultyKernel works(Fault::none, "linear_f32_f32_f32_works", "works");
  static const FaultyKernel apart(Fault::none, "linear_f32_f32_f32_apart", "apart");
  static const FaultyKernel crashes_apart(Fault::crashes, "linear_f32_f32_f32_crashes_apart",
                                          "crashes-apart");
  static const Kernel* const kernels[] = {&crashes, &hangs, &hoards, &throws,
                                          &lies,    &works, &apart,  &crashes_apart};
  static const Backend backends[] = {{"crashes", "1", ""},     {"hangs", "1", ""},
                                     {"hoards", "1", ""},      {"throws", "1", ""},
                                     {"lies", "1", ""},        {"works", "1", ""},
                                     {"apart", "1", "", true}, {"crashes-apart", "1", "", true}};
  static const KernelTable table{kKernelInterfaceVersion, kernels, backends};
  return &table;
}
