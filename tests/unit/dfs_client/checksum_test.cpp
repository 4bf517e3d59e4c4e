#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "common/crc32c/crc32c.h"
#include "dfs-client/hdfs_checksum.h"
#include "dfs-client/md5.h"
#include "tests/unit/dfs_client/test_bytes.h"

namespace slipstream::dfs {
namespace {

std::string Hex(const std::string& bytes) {
  std::string hex;
  for (const char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  return hex;
}

std::string Md5Of(const std::string& text) {
  Md5 md5;
  md5.Append(text);
  return Hex(md5.Finish());
}

// As a client with blocks of `block_bytes` would compute it.
FileChecksum ChecksumOf(const std::string& content, size_t block_bytes) {
  HdfsChecksum checksum;
  for (size_t begin = 0; begin < content.size(); begin += block_bytes) {
    const size_t end = std::min(content.size(), begin + block_bytes);
    for (size_t at = begin; at < end;) {
      const size_t piece = std::min<size_t>(end - at, checksum.room_bytes());
      checksum.Add(Crc32c(std::string_view(content).substr(at, piece)),
                   static_cast<uint32_t>(piece));
      at += piece;
    }
  }
  return checksum.Finish();
}

// RFC 1321, A.5.
TEST(Md5Test, TheSuiteOfItsRfc) {
  EXPECT_EQ(Md5Of(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Md5Of("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Md5Of("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(Md5Of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
            "d174ab98d277d9f5a5611c2c9f419d9f");
  EXPECT_EQ(Md5Of("1234567890123456789012345678901234567890"
                  "1234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a");
}

TEST(Md5Test, PiecesDoNotMatter) {
  const std::string bytes = RandomBytes(1000, 1);
  for (size_t piece : {1U, 55U, 56U, 63U, 64U, 65U, 129U}) {
    Md5 md5;
    for (size_t at = 0; at < bytes.size(); at += piece)
      md5.Append(std::string_view(bytes).substr(at, piece));
    EXPECT_EQ(Hex(md5.Finish()), Md5Of(bytes)) << piece;
  }
}

// What Hadoop's own shell shows for its test file of 15 bytes.
TEST(HdfsChecksumTest, IsThatOfHdfs) {
  const FileChecksum checksum = ChecksumOf("12345678901234\n", 1000);

  EXPECT_EQ(checksum.algorithm, "MD5-of-0MD5-of-512CRC32C");
  EXPECT_EQ(Hex(checksum.bytes), "0000020000000000000000007267e9528002723a30939aefc238d665");
}

TEST(HdfsChecksumTest, OfAnEmptyFileIsThatOfHdfs) {
  const FileChecksum checksum = HdfsChecksum().Finish();

  EXPECT_EQ(checksum.algorithm, "MD5-of-0MD5-of-0CRC32");
  EXPECT_EQ(Hex(checksum.bytes), "00000000000000000000000070bc8f4b72a86921468bf8e8441dce51");
}

TEST(HdfsChecksumTest, DoesNotDependOnOurBlocks) {
  const std::string content = RandomBytes(10'000, 2);
  const FileChecksum whole = ChecksumOf(content, content.size());

  for (size_t block_bytes : {1U, 100U, 511U, 512U, 513U, 1024U, 9999U})
    EXPECT_EQ(ChecksumOf(content, block_bytes), whole) << block_bytes;
}

// Two logical blocks: the number of chunks of one is part of the name, and each has its own MD5.
TEST(HdfsChecksumTest, OfSeveralBlocksNamesTheirChunks) {
  HdfsChecksum checksum;
  for (uint64_t i = 0; i <= HdfsChecksum::kBlockBytes / HdfsChecksum::kChunkBytes; ++i)
    checksum.Add(static_cast<uint32_t>(i), HdfsChecksum::kChunkBytes);

  const FileChecksum made = checksum.Finish();

  EXPECT_EQ(made.algorithm, "MD5-of-262144MD5-of-512CRC32C");
  EXPECT_EQ(Hex(made.bytes).substr(0, 24), "000002000000000000040000");
}

}  // namespace
}  // namespace slipstream::dfs
