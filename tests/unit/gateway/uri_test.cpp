#include "gateway/http/uri.h"

#include <gtest/gtest.h>

namespace slipstream::gateway::http {
namespace {

TEST(UriTest, DecodesWhatClientsEncode) {
  EXPECT_EQ(PercentDecode("/a%20b%25/%C3%A9", Plus::kIsPlus).value(), "/a b%/\xc3\xa9");
  EXPECT_EQ(PercentDecode("a+b", Plus::kIsPlus).value(), "a+b");
  EXPECT_EQ(PercentDecode("a+b", Plus::kIsSpace).value(), "a b");
  for (const char* bad : {"%", "%2", "%zz", "a%", "%%20"}) {
    EXPECT_EQ(PercentDecode(bad, Plus::kIsPlus).status().code(), Code::kInvalidArgument) << bad;
  }
}

TEST(UriTest, WhatIsEncodedIsDecodedTheSame) {
  std::string all;
  for (int c = 0; c < 256; ++c)
    all += static_cast<char>(c);
  EXPECT_EQ(PercentDecode(EncodePath(all), Plus::kIsPlus).value(), all);
  const Query query = {{"a b", all}, {"c", ""}};
  EXPECT_EQ(ParseQuery(EncodeQuery(query)).value(), query);
}

TEST(UriTest, QueriesAreReadInOrder) {
  const Query expected = {{"op", "OPEN"}, {"x", "a=b"}, {"y", ""}};
  EXPECT_EQ(ParseQuery("op=OPEN&&x=a=b&y").value(), expected);
  EXPECT_TRUE(ParseQuery("").value().empty());
  EXPECT_EQ(ParseQuery("op=%").status().code(), Code::kInvalidArgument);
  std::string many;
  for (size_t i = 0; i <= kQueryParametersMax; ++i)
    many += "&a=1";
  EXPECT_EQ(ParseQuery(many).status().code(), Code::kInvalidArgument);
}

TEST(UriTest, AHostCannotCarryAHeader) {
  EXPECT_TRUE(IsHost("gateway.example:9870"));
  EXPECT_TRUE(IsHost("[::1]:9870"));
  for (const char* bad : {"", "a\r\nb", "a/b", "a@b", "a b", "a?b"})
    EXPECT_FALSE(IsHost(bad)) << bad;
}

}  // namespace
}  // namespace slipstream::gateway::http
