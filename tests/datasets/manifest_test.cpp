#include "datasets/manifest.hpp"

#include <gmock/gmock.h>

#include "tests/datasets/faults.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kGood = R"(name = "tiny"
origin = "https://example.org"
licence = "MIT"
copyright = "2020 Example"
package = "dataset-tiny"
folder = "/usr/share/datasets/tiny"
shape = [2, 3]
classes = 4
[[files]]
name = "a.gz"
split = "train"
role = "images"
count = 5
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
[[files]]
name = "b.gz"
split = "train"
role = "labels"
count = 5
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
[[files]]
name = "c.gz"
split = "test"
role = "images"
count = 6
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
[[files]]
name = "d.gz"
split = "test"
role = "labels"
count = 6
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)";

/// kGood with the first `from` replaced.
std::string with(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string fault(const std::string& text) {
  return fault_of([&] { parse_manifest(text, "tiny.toml"); });
}

TEST(ManifestTest, ReadsEveryField) {
  const Manifest manifest = parse_manifest(kGood, "tiny.toml");
  EXPECT_EQ(manifest.name, "tiny");
  EXPECT_EQ(manifest.origin, "https://example.org");
  EXPECT_EQ(manifest.licence, "MIT");
  EXPECT_EQ(manifest.copyright, "2020 Example");
  EXPECT_EQ(manifest.package, "dataset-tiny");
  EXPECT_EQ(manifest.folder, "/usr/share/datasets/tiny");
  EXPECT_EQ(manifest.height, 2);
  EXPECT_EQ(manifest.width, 3);
  EXPECT_EQ(manifest.classes, 4);
  EXPECT_EQ(manifest.file(Split::test, Role::labels).name, "d.gz");
  EXPECT_EQ(manifest.file(Split::test, Role::labels).count, 6);
  EXPECT_EQ(manifest.file(Split::train, Role::images).sha256.substr(0, 4), "0123");
}

TEST(ManifestTest, SaysWhereTheFaultIs) {
  EXPECT_THAT(fault(with("classes = 4", "classes = \"four\"")),
              AllOf(StartsWith("tiny.toml:8: "), HasSubstr("classes")));
  EXPECT_THAT(fault(with("name = \"tiny\"", "name = ")), StartsWith("tiny.toml:1: "));
}

TEST(ManifestTest, RefusesUnknownKeys) {
  EXPECT_THAT(fault(with("classes = 4", "classes = 4\nclases = 4")),
              AllOf(StartsWith("tiny.toml:9: "), HasSubstr("clases: is not a known key")));
  EXPECT_THAT(fault(with("count = 5", "count = 5\nmd5 = \"x\"")),
              HasSubstr("md5: is not a known key"));
}

TEST(ManifestTest, RefusesMissingKeys) {
  for (const std::string key : {"name", "origin", "licence", "copyright", "package", "folder",
                                "shape", "classes", "split", "role", "count", "sha256"}) {
    const auto begin = kGood.find(key + " = ");
    const auto end = kGood.find('\n', begin);
    EXPECT_THAT(fault(kGood.substr(0, begin) + kGood.substr(end)),
                HasSubstr("'" + key + "' is missing"));
  }
  EXPECT_THAT(fault(kGood.substr(0, kGood.find("[[files]]"))), HasSubstr("'files' is missing"));
}

TEST(ManifestTest, RefusesWrongTypesAndValues) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"name = \"tiny\"", "name = 3"},
           {"name = \"tiny\"", "name = \"\""},
           {"shape = [2, 3]", "shape = 6"},
           {"shape = [2, 3]", "shape = [2]"},
           {"shape = [2, 3]", "shape = [2, 3, 1]"},
           {"shape = [2, 3]", "shape = [2, 0]"},
           {"shape = [2, 3]", "shape = [2, 3.0]"},
           {"classes = 4", "classes = 4.0"},
           {"classes = 4", "classes = 1"},
           {"classes = 4", "classes = 256"},
           {"split = \"train\"", "split = \"valid\""},
           {"role = \"images\"", "role = \"pictures\""},
           {"count = 5", "count = 0"},
           {"count = 5", "count = -5"},
           {"name = \"a.gz\"", "name = \"../a.gz\""},
           {"name = \"a.gz\"", "name = \"..\""},
           {"name = \"a.gz\"", "name = \"/a.gz\""},
           {"sha256 = \"0123", "sha256 = \"012"},
           {"sha256 = \"0123", "sha256 = \"0X23"}}) {
    EXPECT_THAT(fault(with(from, to)), StartsWith("tiny.toml:")) << to;
  }
}

TEST(ManifestTest, WantsEachRoleOfEachSplitOnce) {
  EXPECT_THAT(fault(with("split = \"train\"", "split = \"test\"")),
              HasSubstr("0 files of images for the train split"));
  EXPECT_THAT(fault(with("role = \"labels\"", "role = \"images\"")),
              HasSubstr("2 files of images for the train split"));
}

TEST(ManifestTest, WantsAsManyLabelsAsImages) {
  EXPECT_THAT(fault(with("count = 5", "count = 4")), HasSubstr("different counts"));
}

TEST(ManifestTest, KnowsTheBakedInOnesByName) {
  const Manifest manifest = find_manifest("fashion-mnist");
  EXPECT_EQ(manifest.name, "fashion-mnist");
  EXPECT_EQ(manifest.licence, "MIT");
  EXPECT_EQ(manifest.height * manifest.width, 784);
  EXPECT_THAT(fault_of([] { find_manifest("cifar"); }), HasSubstr("known are fashion-mnist"));
}

}  // namespace
}  // namespace qassay
