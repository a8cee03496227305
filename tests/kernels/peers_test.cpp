// Libraries that are looked for at run time: the formats that we write for them, and what is said
// where they are missing. Their rows are compared with the reference in kernel_table_test.cpp,
// where QASSAY_PEERS or scripts/fetch-peers has them.

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/compare.hpp"
#include "core/grid.hpp"
#include "core/half.hpp"
#include "kernels/peers/ggml_blocks.hpp"
#include "kernels/peers/onnx_model.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/kernels/kernel_case.hpp"

namespace qassay {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

std::vector<const Kernel*> peer_rows(const KernelLibrary& library) {
  std::vector<const Kernel*> rows;
  for (const Kernel* kernel : library.table().kernels) {
    const std::string_view backend = kernel->info().backend;
    if (backend == "ggml" || backend == "onnxruntime") rows.push_back(kernel);
  }
  return rows;
}

/// Our kernels, loaded again from another file, as they are in a process that looks for peers in
/// `folder`.
class KernelsElsewhere {
 public:
  explicit KernelsElsewhere(const fs::path& folder)
      : before_(std::getenv("QASSAY_PEERS")), file_(folder / "libqassay_kernels_again.so") {
    fs::create_directories(folder);
    fs::copy_file(default_kernel_library(), file_, fs::copy_options::overwrite_existing);
    setenv("QASSAY_PEERS", folder.c_str(), 1);
    library_ = std::make_unique<KernelLibrary>(file_);
    setenv("QASSAY_PEERS", before_.c_str(), 1);
  }
  ~KernelsElsewhere() { fs::remove(file_); }

  const KernelLibrary& library() const { return *library_; }
  std::string missing(std::string_view name) const {
    for (const Backend& backend : library_->table().backends) {
      if (backend.name == name) return std::string(backend.missing);
    }
    return "no such backend";
  }

