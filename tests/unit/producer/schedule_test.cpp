#include "producer/flights/schedule.h"

#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"

namespace slipstream::producer {
namespace {

using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::minutes;
using std::literals::chrono_literals::operator""y;

EventTime At(std::chrono::year_month_day date, int hour, int minute) {
  return local_days(date) + hours(hour) + minutes(minute);
}

void SetDate(Flight& flight, int year, int month, int day) {
  flight.SetInteger(Field::kYear, year);
  flight.SetInteger(Field::kMonth, month);
  flight.SetInteger(Field::kDay, day);
}

TEST(ScheduleTest, HourMinuteFormsOfRealFiles) {
  EXPECT_EQ(ParseHourMinute("517"), 5 * 60 + 17);
  EXPECT_EQ(ParseHourMinute("517.0"), 5 * 60 + 17);
  EXPECT_EQ(ParseHourMinute("0900"), 9 * 60);
  EXPECT_EQ(ParseHourMinute("0005"), 5);
  EXPECT_EQ(ParseHourMinute("5"), 5);
  EXPECT_EQ(ParseHourMinute("2354.0"), 23 * 60 + 54);
  EXPECT_EQ(ParseHourMinute("2400"), 24 * 60);
  for (const char* bad : {"", "560", "2460", "4800", "-1", "517.5", "5:17", "NA"}) {
    EXPECT_EQ(ParseHourMinute(bad), std::nullopt) << bad;
  }
}

TEST(ScheduleTest, EventTimeIsDateAndSchedule) {
  Flight flight;
  SetDate(flight, 2013, 1, 1);
  flight.Set(Field::kSchedDepTime, "515");

  ASSERT_OK(SetSchedule(flight));

  EXPECT_EQ(flight.event_time(), At(2013y / 1 / 1, 5, 15));
  EXPECT_EQ(flight.Get(Field::kHour), "5");
  EXPECT_EQ(flight.Get(Field::kMinute), "15");
  EXPECT_EQ(flight.Get(Field::kTimeHour), "2013-01-01 05:00:00");
}

TEST(ScheduleTest, WithoutAScheduleItIsTheDaysBeginning) {
  Flight flight;
  SetDate(flight, 2013, 1, 1);

  ASSERT_OK(SetSchedule(flight));

  EXPECT_EQ(flight.event_time(), At(2013y / 1 / 1, 0, 0));
  EXPECT_FALSE(flight.Has(Field::kTimeHour));
}

TEST(ScheduleTest, TwentyFourHundredIsTheEndOfTheDay) {
  Flight flight;
  SetDate(flight, 2013, 12, 31);
  flight.Set(Field::kSchedDepTime, "2400");

  ASSERT_OK(SetSchedule(flight));

  EXPECT_EQ(flight.event_time(), At(2014y / 1 / 1, 0, 0));
  EXPECT_EQ(flight.Get(Field::kTimeHour), "2014-01-01 00:00:00");
}

TEST(ScheduleTest, ImpossibleDatesAndTimesAreRefused) {
  for (auto [year, month, day] : {std::tuple(2013, 2, 29), {2013, 13, 1}, {99, 1, 1}}) {
    Flight flight;
    SetDate(flight, year, month, day);
    EXPECT_EQ(SetSchedule(flight).code(), Code::kInvalidArgument);
  }
  Flight flight;
  SetDate(flight, 2013, 1, 1);
  flight.Set(Field::kSchedDepTime, "2401");
  EXPECT_EQ(SetSchedule(flight).code(), Code::kInvalidArgument);
}

TEST(ScheduleTest, AShiftByDaysLeavesTheClocksAlone) {
  Flight flight;
  SetDate(flight, 2013, 12, 31);
  flight.Set(Field::kSchedDepTime, "2400");
  flight.Set(Field::kDepTime, "5.0");
  ASSERT_OK(SetSchedule(flight));

  Shift(flight, std::chrono::days(1));

  EXPECT_EQ(flight.event_time(), At(2014y / 1 / 2, 0, 0));
  EXPECT_EQ(flight.Get(Field::kYear), "2014");
  EXPECT_EQ(flight.Get(Field::kDay), "1");
  EXPECT_EQ(flight.Get(Field::kSchedDepTime), "2400");
  EXPECT_EQ(flight.Get(Field::kDepTime), "5.0");
}

TEST(ScheduleTest, AShiftByMinutesTurnsTheClocks) {
  Flight flight;
  SetDate(flight, 2013, 1, 1);
  flight.Set(Field::kSchedDepTime, "2250");
  flight.Set(Field::kDepTime, "2255.0");
  flight.Set(Field::kArrTime, "130.0");
  ASSERT_OK(SetSchedule(flight));

  Shift(flight, minutes(70));

  EXPECT_EQ(flight.event_time(), At(2013y / 1 / 2, 0, 0));
  EXPECT_EQ(flight.Get(Field::kDay), "2");
  EXPECT_EQ(flight.Get(Field::kSchedDepTime), "0");
  EXPECT_EQ(flight.Get(Field::kDepTime), "5");
  EXPECT_EQ(flight.Get(Field::kArrTime), "240");
  EXPECT_FALSE(flight.Has(Field::kSchedArrTime));
}

// Else its event time would be read as the beginning of its new day, out of order.
TEST(ScheduleTest, AShiftByMinutesGivesACancelledFlightASchedule) {
  Flight flight;
  SetDate(flight, 2013, 1, 1);
  ASSERT_OK(SetSchedule(flight));

  Shift(flight, minutes(-90));

  EXPECT_EQ(flight.event_time(), At(2012y / 12 / 31, 22, 30));
  EXPECT_EQ(flight.Get(Field::kSchedDepTime), "2230");
  EXPECT_FALSE(flight.Has(Field::kDepTime));
}

TEST(FlightTest, PackedAndUnpackedIsTheSame) {
  Flight flight;
  SetDate(flight, 2013, 1, 1);
  flight.Set(Field::kCarrier, "UA");
  flight.Set(Field::kName, "");
  std::string packed;
  flight.PackTo(packed);

  Flight unpacked;
  unpacked.Unpack(packed);

  for (size_t i = 0; i < kFieldCount; ++i) {
    auto field = static_cast<Field>(i);
    EXPECT_EQ(unpacked.Get(field), flight.Get(field));
    EXPECT_EQ(unpacked.Has(field), flight.Has(field));
  }
}

}  // namespace
}  // namespace slipstream::producer
