#include "hardware_profiles/ceilings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/amx.hpp"
#include "core/buffer.hpp"
#include "core/error.hpp"
#include "core/isa.hpp"
#include "hardware_profiles/probes/probe_kernels.h"

namespace qassay {
namespace {

bool runs(Isa isa) {
  const std::vector<Isa> isas = supported_isas();
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

Buffer filled(std::size_t bytes) {
  Buffer buffer(bytes);
  std::memset(buffer.data(), 1, bytes);
  return buffer;
}

TEST(CeilingsTest, SamplesAreSane) {
  const Buffer set = filled(1 << 20);
  CeilingProbe probe({set.data(), set.size()}, 2);
  const Ceilings ceilings = probe.sample();
  EXPECT_TRUE(std::isfinite(ceilings.read_bytes_per_second));
  EXPECT_GT(ceilings.read_bytes_per_second, 0);
  EXPECT_TRUE(std::isfinite(ceilings.f32_flops));
  EXPECT_GT(ceilings.f32_flops, 0);
  if (runs(Isa::avxvnni) || runs(Isa::avx512vnni))
    EXPECT_GE(ceilings.int8_ops, ceilings.f32_flops);
  else
    EXPECT_EQ(ceilings.int8_ops, 0);
  if (runs(Isa::avx512bf16) || usable_amx().bf16)
    EXPECT_GT(ceilings.bf16_flops, 0);
  else
    EXPECT_EQ(ceilings.bf16_flops, 0);
}

TEST(CeilingsTest, AnOddWorkingSetIsReadWithoutItsRest) {
  const Buffer set = filled(3 * 512 + 100);
  CeilingProbe probe({set.data(), set.size()}, 3);
  EXPECT_GT(probe.read_bytes_per_second(), 0);
}

TEST(CeilingsTest, BadWorkingSetsAreInputErrors) {
  const Buffer set = filled(4096);
  EXPECT_THROW(CeilingProbe({}, 1), InputError);
  EXPECT_THROW(CeilingProbe({set.data(), 1000}, 2), InputError) << "too small for two";
  EXPECT_THROW(CeilingProbe({set.data() + 1, 2048}, 1), InputError) << "not aligned";
  EXPECT_THROW(CeilingProbe({set.data(), 4096}, 0), InputError);
}

TEST(CeilingsTest, ClockIsThatOfAProcessor) {
  EXPECT_GT(clock_hz(), 1e7);
  EXPECT_LT(clock_hz(), 1e11);
}

/// Every reader must really look at every byte: changing any one changes the digest.
void expect_reads_all(unsigned long long (*read)(const void*, std::size_t, long, std::size_t),
                      std::size_t ahead) {
  Buffer data(1024);
  for (std::size_t i = 0; i < data.size(); ++i) {
    data.data()[i] = std::byte{1};
    EXPECT_NE(read(data.data(), data.size(), 1, ahead), 0U) << "byte " << i;
    EXPECT_EQ(read(data.data(), data.size(), 2, ahead), 0U) << "twice is without, byte " << i;
    data.data()[i] = std::byte{0};
  }
}

TEST(ProbeKernelsTest, ReadersReadEveryByte) {
  for (const std::size_t ahead : {0, 2048}) {
    expect_reads_all(qassay_read_portable, ahead);
#if defined(__x86_64__)
    if (runs(Isa::avx2)) expect_reads_all(qassay_read_avx2, ahead);
    if (runs(Isa::avx512)) expect_reads_all(qassay_read_avx512, ahead);
#endif
  }
}

TEST(ProbeKernelsTest, ChainsSayHowMuchTheyDid) {
  EXPECT_EQ(qassay_f32_portable(7), 7.0 * 10 * 4 * 2);
#if defined(__x86_64__)
  if (runs(Isa::avx2)) {
    EXPECT_EQ(qassay_f32_avx2(7), 7.0 * 12 * 8 * 2);
  }
  if (runs(Isa::avxvnni)) {
    EXPECT_EQ(qassay_int8_avxvnni(7), 7.0 * 12 * 32 * 2);
  }
  if (runs(Isa::avx512)) {
    EXPECT_EQ(qassay_f32_avx512(7), 7.0 * 14 * 16 * 2);
  }
  if (runs(Isa::avx512vnni)) {
    EXPECT_EQ(qassay_int8_avx512vnni(7), 7.0 * 14 * 64 * 2);
  }
  if (runs(Isa::avx512bf16)) {
    EXPECT_EQ(qassay_bf16_avx512bf16(7), 7.0 * 14 * 32 * 2);
  }
  if (usable_amx().int8) {
    EXPECT_EQ(qassay_int8_amx(7), 7.0 * 6 * 16 * 16 * 64 * 2);
  }
  if (usable_amx().bf16) {
    EXPECT_EQ(qassay_bf16_amx(7), 7.0 * 6 * 16 * 16 * 32 * 2);
  }
#endif
}

}  // namespace
}  // namespace qassay
