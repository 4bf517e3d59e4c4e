#include "processor/runtime/dead_letter.h"

#include <string>

#include <gtest/gtest.h>

namespace slipstream::runtime {
namespace {

constexpr size_t kBrokerBytesMax = 1'000'000;

bool IsTruncated(const DeadLetter& letter) {
  return letter.headers().back().name == "slipstream.truncated";
}

size_t Bytes(const DeadLetter& letter) {
  size_t bytes = letter.key().value_or("").size() + letter.value().value_or("").size();
  for (const kafka::Header& header : letter.headers())
    bytes += header.name.size() + header.value.size();
  return bytes;
}

TEST(DeadLetterTest, KeepsTheRecordAndSaysWhereItIsFrom) {
  const DeadLetter letter(
      {"flights", 2}, {.key = "k", .value = "v", .offset = 17}, "not a JSON object");

  EXPECT_EQ(letter.key(), "k");
  EXPECT_EQ(letter.value(), "v");
  ASSERT_EQ(letter.headers().size(), 4U);
  EXPECT_EQ(letter.headers()[0].value, "flights");
  EXPECT_EQ(letter.headers()[1].value, "2");
  EXPECT_EQ(letter.headers()[2].value, "17");
  EXPECT_EQ(letter.headers()[3].value, "not a JSON object");
}

TEST(DeadLetterTest, AMissingKeyOrValueStaysMissing) {
  const DeadLetter letter({"flights", 0}, {}, "no value");
  EXPECT_FALSE(letter.key());
  EXPECT_FALSE(letter.value());
}

// Each within bounds, together too large: refused by the broker at every try, they would stop the
// job for good.
TEST(DeadLetterTest, KeyAndValueTogetherFitInARecord) {
  const std::string error(5'000, 'e');
  for (const auto& [key_bytes, value_bytes] : {std::pair<size_t, size_t>(800'000, 800'000),
                                               std::pair<size_t, size_t>(50'000, 899'999),
                                               std::pair<size_t, size_t>(990'000, 5),
                                               std::pair<size_t, size_t>(0, 990'000)}) {
    const std::string key(key_bytes, 'k');
    const std::string value(value_bytes, 'v');
    const DeadLetter letter({"flights", 0}, {.key = key, .value = value}, error);

    EXPECT_LT(Bytes(letter), kBrokerBytesMax - 10'000) << key_bytes << " " << value_bytes;
    EXPECT_TRUE(IsTruncated(letter));
    EXPECT_FALSE(letter.value()->empty());
    EXPECT_EQ(letter.key().value_or(key), key);
  }
}

}  // namespace
}  // namespace slipstream::runtime
