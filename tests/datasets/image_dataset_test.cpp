#include "datasets/image_dataset.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <type_traits>

#include "core/hash.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(!std::is_convertible_v<TestSet, TrainingSet>);

/// Three training and two test images of 1 x 2 pixels in two classes, written to a folder.
class ImageDatasetTest : public ::testing::Test {
 protected:
  ImageDatasetTest() {
    manifest_.name = "tiny";
    manifest_.package = "dataset-tiny";
    manifest_.height = 1;
    manifest_.width = 2;
    manifest_.classes = 2;
    add("a.gz", Split::train, Role::images, 3, gzip(idx({3, 1, 2}, {0, 255, 51, 102, 5, 6})));
    add("b.gz", Split::train, Role::labels, 3, gzip(idx({3}, {0, 1, 1})));
    add("c.gz", Split::test, Role::images, 2, gzip(idx({2, 1, 2}, {1, 2, 3, 4})));
    add("d.gz", Split::test, Role::labels, 2, gzip(idx({2}, {1, 0})));
  }

  void add(const std::string& name, Split split, Role role, std::int64_t count,
           const std::vector<std::byte>& content) {
    write_file(folder_.path() / name, content);
    std::erase_if(manifest_.files, [&](const ManifestFile& file) { return file.name == name; });
    manifest_.files.push_back({name, split, role, count, sha256(content)});
  }

  std::string training_fault() const {
    return fault_of([&] { ImageDataset(manifest_, folder_.path()).training(); });
  }

  TemporaryFolder folder_;
  Manifest manifest_;
};

TEST_F(ImageDatasetTest, ReadsBothSplits) {
  const ImageDataset dataset(manifest_, folder_.path());
  const TrainingSet training = dataset.training();
  EXPECT_EQ(training.name, "tiny/train");
  EXPECT_EQ(training.count, 3);
  EXPECT_EQ(training.features, 2);
  EXPECT_EQ(training.classes, 2);
  EXPECT_EQ(training.hash, dataset.hash(Split::train));
  EXPECT_THAT(training.labels, ElementsAre(0, 1, 1));
  EXPECT_THAT(training.pixels, ElementsAre(0, 255, 51, 102, 5, 6));
  const TestSet test = dataset.test();
  EXPECT_EQ(test.name, "tiny/test");
  EXPECT_THAT(test.labels, ElementsAre(1, 0));
  EXPECT_NE(test.hash, training.hash);
}

TEST_F(ImageDatasetTest, BatchesAreFloatsFromZeroToOne) {
  const TrainingSet training = ImageDataset(manifest_, folder_.path()).training();
  std::vector<float> out(2 * 3, -1.0F);
  fill_batch(training, 0, Matrix(out.data(), 2, 2, 3));
  EXPECT_THAT(out, ElementsAre(0.0F, 1.0F, -1.0F, 0.2F, 0.4F, -1.0F));
  fill_batch(training, 1, Matrix(out.data(), 1, 2));
  EXPECT_FLOAT_EQ(out[0], 0.2F);
}

TEST_F(ImageDatasetTest, RefusesAFlippedByte) {
  auto content = gzip(idx({3}, {0, 1, 1}));
  content.back() ^= std::byte{1};
  write_file(folder_.path() / "b.gz", content);
  EXPECT_THAT(training_fault(), AllOf(HasSubstr("b.gz: has the SHA-256 " + sha256(content)),
                                      HasSubstr("install the package dataset-tiny again")));
}

TEST_F(ImageDatasetTest, RefusesAMissingFile) {
  std::filesystem::remove(folder_.path() / "a.gz");
  EXPECT_THAT(training_fault(), AllOf(HasSubstr("a.gz: cannot be read (No such file"),
                                      HasSubstr("install the package dataset-tiny, or")));
}

TEST_F(ImageDatasetTest, RefusesAFolderInPlaceOfAFile) {
  std::filesystem::remove(folder_.path() / "a.gz");
  std::filesystem::create_directory(folder_.path() / "a.gz");
  EXPECT_THAT(training_fault(), HasSubstr("a.gz: cannot be read"));
}

TEST_F(ImageDatasetTest, RefusesAnotherShape) {
  add("a.gz", Split::train, Role::images, 3, gzip(idx({3, 2, 1}, {0, 255, 51, 102, 5, 6})));
  EXPECT_THAT(training_fault(),
              HasSubstr("holds 3 x 2 x 1 values where the manifest says 3 x 1 x 2"));
}

TEST_F(ImageDatasetTest, RefusesAnotherCount) {
  add("b.gz", Split::train, Role::labels, 3, gzip(idx({2}, {0, 1})));
  EXPECT_THAT(training_fault(), HasSubstr("holds 2 values where the manifest says 3"));
}

TEST_F(ImageDatasetTest, RefusesALabelThatIsNoClass) {
  add("b.gz", Split::train, Role::labels, 3, gzip(idx({3}, {0, 1, 2})));
  EXPECT_THAT(training_fault(), HasSubstr("sample 2 has the label 2 where there are 2 classes"));
}

TEST_F(ImageDatasetTest, HashFollowsTheContent) {
  const std::string before = ImageDataset(manifest_, folder_.path()).hash(Split::train);
  add("b.gz", Split::train, Role::labels, 3, gzip(idx({3}, {1, 1, 1})));
  EXPECT_NE(ImageDataset(manifest_, folder_.path()).hash(Split::train), before);
}

TEST(FashionMnistTest, OpensWithItsCounts) {
  const ImageDataset dataset = find_dataset("fashion-mnist");
  const TrainingSet training = dataset.training();
  const TestSet test = dataset.test();
  EXPECT_EQ(training.count, 60'000);
  EXPECT_EQ(training.pixels.size(), 60'000U * 784U);
  EXPECT_EQ(test.count, 10'000);
  EXPECT_EQ(test.pixels.size(), 10'000U * 784U);
  // Each class has the same share of both splits: known from the data set's description.
  for (std::uint8_t label = 0; label < 10; ++label) {
    EXPECT_EQ(std::count(training.labels.begin(), training.labels.end(), label), 6'000);
    EXPECT_EQ(std::count(test.labels.begin(), test.labels.end(), label), 1'000);
  }
}

TEST(FashionMnistTest, IsLookedForWhereTheEnvironmentSays) {
  ASSERT_EQ(setenv("QASSAY_DATA_DIR", "/nowhere", 1), 0);
  const ImageDataset elsewhere = find_dataset("fashion-mnist");
  ASSERT_EQ(unsetenv("QASSAY_DATA_DIR"), 0);
  EXPECT_EQ(elsewhere.folder(), "/nowhere/fashion-mnist");
  EXPECT_THAT(fault_of([&] { elsewhere.test(); }), HasSubstr("QASSAY_DATA_DIR"));
  EXPECT_EQ(find_dataset("fashion-mnist").folder(), "/usr/share/datasets/fashion-mnist");
}

}  // namespace
}  // namespace qassay