 private:
  std::string before_;
  fs::path file_;
  std::unique_ptr<KernelLibrary> library_;
};

class PeersTest : public testing::Test {
 protected:
  void SetUp() override {
    built_kernels();  // sets QASSAY_PEERS
    folder_ = fs::path(testing::TempDir()) / "qassay_peers_test";
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void expect_all_refuse(const KernelsElsewhere& kernels) {
    EXPECT_EQ(peer_rows(kernels.library()).size(), 14U);
    for (const Kernel* kernel : peer_rows(kernels.library())) {
      bool said = false;
      for (const char* text :
           {"FP32", "FP16", "BF16", "W8A8-g32-blocked", "W8A8-g128-blocked", "W4A8-g32-blocked",
            "W4A8-g128-blocked", "W8A16-g32", "W8A16-g128", "W4A16-g32", "W4A16-g128"}) {
        const auto refusal = kernel->accepts(
            {.m_max = 1, .n = 16, .k = 128, .scheme = parse_scheme(text), .bias = false});
        ASSERT_TRUE(refusal.has_value()) << kernel->info().name << " " << text;
        said = said || refusal->reason == kernels.missing(kernel->info().backend);
      }
      EXPECT_TRUE(said) << kernel->info().name;
    }
  }

  fs::path folder_;
};

TEST_F(PeersTest, WithoutTheirLibrariesEveryRowSaysHowToGetThem) {
  const KernelsElsewhere kernels(folder_);
  EXPECT_THAT(kernels.missing("ggml"), HasSubstr("libggml-base.so not found; scripts/fetch-peers"));
  EXPECT_THAT(kernels.missing("onnxruntime"),
              HasSubstr("libonnxruntime.so.1 not found; scripts/fetch-peers"));
  expect_all_refuse(kernels);
}

TEST_F(PeersTest, FilesThatAreNoLibrariesAreRefused) {
  for (const char* name :
       {"ggml/libggml-base.so", "ggml/libggml-cpu-x64.so", "onnxruntime/libonnxruntime.so.1"}) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << "no library";
  }
  const KernelsElsewhere kernels(folder_);
  EXPECT_THAT(kernels.missing("ggml"), HasSubstr("no library in"));
  EXPECT_THAT(kernels.missing("onnxruntime"), HasSubstr("cannot be loaded"));
  expect_all_refuse(kernels);
}

/// One row of two blocks, whose codes count up from 1 and whose scales are 0.5 and 2^-24.
QuantMatrix counting_codes(const char* scheme) {
  QuantMatrix weights;
  weights.scheme = parse_scheme(scheme);
  weights.n = 1;
  weights.k = 64;
  weights.scales = {0.5F, 0x1p-24F};
  const int codes = (1 << weights.scheme.weights.bits) - 1;
  for (int i = 0; i < 64; ++i) weights.codes.push_back(static_cast<std::uint8_t>(1 + i % codes));
  return weights;
}

std::vector<int> bytes_of(const QuantMatrix& weights) {
  std::vector<int> bytes;
  for (const std::byte byte : ggml::blocks_of(weights)) bytes.push_back(static_cast<int>(byte));
  return bytes;
}

TEST(GgmlBlocksTest, FourBitCodesArePairsOfTheBlocksHalves) {
  const std::vector<int> bytes = bytes_of(counting_codes("W4A8-g32-blocked"));
  ASSERT_EQ(bytes.size(), 2U * 18);
  EXPECT_EQ(bytes[0] | bytes[1] << 8, 0x3800);    // 0.5
  EXPECT_EQ(bytes[18] | bytes[19] << 8, 0x0001);  // the smallest there is
  EXPECT_EQ(bytes[2], 1 | 2 << 4);                // codes 0 and 16, which are 1 and 17 - 15
  EXPECT_EQ(bytes[3], 2 | 3 << 4);
  EXPECT_EQ(bytes[17], 1 | 2 << 4);  // codes 15 and 31
  EXPECT_EQ(bytes[20], 3 | 4 << 4);  // codes 32 and 48
}

TEST(GgmlBlocksTest, EightBitCodesAreSigned) {
  const std::vector<int> bytes = bytes_of(counting_codes("W8A8-g32-blocked"));
  ASSERT_EQ(bytes.size(), 2U * 34);
  EXPECT_EQ(bytes[0] | bytes[1] << 8, 0x3800);
  EXPECT_EQ(static_cast<std::int8_t>(bytes[2]), 1 - 128);
  EXPECT_EQ(static_cast<std::int8_t>(bytes[33]), 32 - 128);
  EXPECT_EQ(bytes[34] | bytes[35] << 8, 0x0001);
  EXPECT_EQ(static_cast<std::int8_t>(bytes[36]), 33 - 128);
}

// The message written out by hand, from the numbers of onnx.proto.
TEST(OnnxModelTest, IsTheMessageOfOnnxProto) {
  const onnx::Model model{
      .inputs = 300,
      .outputs = 1,
      .constants = {{"w", onnx::Type::u8, {1, 300}}},
      .nodes = {{"Op", "d", {"x", "", "w"}, "y", {{"a", 4}}}},
  };
  const std::string node(
      "\x0a\x01x\x0a\x00\x0a\x01w\x12\x01y\x1a\x07Op of y\x22\x02Op"
      "\x2a\x08\x0a\x01"
      "a\x18\x04\xa0\x01\x02\x3a\x01"
      "d",
      37);
  const std::string tensor(
      "\x08\x01\x08\xac\x02\x10\x02\x42\x01w"
      "\x6a\x0d\x0a\x08location\x12\x01w\x70\x01",
      27);
  const std::string input(
      "\x0a\x01x\x12\x10\x0a\x0e\x08\x01\x12\x0a\x0a\x03\x12\x01M"
      "\x0a\x03\x08\xac\x02",
      21);
  const std::string output(
      "\x0a\x01y\x12\x0f\x0a\x0d\x08\x01\x12\x09\x0a\x03\x12\x01M"
      "\x0a\x02\x08\x01",
      20);
  const std::string graph = "\x0a\x25" + node + "\x12\x05layer" + "\x2a\x1b" + tensor + "\x5a\x15" +
                            input + "\x62\x14" + output;
  const std::string sets(
      "\x42\x04\x0a\x00\x10\x11\x42\x11\x0a\x0d"
      "com.microsoft\x10\x01",
      25);
  EXPECT_EQ(onnx::serialize(model), "\x08\x08\x3a\x78" + graph + sets);
}

/// x as its codes and scales stand for it.
Values rounded_activations(const KernelCase& c) {
  Values rounded(c.m, c.k);
  const std::int64_t block = c.scheme.input.number.block;
  std::vector<std::int8_t> codes(static_cast<std::size_t>(c.k));
  std::vector<float> scales(static_cast<std::size_t>((c.k + block - 1) / block));
  for (std::int64_t m = 0; m < c.m; ++m) {
    quantize_row_blocked(c.x.view().row(m), c.k, block, codes.data(), scales.data());
    for (std::int64_t k = 0; k < c.k; ++k) {
      rounded.view().row(m)[k] = static_cast<float>(codes[static_cast<std::size_t>(k)]) *
                                 scales[static_cast<std::size_t>(k / block)];
    }
  }
  return rounded;
}

/// Halves of a step and their neighbours, where another rule of rounding gives other codes.
void fill_with_ties(KernelCase& c) {
  const std::int64_t block = c.scheme.input.number.block;
  for (std::int64_t i = 0; i < c.m * c.k; ++i) {
    const float largest = 1.0F + 0.01F * static_cast<float>(i / block);
    const float tie = (static_cast<float>(i % 127) - 63.5F) * (largest / 127);
    const float neighbours[] = {tie, std::nextafter(tie, 0.0F), std::nextafter(tie, 2 * tie)};
    c.x.at[static_cast<std::size_t>(i)] = i % block == 0 ? largest : neighbours[i % 3];
  }
}

class PeerRowTest : public testing::TestWithParam<const Kernel*> {
 protected:
  /// The scheme that the row takes, and a case of it.
  void SetUp() override {
    for (const char* text :
         {"FP32", "FP16", "BF16", "W8A8-g32-blocked", "W8A8-g128-blocked", "W4A8-g32-blocked",
          "W4A8-g128-blocked", "W8A16-g32", "W8A16-g128", "W4A16-g32", "W4A16-g128"}) {
      const Scheme scheme = parse_scheme(text);
      const auto refusal = GetParam()->accepts({.m_max = 1, .n = 16, .k = 128, .scheme = scheme});
      if (!refusal) {
        scheme_ = scheme;
        return;
      }
      if (!refusal->reason.starts_with("takes ")) reason_ = refusal->reason;
    }
    GTEST_SKIP() << reason_;
  }

