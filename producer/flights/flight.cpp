#include "producer/flights/flight.h"

#include <charconv>
#include <cstring>

#include "common/check/check.h"

namespace slipstream::producer {
namespace {

constexpr std::array<std::string_view, kFieldCount> kFieldNames = {
    "id",       "year",           "month",     "day",     "dep_time", "sched_dep_time", "dep_delay",
    "arr_time", "sched_arr_time", "arr_delay", "carrier", "flight",   "tailnum",        "origin",
    "dest",     "air_time",       "distance",  "hour",    "minute",   "time_hour",      "name"};

constexpr size_t kNumberBytesMax = 24;
constexpr unsigned char kMissing = 0xff;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::string_view FieldName(Field field) {
  return kFieldNames[static_cast<size_t>(field)];
}

std::optional<Field> FieldNamed(std::string_view name) {
  for (size_t i = 0; i < kFieldCount; ++i) {
    if (kFieldNames[i] == name) return static_cast<Field>(i);
  }
  return std::nullopt;
}

bool IsText(Field field) {
  switch (field) {
    case Field::kCarrier:
    case Field::kTailnum:
    case Field::kOrigin:
    case Field::kDest:
    case Field::kTimeHour:
    case Field::kName:
      return true;
    default:
      return false;
  }
}

void Flight::Clear() {
  text_.fill({});
  event_time_ = {};
  scratch_used_ = 0;
}

void Flight::SetInteger(Field field, int64_t value) {
  std::array<char, 20> digits{};
  char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  SetCopy(field, {digits.data(), static_cast<size_t>(end - digits.data())});
}

void Flight::SetCopy(Field field, std::string_view text) {
  SLIPSTREAM_CHECK(text.size() <= scratch_.size() - scratch_used_, "field={}", FieldName(field));
  char* copy = scratch_.data() + scratch_used_;
  std::memcpy(copy, text.data(), text.size());
  scratch_used_ += text.size();
  text_[Index(field)] = {copy, text.size()};
}

void Flight::PackTo(std::string& out) const {
  for (std::string_view text : text_) {
    SLIPSTREAM_CHECK(text.size() <= kTextBytesMax, "bytes={}", text.size());
    out.push_back(static_cast<char>(
        text.data() == nullptr ? kMissing : static_cast<unsigned char>(text.size())));
    out.append(text);
  }
}

void Flight::Unpack(std::string_view packed) {
  scratch_used_ = 0;
  const char* cursor = packed.data();
  for (std::string_view& text : text_) {
    unsigned char size = static_cast<unsigned char>(*cursor++);
    if (size == kMissing) {
      text = {};
    } else {
      text = {cursor, size};
      cursor += size;
    }
  }
  SLIPSTREAM_CHECK(cursor == packed.data() + packed.size(), "bytes={}", packed.size());
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int64_t value = 0;
  const char* end = text.data() + text.size();
  std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc()) return std::nullopt;
  if (result.ptr == end) return value;
  if (*result.ptr != '.') return std::nullopt;
  for (const char* c = result.ptr + 1; c < end; ++c) {
    if (*c != '0') return std::nullopt;
  }
  return value;
}

bool IsNumber(std::string_view text) {
  if (text.size() > kNumberBytesMax) return false;
  const char* c = text.data();
  const char* const end = c + text.size();
  if (c < end && (*c == '-' || *c == '+')) ++c;
  const char* digits = c;
  while (c < end && IsDigit(*c))
    ++c;
  ptrdiff_t digit_count = c - digits;
  if (c < end && *c == '.') {
    const char* fraction = ++c;
    while (c < end && IsDigit(*c))
      ++c;
    digit_count += c - fraction;
  }
  return c == end && digit_count > 0;
}

}  // namespace slipstream::producer
