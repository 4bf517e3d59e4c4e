#include "common/crc32c/crc32c.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace slipstream {
namespace {

std::string RandomBytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

// One bit at a time, straight from the definition: the oracle.
uint32_t BitwiseCrc32c(std::string_view data) {
  uint32_t crc = 0xffffffff;
  for (char byte : data) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

// The vectors of RFC 3720, appendix B.4.
TEST(Crc32cTest, MatchesThePublishedVectors) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(Crc32c(""), 0U);
}

TEST(Crc32cTest, EveryLengthAndAlignmentAgreesWithTheDefinition) {
  std::string bytes = RandomBytes(20'000, 1);
  for (size_t size : {1U, 7U, 8U, 9U, 63U, 2047U, 2048U, 6143U, 6144U, 6145U, 12'289U, 19'990U}) {
    for (size_t start : {0U, 1U, 3U}) {
      std::string_view part = std::string_view(bytes).substr(start, size);
      EXPECT_EQ(Crc32c(part), BitwiseCrc32c(part)) << "start=" << start << " size=" << size;
    }
  }
}

TEST(Crc32cTest, ExtendingEqualsComputingAtOnce) {
  std::string bytes = RandomBytes(10'000, 2);
  std::string_view all = bytes;

  uint32_t crc = ExtendCrc32c(Crc32c(all.substr(0, 777)), all.substr(777));

  EXPECT_EQ(crc, Crc32c(all));
}

TEST(Crc32cTest, CombiningEqualsComputingAtOnce) {
  std::string bytes = RandomBytes(10'000, 3);
  std::string_view all = bytes;
  for (size_t cut : {0U, 1U, 8U, 4096U, 9999U, 10'000U}) {
    uint32_t front = Crc32c(all.substr(0, cut));
    uint32_t back = Crc32c(all.substr(cut));

    EXPECT_EQ(CombineCrc32c(front, back, all.size() - cut), Crc32c(all)) << "cut=" << cut;
  }
}

}  // namespace
}  // namespace slipstream
