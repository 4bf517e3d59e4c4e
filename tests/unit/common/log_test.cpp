#include "common/log/log.h"

#include <gtest/gtest.h>

namespace slipstream {
namespace {

TEST(LogTest, QuotedTextCannotForgeALine) {
  EXPECT_EQ(log::Quoted("a \"b\"\nlevel=error\x01"), R"("a \"b\"\nlevel=error\x01")");
}

TEST(LogTest, QuotedTextIsBounded) {
  EXPECT_LT(log::Quoted(std::string(1 << 20, 'x')).size(), 600U);
}

TEST(LogTest, TheSameNameIsTheSameLogger) {
  EXPECT_EQ(log::Get("test.one").get(), log::Get("test.one").get());
  EXPECT_NE(log::Get("test.one").get(), log::Get("test.two").get());
}

}  // namespace
}  // namespace slipstream
