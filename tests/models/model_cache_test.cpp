#include "models/model_cache.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "models/model_file.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

Model small() {
  return {"small",
          {{.name = "a",
            .n = 2,
            .k = 3,
            .weights = {1, 2, 3, 4, 5, -0.0F},
            .bias = {7, 8},
            .relu = true},
           {.name = "b", .n = 1, .k = 2, .weights = {9, 10}, .bias = {}, .relu = false}}};
}

class ModelFileTest : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "deep" / "small.model"; }
  std::string content() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void overwrite(const std::string& text) const {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << text;
  }

  TemporaryFolder folder_;
};

TEST_F(ModelFileTest, GivesBackWhatWasSaved) {
  save_model(small(), path());
  const auto loaded = load_model(path());
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(*loaded, small());
  EXPECT_EQ(content_hash(*loaded), content_hash(small()));
}

TEST_F(ModelFileTest, LeavesNoTemporaryFile) {
  save_model(small(), path());
  save_model(small(), path());
  const auto files = std::filesystem::directory_iterator(path().parent_path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(ModelFileTest, IsEmptyWhereThereIsNoFile) { EXPECT_FALSE(load_model(path()).has_value()); }

TEST_F(ModelFileTest, DetectsEveryFlippedByteAndTruncation) {
  save_model(small(), path());
  const std::string whole = content();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    // The line feed that ends the header is the one byte nothing depends on.
    if (i == std::string("qassay-model 1\n").size() + 64) continue;
    overwrite(damaged);
    EXPECT_THROW(load_model(path()), InputError) << i;
    overwrite(whole.substr(0, i));
    EXPECT_THROW(load_model(path()), InputError) << i;
  }
}

TEST_F(ModelFileTest, RefusesAContentThatIsNoModelUnderARightHash) {
  Model broken = small();
  broken.layers[1].k = 5;
  save_model(broken, path());
  EXPECT_THAT(fault_of([&] { load_model(path()); }), HasSubstr("is damaged"));
}

TEST_F(ModelFileTest, SaysWhenItCannotWrite) {
  std::ofstream(folder_.path() / "deep") << "a file where a folder is wanted";
  EXPECT_THAT(fault_of([&] { save_model(small(), path()); }), HasSubstr("cannot be written"));
}

TEST(ModelTest, HashFollowsEveryPart) {
  const std::string hash = content_hash(small());
  Model changed = small();
  changed.layers[0].weights[5] = 0.0F;  // another bit pattern of the same value
  EXPECT_NE(content_hash(changed), hash);
  changed = small();
  changed.layers[1].relu = true;
  EXPECT_NE(content_hash(changed), hash);
  changed = small();
  changed.name = "other";
  EXPECT_NE(content_hash(changed), hash);
}

class ModelCacheTest : public ModelFileTest {
 protected:
  CachedModel get(const std::string& key) {
    return cached_model(folder_.path(), "small", key, [this] {
      ++fits_;
      return small();
    });
  }
  std::filesystem::path file() const {
    return std::filesystem::directory_iterator(folder_.path())->path();
  }

  int fits_ = 0;
};

TEST_F(ModelCacheTest, FitsOncePerKey) {
  EXPECT_TRUE(get("one").fitted);
  const CachedModel again = get("one");
  EXPECT_FALSE(again.fitted);
  EXPECT_EQ(again.model, small());
  EXPECT_TRUE(get("two").fitted);
  EXPECT_EQ(fits_, 2);
}

TEST_F(ModelCacheTest, FitsAgainWhereTheFileIsDamaged) {
  get("one");
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) - 1);
  const CachedModel refitted = get("one");
  EXPECT_TRUE(refitted.fitted);
  EXPECT_EQ(refitted.model, small());
  EXPECT_THAT(refitted.note, HasSubstr("is damaged"));
  const CachedModel mended = get("one");
  EXPECT_FALSE(mended.fitted);
  EXPECT_EQ(mended.note, "");
}

TEST_F(ModelCacheTest, WorksWithoutAFolderToWriteTo) {
  const std::filesystem::path blocked = folder_.path() / "file";
  std::ofstream(blocked) << "not a folder";
  const CachedModel model = cached_model(blocked / "models", "small", "key", small);
  EXPECT_TRUE(model.fitted);
  EXPECT_EQ(model.model, small());
  EXPECT_THAT(model.note, HasSubstr("cannot be written"));
  EXPECT_EQ(cached_model({}, "small", "key", small).note, "");
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
