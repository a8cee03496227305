#include "core/convolution.hpp"

#include <gtest/gtest.h>

namespace qassay {
namespace {

TEST(ConvolutionTest, PaddingOfHalfTheKernelKeepsTheSize) {
  const Convolution same{.height = 14,
                         .width = 9,
                         .channels = 32,
                         .kernel_height = 3,
                         .kernel_width = 3,
                         .padding = 1};
  EXPECT_EQ(same.out_height(), 14);
  EXPECT_EQ(same.out_width(), 9);
  EXPECT_EQ(same.out_pixels(), 14 * 9);
  EXPECT_EQ(same.features(), 14 * 9 * 32);
  EXPECT_EQ(same.k(), 3 * 3 * 32);
}

TEST(ConvolutionTest, StridesLeaveOutWhatDoesNotFit) {
  Convolution strided{
      .height = 28, .width = 29, .channels = 1, .kernel_height = 5, .kernel_width = 2, .stride = 2};
  EXPECT_EQ(strided.out_height(), 12);  // starts at 0, 2, ... 22; 24 would need row 28
  EXPECT_EQ(strided.out_width(), 14);   // starts at 0, 2, ... 26
  strided.padding = 2;
  EXPECT_EQ(strided.out_height(), 14);
}

TEST(ConvolutionTest, AKernelAsLargeAsThePaddedImageGivesOnePixel) {
  const Convolution whole{
      .height = 3, .width = 1, .channels = 2, .kernel_height = 5, .kernel_width = 3, .padding = 1};
  EXPECT_EQ(whole.out_pixels(), 1);
}

TEST(ConvolutionTest, GroupsShareTheChannels) {
  Convolution grouped{
      .height = 4, .width = 4, .channels = 12, .kernel_height = 3, .kernel_width = 3, .groups = 4};
  EXPECT_EQ(grouped.group_channels(), 3);
  EXPECT_EQ(grouped.k(), 27);
  grouped.groups = 12;
  EXPECT_EQ(grouped.k(), 9);  // depthwise
}

}  // namespace
}  // namespace qassay
