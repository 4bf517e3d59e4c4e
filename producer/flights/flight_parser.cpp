#include "producer/flights/flight_parser.h"

#include <optional>

#include <fmt/format.h>

#include "producer/flights/carriers.h"
#include "producer/flights/schedule.h"

namespace slipstream::producer {
namespace {

constexpr int64_t kIdMax = 1'000'000'000'000'000;  // leaves room for a loop to count on

bool IsMissing(std::string_view text) {
  return text.empty() || (text.size() == 2 && (text == "NA" || text == "\\N"));
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

// The scheduled time of day, where only the actual one and the delay are told.
void RebuildSchedule(Flight& flight, Field schedule, Field actual, Field delay) {
  constexpr int64_t kMinutesPerDay = 24 * 60;
  std::optional<int> time = ParseHourMinute(flight.Get(actual));
  std::optional<int64_t> late = ParseInteger(flight.Get(delay));
  constexpr int64_t kLateMax = 30 * kMinutesPerDay;
  if (!time || !late || *late < -kLateMax || *late > kLateMax) return;
  int64_t minutes = (*time - *late) % kMinutesPerDay;
  if (minutes < 0) minutes += kMinutesPerDay;
  flight.SetInteger(schedule, ToHourMinute(static_cast<int>(minutes)));
}

Status SetFields(const Layout& layout, std::span<const std::string_view> row, Flight& flight) {
  for (size_t i = 0; i < kFieldCount; ++i) {
    auto field = static_cast<Field>(i);
    int column = layout.column(field);
    if (column < 0) continue;
    std::string_view text = Trim(row[static_cast<size_t>(column)]);
    if (IsMissing(text)) continue;
    if (IsText(field)) {
      if (text.size() > Flight::kTextBytesMax) {
        return InvalidArgument(fmt::format(
            "{} has {} bytes, more than {}", FieldName(field), text.size(), Flight::kTextBytesMax));
      }
    } else if (!IsNumber(text)) {
      return InvalidArgument(fmt::format("{} is not a number", FieldName(field)));
    }
    flight.Set(field, text);
  }
  return {};
}

}  // namespace

Status ParseFlight(const Layout& layout,
                   std::span<const std::string_view> row,
                   uint64_t running_number,
                   Flight& flight) {
  flight.Clear();
  size_t columns = layout.columns();
  bool has_comma_at_end = row.size() == columns + 1 && row.back().empty();
  if (row.size() != columns && !has_comma_at_end) {
    return InvalidArgument(fmt::format("the row has {} fields instead of {}", row.size(), columns));
  }
  RETURN_IF_ERROR(SetFields(layout, row, flight));
  if (layout.column(Field::kId) < 0) {
    flight.SetInteger(Field::kId, static_cast<int64_t>(running_number));
  } else if (std::optional<int64_t> id = ParseInteger(flight.Get(Field::kId));
             !id || *id < 0 || *id > kIdMax) {
    return InvalidArgument("id is not a whole number from 0 to 10^15");
  }
  if (layout.column(Field::kSchedDepTime) < 0) {
    RebuildSchedule(flight, Field::kSchedDepTime, Field::kDepTime, Field::kDepDelay);
  }
  if (layout.column(Field::kSchedArrTime) < 0) {
    RebuildSchedule(flight, Field::kSchedArrTime, Field::kArrTime, Field::kArrDelay);
  }
  if (layout.column(Field::kName) < 0) {
    std::string_view name = CarrierName(flight.Get(Field::kCarrier));
    if (!name.empty()) flight.Set(Field::kName, name);
  }
  return SetSchedule(flight);
}

}  // namespace slipstream::producer
