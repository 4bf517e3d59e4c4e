#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "common/status/status.h"
#include "producer/flights/flight.h"

namespace slipstream::producer {

// Minutes since the day began for an hour and minute written as one number: "517" and "0517.0" are
// 317, "2400" is 1440, the day's end. Some files count a late flight's hours on ("2530" is half
// past one the next day), so hours go up to 47. Empty if it is no such number.
std::optional<int> ParseHourMinute(std::string_view text);

// The reverse, of a time within the day: 317 is 517; 1440 is 2400. `minutes` is in [0, 1440].
int ToHourMinute(int minutes);

// Computes the event time from year, month, day and sched_dep_time, and fills in what the layout
// lacked of hour, minute and time_hour (where there is a schedule). kInvalidArgument, for people,
// if the date or the schedule is none; the schedule is at most 2400.
Status SetSchedule(Flight& flight);

// Moves the flight in time: its event time, date, hour and, where `by` is not a whole number of
// days, its four clock times too. Then also a flight without sched_dep_time gets one: its event
// time is no longer the beginning of a day, and nothing else would tell.
void Shift(Flight& flight, std::chrono::minutes by);

}  // namespace slipstream::producer
