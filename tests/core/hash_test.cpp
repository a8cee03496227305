#include "core/hash.hpp"

#include <gmock/gmock.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/error.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

// FIPS 180-4 examples.
TEST(HashTest, KnownAnswers) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HashTest, FilesHashAsTheirBytes) {
  const std::filesystem::path path =
      std::filesystem::path(::testing::TempDir()) / "qassay_hash_test.bin";
  std::string content(3'000'001, 'x');  // several blocks of reading and a rest
  content[2'500'000] = '\0';
  std::ofstream(path, std::ios::binary) << content;
  EXPECT_EQ(sha256_file(path), sha256(content));
  std::ofstream(path, std::ios::binary | std::ios::trunc).flush();
  EXPECT_EQ(sha256_file(path), sha256(""));
  std::filesystem::remove(path);
}

TEST(HashTest, UnreadableFilesAreNamed) {
  for (const std::string& path : {std::string("/nowhere/at all"), ::testing::TempDir()}) {
    try {
      sha256_file(path);
      FAIL() << path;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(path));
      EXPECT_THAT(error.what(), HasSubstr("cannot be read"));
    }
  }
}

}  // namespace
}  // namespace qassay
