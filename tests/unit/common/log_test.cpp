#include "common/log/log.h"

#include <chrono>

#include <gtest/gtest.h>
#include <spdlog/details/log_msg.h>

#include "common/log/json_formatter.h"
#include "common/log/level.h"
#include "common/trace/trace.h"

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

// The line that JsonFormatter makes of `payload`, without time and thread.
std::string JsonLine(const std::string& payload) {
  spdlog::details::log_msg message("test.json", spdlog::level::info, payload);
  message.time = spdlog::log_clock::time_point(std::chrono::milliseconds(1'700'000'000'042));
  message.thread_id = 7;
  spdlog::memory_buf_t line;
  log::JsonFormatter().format(message, line);
  return {line.data(), line.size()};
}

constexpr char kJsonFront[] =
    R"({"ts":"2023-11-14T22:13:20.042Z","level":"info","logger":"test.json","thread":7,)";

TEST(LogTest, AJsonLineHoldsEventAndPairs) {
  EXPECT_EQ(JsonLine("block_committed block=5 took=" + log::Quoted("a \"b\"\nc=d")),
            std::string(kJsonFront) +
                R"("event":"block_committed","block":"5","took":"a \"b\"\nc=d"})" + "\n");
}

TEST(LogTest, AJsonLineKeepsWhatIsNoPair) {
  EXPECT_EQ(
      JsonLine("listening rpc=a:1 and more"),
      std::string(kJsonFront) + R"("event":"listening","rpc":"a:1","text":"and more"})" + "\n");
  EXPECT_EQ(JsonLine("(free text)"), std::string(kJsonFront) + R"-("text":"(free text)"})-" + "\n");
  EXPECT_EQ(JsonLine("cut a=\"no end"),
            std::string(kJsonFront) + R"("event":"cut","text":"a=\"no end"})" + "\n");
}

TEST(LogTest, AJsonLineCannotBeForged) {
  EXPECT_EQ(JsonLine("said level=error \xff"),
            std::string(kJsonFront) +
                "\"event\":\"said\",\"field_level\":\"error\",\"text\":\"\xef\xbf\xbd\"}\n");
}

TEST(LogTest, ALineSaysWhatItsThreadIsAtWorkOn) {
  const trace::Scope scope({.high = 1, .low = 2});
  const std::string named = "trace=00000000000000010000000000000002";

  EXPECT_EQ(JsonLine("block_committed"),
            std::string(kJsonFront) + R"("trace":"00000000000000010000000000000002",)" +
                R"("event":"block_committed"})" + "\n");
  ::testing::internal::CaptureStderr();
  log::Init({.to_stderr = true});
  log::Get("test.trace")->info("block_committed block=5");
  EXPECT_NE(::testing::internal::GetCapturedStderr().find(" " + named + " block_committed block=5"),
            std::string::npos);
}

TEST(LogTest, ALevelIsSetForALoggerAndThoseBelow) {
  const auto above = log::Get("level");
  const auto below = log::Get("level.below");
  const auto beside = log::Get("levelled");

  ASSERT_TRUE(log::SetLevel("level", "debug").ok());

  EXPECT_EQ(above->level(), spdlog::level::debug);
  EXPECT_EQ(below->level(), spdlog::level::debug);
  EXPECT_EQ(beside->level(), spdlog::level::info);
}

TEST(LogTest, ALevelOfAllIsOfThoseToComeToo) {
  const auto before = log::Get("level.before");

  ASSERT_TRUE(log::SetLevel("", "warn").ok());

  EXPECT_EQ(before->level(), spdlog::level::warn);
  EXPECT_EQ(log::Get("level.after")->level(), spdlog::level::warn);
  ASSERT_TRUE(log::SetLevel("", "info").ok());
}

TEST(LogTest, UnknownLevelsAndLoggersAreErrors) {
  EXPECT_EQ(log::SetLevel("", "loud").code(), Code::kInvalidArgument);
  EXPECT_EQ(log::SetLevel("nobody", "info").code(), Code::kNotFound);
}

}  // namespace
}  // namespace slipstream
