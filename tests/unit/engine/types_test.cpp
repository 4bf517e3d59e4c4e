#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/integer_range.h"
#include "processor/types/number_text.h"
#include "processor/types/utf8.h"

namespace slipstream::sql {
namespace {

TEST(DateTimeTest, DaysAndCivilDatesAreInverse) {
  CivilDate expected{.year = 1, .month = 1, .day = 1};
  for (int64_t days = DaysFromCivil(expected); expected.year < 2101; ++days) {
    const CivilDate date = CivilFromDays(days);
    ASSERT_EQ(date.year, expected.year) << days;
    ASSERT_EQ(date.month, expected.month) << days;
    ASSERT_EQ(date.day, expected.day) << days;
    ASSERT_EQ(DaysFromCivil(date), days);
    if (++expected.day > DaysInMonth(expected.year, expected.month)) {
      expected.day = 1;
      expected.month = expected.month % 12 + 1;
      if (expected.month == 1) ++expected.year;
    }
  }
}

TEST(DateTimeTest, TimestampsAreReadAsTheyAreWritten) {
  for (const char* text : {"1970-01-01 00:00:00.000000",
                           "1969-12-31 23:59:59.999999",
                           "2013-02-28 05:17:00.120000",
                           "0001-01-01 00:00:00.000000"}) {
    const std::optional<int64_t> micros = ParseTimestamp(text);
    ASSERT_TRUE(micros) << text;
    EXPECT_EQ(FormatTimestamp(*micros, 6), text);
  }
  EXPECT_EQ(ParseTimestamp("1969-12-31 23:59:59"), -kMicrosPerSecond);
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:01.5"), 1'500'000);
  EXPECT_EQ(ParseTimestamp("1970-1-1 0:0:1.5"), 1'500'000);
  EXPECT_EQ(ParseTimestamp("1970-01-01 00:00:00.123456789"), 123'456);
}

TEST(DateTimeTest, WhatIsNoTimeIsRefused) {
  for (const char* text : {"",
                           "2020",
                           "2020-13-01",
                           "2020-02-30 00:00:00",
                           "2020-01-01 24:00:00",
                           "2020-01-01 00:60:00",
                           "2020-01-01 00:00:00.",
                           "2020-01-01 00:00:00,5",
                           "2020-01-01 00:00:00.5x",
                           "2020-01-01_00:00:00",
                           "2020-01-01 0:000:00",
                           "2020-01-01 00:00:00Z",
                           "2020-01-01 ",
                           "0000-01-01",
                           "2020-01-01  00:00:00",
                           "-2020-01-01"}) {
    EXPECT_FALSE(ParseTimestamp(text)) << text;
  }
}

TEST(DecimalTest, ReadsRoundsAndWrites) {
  EXPECT_EQ(ParseDecimal("12.345", 2), Int128{1235});
  EXPECT_EQ(ParseDecimal("-12.345", 2), Int128{-1235});
  EXPECT_EQ(ParseDecimal("1e3", 0), Int128{1000});
  EXPECT_EQ(ParseDecimal(".5", 0), Int128{1});
  EXPECT_EQ(ParseDecimal("1e-60", 2), Int128{0});
  EXPECT_FALSE(ParseDecimal("1e60", 2));
  // Rounded up it has 39 digits.
  EXPECT_FALSE(ParseDecimal("99999999999999999999999999999999999999.5", 0));
  EXPECT_FALSE(ParseDecimal("1.2.3", 2));
  EXPECT_FALSE(ParseDecimal("", 2));
  EXPECT_FALSE(ParseDecimal("-", 2));
  EXPECT_EQ(FormatDecimal(-5, 2), "-0.05");
  EXPECT_EQ(FormatDecimal(123, 0), "123");
}

TEST(DecimalTest, MultiplyDivideAgreesWithSmallNumbers) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 10'000; ++i) {
    const auto a = static_cast<int64_t>(random() % 2'000'001) - 1'000'000;
    const auto b = static_cast<int64_t>(random() % 2'000'001) - 1'000'000;
    const auto c = static_cast<int64_t>(random() % 2'000) + 1;
    const auto expected = static_cast<int64_t>(std::round(
        static_cast<long double>(a) * static_cast<long double>(b) / static_cast<long double>(c)));
    EXPECT_EQ(MultiplyDivide(a, b, c), Int128{expected}) << a << " " << b << " " << c;
  }
}

TEST(DecimalTest, MultiplyDivideHasNoIntermediateOverflow) {
  const Int128 big = PowerOfTen(37);
  EXPECT_EQ(MultiplyDivide(big, big, big), big);
  EXPECT_FALSE(MultiplyDivide(big, big, 1));
}

TEST(DecimalTest, ProductsOfManyDigitsAreRoundedOnce) {
  const Int128 big = PowerOfTen(37);
  EXPECT_EQ(MultiplyScaled(5 * big, big, 75), 1);               // 0.5
  EXPECT_EQ(MultiplyScaled(5 * big - 1, big, 75), 0);           // a little less
  EXPECT_EQ(MultiplyScaled(-25 * PowerOfTen(36), 10, 38), -3);  // -2.5
  EXPECT_EQ(MultiplyScaled(4 * big, big, 73), 40);              // 40
  EXPECT_EQ(MultiplyScaled(9 * big, 9 * big, 39), 81 * PowerOfTen(35));
  EXPECT_EQ(MultiplyScaled(1, 1, -1), std::nullopt);
}

TEST(NumberTextTest, DoublesReadBackAsTheyWere) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    const double value =
        std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 130);
    EXPECT_EQ(ParseDouble(FormatDouble(value)), value) << FormatDouble(value);
  }
  EXPECT_EQ(FormatDouble(-0.0), "-0.0");
  EXPECT_EQ(FormatDouble(9999999.0), "9999999.0");
  EXPECT_EQ(FormatDouble(12345678.0), "1.2345678E7");
}

TEST(Utf8Test, CountsCharactersAndJudgesBytes) {
  EXPECT_EQ(CountCharacters("aé😀"), 3U);
  EXPECT_EQ(FirstCharacters("aé😀", 2), "aé");
  EXPECT_TRUE(IsValidUtf8("aé😀"));
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

TEST(IntegerRangeTest, EndsWhereTheTypeDoes) {
  const auto expect_range = [](TypeKind kind, int64_t min, int64_t max) {
    EXPECT_TRUE(FitsInteger(min, kind) && FitsInteger(max, kind)) << max;
    EXPECT_FALSE(FitsInteger(Int128{min} - 1, kind) || FitsInteger(Int128{max} + 1, kind)) << max;
  };
  expect_range(TypeKind::kTinyInt, INT8_MIN, INT8_MAX);
  expect_range(TypeKind::kSmallInt, INT16_MIN, INT16_MAX);
  expect_range(TypeKind::kInt, INT32_MIN, INT32_MAX);
  expect_range(TypeKind::kBigInt, INT64_MIN, INT64_MAX);
}

}  // namespace
}  // namespace slipstream::sql
