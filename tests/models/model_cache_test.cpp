#include "models/model_cache.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "models/safetensors.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/models/sample_model.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

class ModelCacheTest : public ::testing::Test {
 protected:
  CachedModel get(const std::string& key) {
    return cached_model(folder_.path(), "small", key, [this] {
      ++fits_;
      return sample_model();
    });
  }
  std::filesystem::path kept() const {
    return std::filesystem::directory_iterator(folder_.path())->path();
  }
  auto count() const {
    const auto files = std::filesystem::directory_iterator(folder_.path());
    return std::distance(begin(files), end(files));
  }

  TemporaryFolder folder_;
  int fits_ = 0;
};

TEST_F(ModelCacheTest, FitsOncePerKey) {
  EXPECT_TRUE(get("one").fitted);
  const CachedModel again = get("one");
  EXPECT_FALSE(again.fitted);
  EXPECT_EQ(again.model, sample_model());
  EXPECT_TRUE(get("two").fitted);
  EXPECT_EQ(fits_, 2);
}

TEST_F(ModelCacheTest, FitsAgainWhereTheFolderIsDamaged) {
  const auto expect_mended = [this](std::string_view fault) {
    const CachedModel refitted = get("one");
    EXPECT_TRUE(refitted.fitted);
    EXPECT_EQ(refitted.model, sample_model());
    EXPECT_THAT(refitted.note, HasSubstr(fault));
    const CachedModel mended = get("one");
    EXPECT_FALSE(mended.fitted);
    EXPECT_EQ(mended.note, "");
    EXPECT_EQ(count(), 1);
  };
  get("one");
  std::filesystem::resize_file(kept() / "model.safetensors", 100);
  expect_mended("claims a header");
  std::filesystem::remove(kept() / "config.json");
  expect_mended("cannot be read");
  Model other = sample_model();
  other.parameters["head.bias"].values[0] += 1;
  write_safetensors(other.parameters, {{"content_hash", content_hash(sample_model())}},
                    kept() / "model.safetensors");
  expect_mended("is damaged");
  const std::filesystem::path path = kept();
  std::filesystem::remove_all(path);
  std::ofstream(path) << "a file where the folder belongs";
  expect_mended("cannot be read");
}

TEST_F(ModelCacheTest, TakesNothingHalfWritten) {
  get("one");
  EXPECT_EQ(count(), 1);
  std::filesystem::rename(kept(), kept().string() + ".1-0.tmp");
  EXPECT_TRUE(get("one").fitted);
}

TEST_F(ModelCacheTest, WorksWithoutAFolderToWriteTo) {
  const std::filesystem::path blocked = folder_.path() / "file";
  std::ofstream(blocked) << "not a folder";
  const CachedModel model = cached_model(blocked / "models", "small", "key", sample_model);
  EXPECT_TRUE(model.fitted);
  EXPECT_EQ(model.model, sample_model());
  EXPECT_THAT(model.note, HasSubstr("cannot be written"));
  EXPECT_EQ(cached_model({}, "small", "key", sample_model).note, "");
}

TEST_F(ModelCacheTest, KeepsNothingOfAFitThatFails) {
  const auto fails = []() -> Model { throw std::runtime_error("no"); };
  EXPECT_THROW(cached_model(folder_.path(), "small", "key", fails), std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST(CacheFolderTest, FollowsTheEnvironmentInOrder) {
  const auto set = [](const char* name, const char* value) {
    ASSERT_EQ(value != nullptr ? setenv(name, value, 1) : unsetenv(name), 0);
  };
  set("QASSAY_CACHE_DIR", "/own");
  set("XDG_CACHE_HOME", "/xdg");
  set("HOME", "/home/me");
  EXPECT_EQ(default_cache_folder(), "/own");
  set("QASSAY_CACHE_DIR", nullptr);
  EXPECT_EQ(default_cache_folder(), "/xdg/qassay");
  set("XDG_CACHE_HOME", "relative");
  EXPECT_EQ(default_cache_folder(), "/home/me/.cache/qassay");
  set("XDG_CACHE_HOME", nullptr);
  EXPECT_EQ(default_cache_folder(), "/home/me/.cache/qassay");
  set("HOME", nullptr);
  EXPECT_EQ(default_cache_folder(), "");
}

}  // namespace
}  // namespace qassay
