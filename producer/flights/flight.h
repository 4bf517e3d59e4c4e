#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipstream::producer {

// A time in the data: what a wall clock showed, without a zone.
using EventTime = std::chrono::local_time<std::chrono::milliseconds>;

// The 21 fields of a flight, in the order in which files and messages have them.
enum class Field : uint8_t {
  kId,
  kYear,
  kMonth,
  kDay,
  kDepTime,
  kSchedDepTime,
  kDepDelay,
  kArrTime,
  kSchedArrTime,
  kArrDelay,
  kCarrier,
  kFlight,
  kTailnum,
  kOrigin,
  kDest,
  kAirTime,
  kDistance,
  kHour,
  kMinute,
  kTimeHour,
  kName,
};
inline constexpr size_t kFieldCount = 21;

// "id", "year", …
std::string_view FieldName(Field field);
std::optional<Field> FieldNamed(std::string_view name);
// Carrier, tail number, airports, hour of the schedule and name are text; the rest are numbers.
bool IsText(Field field);

// Flight: one row, field by field, as text.
//
// Shape       A number is kept as its file spells it ("517.0", "0900"): ParseInteger and the
//             encoders know what it means. A missing field is a view whose data() is null.
// Ownership   Set() borrows; SetInteger() and SetCopy() keep their text in the flight itself.
//             Not copyable, since its views may point into it.
class Flight final {
 public:
  static constexpr size_t kTextBytesMax = 254;  // of one field

  Flight() = default;
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  void Clear();
  std::string_view Get(Field field) const { return text_[Index(field)]; }
  bool Has(Field field) const { return text_[Index(field)].data() != nullptr; }
  void Set(Field field, std::string_view text) { text_[Index(field)] = text; }
  void SetMissing(Field field) { text_[Index(field)] = {}; }
  void SetInteger(Field field, int64_t value);
  void SetCopy(Field field, std::string_view text);

  // Scheduled departure, local to the origin; the day's beginning where the schedule is missing.
  EventTime event_time() const { return event_time_; }
  void set_event_time(EventTime time) { event_time_ = time; }

  // Puts the fields, packed, behind `out`: what Unpack() of a later process of the same build
  // reads. Every field must have at most kTextBytesMax bytes.
  void PackTo(std::string& out) const;
  // Borrows from `packed`, which PackTo wrote.
  void Unpack(std::string_view packed);

 private:
  static size_t Index(Field field) { return static_cast<size_t>(field); }

  std::array<std::string_view, kFieldCount> text_{};
  EventTime event_time_{};
  size_t scratch_used_ = 0;
  std::array<char, 512> scratch_{};
};

// What a number field says if it is a whole number: "517", "-5.0" and "0900" are; nothing else
// than an optional sign, digits and a fraction of zeros is.
std::optional<int64_t> ParseInteger(std::string_view text);

// Whether `text` is a number at all: an optional sign, digits, perhaps a fraction; at most 24
// characters.
bool IsNumber(std::string_view text);

}  // namespace slipstream::producer
