#include "processor/planner/table_options.h"

#include <gtest/gtest.h>

namespace slipstream::sql {
namespace {

using std::chrono::milliseconds;

TEST(TableOptionsTest, DurationsAsFlinkWritesThem) {
  EXPECT_EQ(ParseDuration("10 s").value(), milliseconds(10'000));
  EXPECT_EQ(ParseDuration("500ms").value(), milliseconds(500));
  EXPECT_EQ(ParseDuration(" 1 MIN ").value(), milliseconds(60'000));
  EXPECT_EQ(ParseDuration("2h").value(), milliseconds(7'200'000));
  EXPECT_EQ(ParseDuration("1 d").value(), milliseconds(86'400'000));
  EXPECT_EQ(ParseDuration("250").value(), milliseconds(250));
  EXPECT_EQ(ParseDuration("0").value(), milliseconds(0));
}

TEST(TableOptionsTest, WrongDurationsAreRefused) {
  for (const char* const text : {"",
                                 "s",
                                 "-1 s",
                                 "1.5 s",
                                 "1 fortnight",
                                 "99999999999999999999",
                                 "9223372036854775807 d",
                                 "1 s 2"}) {
    EXPECT_EQ(ParseDuration(text).status().code(), Code::kInvalidArgument) << text;
  }
}

TEST(TableOptionsTest, MemorySizesArePowersOf1024) {
  EXPECT_EQ(ParseMemorySize("128MB").value(), 128ULL << 20);
  EXPECT_EQ(ParseMemorySize("64 kb").value(), 64ULL << 10);
  EXPECT_EQ(ParseMemorySize("1g").value(), 1ULL << 30);
  EXPECT_EQ(ParseMemorySize("77").value(), 77ULL);
  EXPECT_FALSE(ParseMemorySize("128 potatoes").ok());
  EXPECT_FALSE(ParseMemorySize("99999999 tb").ok());
}

TEST(OptionReaderTest, TypedValuesAndFallbacks) {
  const Options options = {{"topic", "a; b ;;c"},
                           {"flag", "TRUE"},
                           {"count", " 7 "},
                           {"pause", "3 s"},
                           {"share", "0.25"},
                           {"mode", "LATEST-offset"},
                           {"properties.acks", "all"}};
  OptionReader reader("table t", options);
  static constexpr std::string_view kModes[] = {"earliest-offset", "latest-offset"};

  EXPECT_EQ(reader.GetList("topic"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(reader.GetBool("flag", false).value());
  EXPECT_EQ(reader.GetInt("count", 1, 0, 10).value(), 7);
  EXPECT_EQ(reader.GetInt("absent", 42, 0, 100).value(), 42);
  EXPECT_EQ(reader.GetShare("share", 1).value(), 0.25);
  EXPECT_EQ(reader.GetShare("absent", 1).value(), 1);
  EXPECT_EQ(reader.GetDuration("pause", milliseconds(1)).value(), milliseconds(3000));
  EXPECT_EQ(reader.GetOneOf("mode", "earliest-offset", kModes).value(), "latest-offset");
  EXPECT_EQ(reader.GetPrefixed("properties."),
            (std::vector<std::pair<std::string, std::string>>{{"acks", "all"}}));
  EXPECT_TRUE(reader.CheckAllKnown().ok());
}

TEST(OptionReaderTest, WrongValuesNameTableAndOption) {
  const Options options = {
      {"count", "11"}, {"flag", "yes"}, {"mode", "newest"}, {"empty", ""}, {"share", "1.5"}};
  OptionReader reader("table t", options);
  static constexpr std::string_view kModes[] = {"earliest-offset", "latest-offset"};

  EXPECT_EQ(reader.GetInt("count", 1, 0, 10).status().message(),
            "table t: 'count': '11' is not a whole number from 0 to 10");
  EXPECT_EQ(reader.GetShare("share", 1).status().message(),
            "table t: 'share': '1.5' is not a number from 0 to 1");
  EXPECT_FALSE(reader.GetBool("flag", false).ok());
  EXPECT_FALSE(reader.GetOneOf("mode", "earliest-offset", kModes).ok());
  EXPECT_FALSE(reader.GetString("empty").ok());
  EXPECT_EQ(reader.GetString("absent").status().message(), "table t: 'absent' is missing");
}

TEST(OptionReaderTest, UnknownOptionSuggestsTheNearest) {
  const Options options = {{"topic", "t"}, {"scan.statup.mode", "earliest-offset"}};
  OptionReader reader("table t", options);
  EXPECT_TRUE(reader.GetString("topic").ok());
  EXPECT_FALSE(reader.Has("scan.startup.mode"));

  EXPECT_EQ(reader.CheckAllKnown().message(),
            "table t: unknown option 'scan.statup.mode'; did you mean \"scan.startup.mode\"?");
}

}  // namespace
}  // namespace slipstream::sql
