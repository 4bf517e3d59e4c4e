#include "common/net/host_port.h"

#include <gtest/gtest.h>

namespace slipstream {
namespace {

TEST(HostPortTest, NamesAndAddressesAreTakenApartAndPutTogether) {
  for (const char* text : {"localhost:0", "127.0.0.1:7400", "a-b.c_d:65535", "[::1]:7400"}) {
    Result<HostPort> parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->ToString(), text);
  }
  EXPECT_EQ(ParseHostPort("[::1]:7400")->host, "::1");
}

TEST(HostPortTest, EverythingElseIsRefused) {
  for (const char* text : {"",
                           "host",
                           "host:",
                           ":1",
                           "host:65536",
                           "host:-1",
                           "host:1x",
                           "::1:7400",
                           "[::1:7400",
                           "[nothing]:1",
                           "ho st:1",
                           "host/path:1",
                           "unix:/tmp/x:1"}) {
    EXPECT_EQ(ParseHostPort(text).status().code(), Code::kInvalidArgument) << text;
  }
}

TEST(HostPortTest, BeyondLoopbackWantsToBeAllowed) {
  EXPECT_TRUE(IsLoopback("127.3.2.1"));
  EXPECT_TRUE(IsLoopback("::1"));
  EXPECT_FALSE(IsLoopback("0.0.0.0"));
  EXPECT_FALSE(IsLoopback("127.0.0.1.example.org"));

  HostPort everywhere{.host = "0.0.0.0", .port = 1};
  EXPECT_EQ(CheckListenAddress("--listen", everywhere, GuardOf("", false)).code(),
            Code::kInvalidArgument);
  EXPECT_TRUE(CheckListenAddress("--listen", everywhere, GuardOf("", true)).ok());
  EXPECT_TRUE(CheckListenAddress("--listen", everywhere, GuardOf("/tls", false)).ok());
}

TEST(HostPortTest, OthersAreToldTheHostOfOneThatListensEverywhere) {
  EXPECT_EQ(ReachedAt({.host = "0.0.0.0", .port = 7411}, "lab3").ToString(), "lab3:7411");
  EXPECT_EQ(ReachedAt({.host = "::", .port = 7411}, "::1").ToString(), "[::1]:7411");
  EXPECT_EQ(ReachedAt({.host = "127.0.0.1", .port = 7411}, "lab3").ToString(), "127.0.0.1:7411");
  EXPECT_FALSE(OwnHostName().value_or("").empty());
}

}  // namespace
}  // namespace slipstream
