#include "models/safetensors.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

/// A file made by hand: the length of the header, the header, the data.
std::vector<std::byte> file(std::string_view header, const std::vector<std::uint8_t>& data = {}) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes.push_back(std::byte(header.size() >> (8 * i) & 0xFF));
  for (const char c : header) bytes.push_back(std::byte(c));
  for (const std::uint8_t byte : data) bytes.push_back(std::byte(byte));
  return bytes;
}

std::vector<std::byte> file_of_one(std::string_view dtype, std::string_view shape,
                                   const std::vector<std::uint8_t>& data) {
  return file(fmt::format(R"({{"x":{{"dtype":"{}","shape":{},"data_offsets":[0,{}]}}}})", dtype,
                          shape, data.size()),
              data);
}

std::string fault(const std::vector<std::byte>& bytes) {
  return fault_of([&] { Safetensors(bytes, "a.st"); });
}

std::string value_fault(const std::vector<std::byte>& bytes) {
  const Safetensors read(bytes, "a.st");
  return fault_of([&] { read.tensors(); });
}

constexpr std::string_view kTwo =
    R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
    R"("a":{"dtype":"I8","shape":[2,2],"data_offsets":[0,4]},"__metadata__":{"made":"by hand"}}  )";

TEST(SafetensorsTest, ReadsAFileMadeByHand) {
  const auto bytes = file(kTwo, {1, 2, 3, 4, 0x00, 0x00, 0xC0, 0x3F});
  const Safetensors read(bytes, "a.st");
  EXPECT_THAT(read.metadata(), ElementsAre(Pair("made", "by hand")));
  ASSERT_EQ(read.entries().size(), 2U);
  EXPECT_EQ(read.entries()[0].name, "a");
  EXPECT_EQ(read.entries()[0].dtype, "I8");
  EXPECT_THAT(read.entries()[0].dims, ElementsAre(2, 2));
  EXPECT_THAT(read.entries()[0].bytes,
              ElementsAre(std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}));
  EXPECT_EQ(read.entries()[1].name, "b");
  EXPECT_EQ(read.tensor(read.entries()[1]), (Tensor{{1}, {1.5F}}));
  EXPECT_EQ(fault_of([&] { read.tensor(read.entries()[0]); }),
            "a.st: a: has values of type I8; convert them to F32, F16 or BF16");
}

TEST(SafetensorsTest, ConvertsSixteenBitsExactly) {
  // 1, -2, the largest and the smallest number.
  EXPECT_THAT(Safetensors(file_of_one("F16", "[4]", {0, 0x3C, 0, 0xC0, 0xFF, 0x7B, 1, 0}), "")
                  .tensors()
                  .at("x")
                  .values,
              ElementsAre(1.0F, -2.0F, 65504.0F, 0x1p-24F));
  EXPECT_THAT(Safetensors(file_of_one("BF16", "[1,2]", {0x80, 0x3F, 0x49, 0xC0}), "")
                  .tensors()
                  .at("x")
                  .values,
              ElementsAre(1.0F, -3.140625F));
}

TEST(SafetensorsTest, ReadsScalarsAndEmptyTensorsAndFilesOfNone) {
  EXPECT_EQ(Safetensors(file_of_one("F32", "[]", {0, 0, 0x80, 0x3F}), "").tensors().at("x"),
            (Tensor{{}, {1.0F}}));
  EXPECT_EQ(Safetensors(file_of_one("F32", "[3,0]", {}), "").tensors().at("x"),
            (Tensor{{3, 0}, {}}));
  EXPECT_THAT(Safetensors(file("{}"), "").entries(), IsEmpty());
  const auto between = file(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                            R"("z":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
                            R"("empty":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}})",
                            {1, 2});
  EXPECT_EQ(Safetensors(between, "").entries()[1].name, "empty");
}

TEST(SafetensorsTest, RefusesEveryTruncation) {
  const auto whole = file(kTwo, {1, 2, 3, 4, 5, 6, 7, 8});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> part(whole.begin(),
                                      whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(Safetensors(part, "a.st"), InputError) << size;
  }
  EXPECT_THAT(fault({}), HasSubstr("too short"));
}

TEST(SafetensorsTest, RefusesAbsurdHeaderLengths) {
  auto bytes = file("{}");
  bytes[0] = std::byte{3};
  EXPECT_THAT(fault(bytes), HasSubstr("claims a header of 3 bytes, where it has 2"));
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = std::byte{0xFF};
  EXPECT_THAT(fault(bytes), HasSubstr("claims a header of 18446744073709551615 bytes"));
  std::string longer(100'000'001, ' ');
  longer.replace(0, 2, "{}");
  EXPECT_THAT(fault(file(longer)), HasSubstr("100000000 are the most"));
}

