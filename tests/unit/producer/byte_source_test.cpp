#include "producer/csv/byte_source.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/unit/producer/test_sources.h"

namespace slipstream::producer {
namespace {

Result<std::string> ReadAll(ByteSource& source) {
  std::string all;
  std::array<char, 1000> part{};
  while (true) {
    ASSIGN_OR_RETURN(size_t count, source.Read(part));
    if (count == 0) return all;
    all.append(part.data(), count);
  }
}

Result<std::string> ReadThrough(std::string bytes, size_t chunk = 7) {
  ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source,
                   Decompress(std::make_unique<StringSource>(std::move(bytes), chunk)));
  return ReadAll(*source);
}

std::string LongText() {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += std::to_string(i * 7919) + ",";
  return text;
}

TEST(ByteSourceTest, PlainBytesComeAsTheyAre) {
  EXPECT_EQ(ReadThrough("a,b\n"), "a,b\n");
  EXPECT_EQ(ReadThrough("a"), "a");
  EXPECT_EQ(ReadThrough(""), "");
}

TEST(ByteSourceTest, GzipAndZstdAreRecognisedByTheirFirstBytes) {
  std::string text = LongText();

  EXPECT_EQ(ReadThrough(Gzip(text), 1000), text);
  EXPECT_EQ(ReadThrough(Zstd(text), 1000), text);
}

TEST(ByteSourceTest, CompressedMembersInARowAreOneFile) {
  EXPECT_EQ(ReadThrough(Gzip("one,") + Gzip("") + Gzip("two")), "one,two");
  EXPECT_EQ(ReadThrough(Zstd("one,") + Zstd("") + Zstd("two")), "one,two");
}

TEST(ByteSourceTest, ACompressedFileCutOffAnywhereIsDamaged) {
  for (const std::string& whole : {Gzip("some text, some text"), Zstd("some text, some text")}) {
    for (size_t size = 4; size < whole.size(); ++size) {
      EXPECT_EQ(ReadThrough(whole.substr(0, size)).status().code(), Code::kDataLoss) << size;
    }
  }
}

TEST(ByteSourceTest, AFileThatIsNotThereIsNotFound) {
  EXPECT_EQ(OpenByteSource("/nowhere/flights.csv").status().code(), Code::kNotFound);
  EXPECT_EQ(CheckReadable("/nowhere/flights.csv").code(), Code::kNotFound);
}

}  // namespace
}  // namespace slipstream::producer