  Scheme scheme_;
  std::string reason_;
};

// Sums of a block are exact: what is rounded is the scales and their products with the sum and with
// the zero's share, and the sums over blocks. ggml keeps a scale in FP16 besides. A code that is
// off by one in ONNX Runtime's is beyond the limit.
TEST_P(PeerRowTest, BlockedActivationsHaveTheReferencesCodes) {
  if (!scheme_.blocks_input()) GTEST_SKIP() << "takes no codes";
  for (const std::int64_t m : {1, 4, 9}) {
    for (const std::int64_t n : {16, 19}) {
      KernelCase c = normal_case(scheme_, m, n, 1024, false);
      if (m == 4) fill_with_ties(c);
      KernelCase all = normal_case(parse_scheme("FP32"), m, n, 1024, false);
      all.x = rounded_activations(c);
      all.weights.values = unsigned_magnitudes(c.weights);
      for (float& x : all.x.at) x = std::fabs(x);
      const Values rounding = run_guarded(reference_for(all.problem(m)), all);
      all.weights.values = dequantize(c.weights);
      for (float& w : all.weights.values) w = std::fabs(w);
      const Values scaling = run_guarded(reference_for(all.problem(m)), all);

      const double scale_error = GetParam()->info().backend == "ggml" ? 0x1p-11 : 0;
      const std::int64_t roundings = blocks_per_row(scheme_.weights, c.k) + 8;
      std::vector<double> limits;
      for (std::size_t i = 0; i < rounding.at.size(); ++i) {
        limits.push_back(dot_product_limit(roundings, rounding.at[i]) +
                         scale_error * scaling.at[i]);
      }
      const Values got = run_guarded(*GetParam(), c, 2);
      const Values expected = run_guarded(reference_for(c.problem(m)), c);
      const Comparison comparison = compare(
          got.view(), expected.view(),
          {.absolute = 0, .relative = 0, .per_element = {limits.data(), got.rows, got.cols}});
      EXPECT_TRUE(comparison.passed()) << c.describe() << ": " << comparison.describe();
    }
  }
}

TEST_P(PeerRowTest, LayersWithOtherNumbersOfThreadsLiveTogether) {
  const KernelCase c = normal_case(scheme_, 3, 72, 256, true);
  std::vector<std::unique_ptr<Prepared>> layers;
  for (const int threads : {2, 1, 3, 2})
    layers.push_back(GetParam()->prepare(c.problem(c.m), c.weights, c.bias, {threads}));
  layers.push_back(layers[1]->copy());
  for (int round = 0; round < 2; ++round) {
    for (const auto& layer : layers) expect_contract(*GetParam(), c, run_guarded(*layer, c, true));
    layers.erase(layers.begin());  // that with the threads of all
  }
}

TEST_P(PeerRowTest, SaysWhatRuns) {
  const KernelCase c = normal_case(scheme_, 1, 64, 256, false);
  const auto layer = GetParam()->prepare(c.problem(1), c.weights, {}, {1});
  const std::string backend(GetParam()->info().backend);
  EXPECT_THAT(layer->implementation(), testing::MatchesRegex(backend + " [0-9.]+, .+"));
}

INSTANTIATE_TEST_SUITE_P(Table, PeerRowTest, testing::ValuesIn(peer_rows(built_kernels())),
                         [](const auto& row) { return std::string(row.param->info().name); });

}  // namespace
}  // namespace qassay