TEST(SafetensorsTest, RefusesHeadersThatAreNoObject) {
  EXPECT_THAT(fault(file("")), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(fault(file(" {}")), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(fault(file("[]")), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(fault(file("{\"x\":")), HasSubstr("is not JSON"));
  EXPECT_THAT(fault(file("{}{}")), HasSubstr("is not JSON"));
  EXPECT_THAT(fault(file(std::string_view("{}\0", 3))), HasSubstr("is not JSON"));
  EXPECT_THAT(fault(file(R"({"x":{"shape":[[1]]}})")), HasSubstr("nests deeper"));
}

TEST(SafetensorsTest, RefusesWrongTypesAndUnknownKeys) {
  const auto of = [](std::string_view tensor) {
    return fault(file(fmt::format(R"({{"x":{}}})", tensor)));
  };
  EXPECT_THAT(of("1"), AllOf(StartsWith("a.st: x: "), HasSubstr("not a JSON object")));
  EXPECT_THAT(of("{}"), HasSubstr("'dtype' is missing"));
  EXPECT_THAT(of(R"({"dtype":1})"), HasSubstr("x, dtype: has the wrong type"));
  EXPECT_THAT(of(R"({"dtype":"F32"})"), HasSubstr("'shape' is missing"));
  EXPECT_THAT(of(R"({"dtype":"F32","shape":1})"), HasSubstr("list of whole numbers"));
  EXPECT_THAT(of(R"({"dtype":"F32","shape":[-1]})"), HasSubstr("not a whole number in range"));
  EXPECT_THAT(of(R"({"dtype":"F32","shape":[1.0]})"), HasSubstr("not a whole number in range"));
  EXPECT_THAT(of(R"({"dtype":"F32","shape":[0]})"), HasSubstr("'data_offsets' is missing"));
  EXPECT_THAT(of(R"({"dtype":"F32","shape":[0],"data_offsets":[0]})"), HasSubstr("a begin and"));
  EXPECT_THAT(of(R"({"dtype":"F32","shape":[0],"data_offsets":[0,0],"more":1})"),
              HasSubstr("more: is not a known key"));
  EXPECT_THAT(of(R"({"dtype":"F4","shape":[0],"data_offsets":[0,0]})"),
              HasSubstr("is 'F4', which is not known"));
  EXPECT_THAT(fault(file(R"({"__metadata__":{"a":1}})")), HasSubstr("__metadata__, a: has the"));
  EXPECT_THAT(fault(file(R"({"__metadata__":[]})")), HasSubstr("__metadata__: is not a JSON"));
}

TEST(SafetensorsTest, RefusesANameGivenTwice) {
  const std::string_view tensor = R"("x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  EXPECT_THAT(fault(file(fmt::format("{{{},{}}}", tensor, tensor))), HasSubstr("key 'x' twice"));
}

TEST(SafetensorsTest, RefusesSizesThatDisagreeOrOverflow) {
  EXPECT_EQ(fault(file_of_one("F32", "[2]", {1, 2, 3, 4})),
            "a.st: x: has 4 bytes, but its shape takes 8; copy or download the file again");
  EXPECT_THAT(fault(file_of_one("U8", "[]", {})), HasSubstr("its shape takes 1"));
  // 2^62 numbers of 4 bytes, and 2^33 x 2^33 of one, are 0 in 64 bits.
  EXPECT_THAT(fault(file_of_one("F32", "[4611686018427387904]", {})), HasSubstr("can count"));
  EXPECT_THAT(fault(file_of_one("U8", "[8589934592,8589934592]", {})), HasSubstr("can count"));
  EXPECT_THAT(fault(file_of_one("U8", "[18446744073709551615]", {})), HasSubstr("in range"));
}

TEST(SafetensorsTest, RefusesOffsetsThatDoNotCoverTheData) {
  const auto of = [](std::string_view a, std::string_view b) {
    return fault(file(fmt::format(R"({{"a":{{"dtype":"U8","shape":[2],"data_offsets":[{}]}},)"
                                  R"("b":{{"dtype":"U8","shape":[2],"data_offsets":[{}]}}}})",
                                  a, b),
                      {1, 2, 3, 4, 5}));
  };
  EXPECT_THAT(of("0,2", "1,3"), HasSubstr("b: shares bytes with another tensor"));
  EXPECT_THAT(of("0,2", "0,2"), HasSubstr("b: shares bytes with another tensor"));
  EXPECT_THAT(of("0,2", "3,5"), HasSubstr("b: leaves a gap"));
  EXPECT_THAT(of("1,3", "3,5"), HasSubstr("a: leaves a gap"));
  EXPECT_THAT(of("0,2", "2,4"), HasSubstr("1 bytes that belong to no tensor"));
  EXPECT_THAT(of("2,0", "2,4"), HasSubstr("a, data_offsets: is not a begin and an end"));
  EXPECT_THAT(of("0,2", "4,6"), HasSubstr("b, data_offsets: ends at byte 6 of 5"));
  EXPECT_THAT(of("0,2", "9223372036854775805,9223372036854775807"), HasSubstr("ends at byte"));
  EXPECT_THAT(of("-2,0", "2,4"), HasSubstr("not a whole number in range"));
  EXPECT_THAT(of("0,2", "18446744073709551614,0"), HasSubstr("not a whole number in range"));
}

TEST(SafetensorsTest, RefusesValuesThatAreNotFiniteWhenAskedForThem) {
  EXPECT_EQ(value_fault(file_of_one("F32", "[2]", {0, 0, 0, 0, 0, 0, 0xC0, 0x7F})),
            "a.st: x: has the value nan at index 1; give finite values");
  EXPECT_THAT(value_fault(file_of_one("F16", "[1]", {0, 0xFC})), HasSubstr("-inf at index 0"));
  EXPECT_THAT(value_fault(file_of_one("BF16", "[1]", {0x80, 0x7F})), HasSubstr("inf at index 0"));
}

TEST(SafetensorsTest, SaysStrangeNamesInOneShortLine) {
  const std::string name = std::string(300, 'x') + "\\n";
  EXPECT_THAT(fault(file(fmt::format("{{\"\\n{}\":1}}", name))),
              AllOf(StartsWith("a.st: ?xxx"), Not(HasSubstr("\n")), HasSubstr("x...: is not a")));
}

class WriteSafetensorsTest : public ::testing::Test {
 protected:
  std::string written(const Parameters& tensors,
                      const std::map<std::string, std::string>& metadata = {}) const {
    write_safetensors(tensors, metadata, path_);
    const MappedFile file(path_);
    return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
  }

  TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "a.safetensors";
};

TEST_F(WriteSafetensorsTest, WritesTheseBytes) {
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]},)"
      R"("b":{"data_offsets":[8,12],"dtype":"F32","shape":[]}}  )";
  const std::string length("\x88\0\0\0\0\0\0\0", 8);
  const std::string data("\0\0\x80\x3F\0\0\0\xC0\0\0\0\x80", 12);
  EXPECT_EQ(written({{"a", {{1, 2}, {1, -2}}}, {"b", {{}, {-0.0F}}}}, {{"k", "v"}}),
            length + header + data);
}

TEST_F(WriteSafetensorsTest, BeginsTheDataAtAMultipleOfEight) {
  for (std::size_t size = 1; size < 10; ++size) {
    const std::string file = written({{std::string(size, 'x'), {{1}, {1}}}});
    EXPECT_EQ((file.size() - sizeof(float)) % 8, 0U);
    EXPECT_EQ(file.substr(0, 8)[0], static_cast<char>(file.size() - sizeof(float) - 8));
  }
}

TEST_F(WriteSafetensorsTest, GivesBackWhatWasWritten) {
  const Parameters tensors{
      {"quote\" \xC3\xA9\n",
       {{2, 1, 2}, {std::numeric_limits<float>::denorm_min(), -0.0F, 3e38F, 4}}},
      {"empty", {{0, 7}, {}}},
      {"", {{1}, {5}}}};
  const std::map<std::string, std::string> metadata{{"note", "\"\t"}};
  write_safetensors(tensors, metadata, path_);
  const Safetensors read(path_);
  EXPECT_EQ(read.tensors(), tensors);
  EXPECT_TRUE(std::signbit(read.tensors().at("quote\" \xC3\xA9\n").values[1]));
  EXPECT_EQ(read.metadata(), metadata);
  EXPECT_EQ(written({}).size(), 16U);
  EXPECT_THAT(Safetensors(path_).entries(), IsEmpty());
}

TEST_F(WriteSafetensorsTest, RefusesTensorsThatAreNone) {
  EXPECT_THROW(written({{"a", {{2}, {1}}}}), std::invalid_argument);
  EXPECT_THROW(written({{"__metadata__", {{1}, {1}}}}), std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(WriteSafetensorsTest, ReadingNamesAFileThatIsNotThere) {
  EXPECT_THAT(fault_of([&] { Safetensors{path_}; }),
              AllOf(StartsWith(path_.string()), HasSubstr("cannot be read")));
}

TEST(SafetensorsTest, StoresWhatIsExactInSixteenBits) {
  const TemporaryFolder folder;
  const Parameters tensors{{"a", {{2, 2}, {1.5F, -0.0F, 65504, 0x1p-24F}}}, {"b", {{1}, {-2}}}};
  const auto path = folder.path() / "a.st";
  write_safetensors(tensors, {}, path, Storage::f16);
  const Safetensors read(path);
  EXPECT_EQ(read.entries().front().dtype, "F16");
  EXPECT_EQ(read.entries().front().bytes.size(), 8U);
  EXPECT_EQ(read.tensors(), tensors);
  for (const float value : {0.1F, 65536.0F, 0x1p-25F})
    EXPECT_THROW(write_safetensors({{"a", {{1}, {value}}}}, {}, path, Storage::f16),
                 std::invalid_argument);
  EXPECT_EQ(Safetensors(path).tensors(), tensors);
}

}  // namespace
}  // namespace qassay
