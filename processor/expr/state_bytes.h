#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// The pieces saved state is made of: little-endian numbers; texts with a 4-byte length before them.
// Take… cuts its bytes off the front and is false where there are too few.

template <class Number>
void PutNumber(std::string& to, Number value) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "state is little-endian");
  char bytes[sizeof(Number)];
  std::memcpy(bytes, &value, sizeof(Number));
  to.append(bytes, sizeof(Number));
}
template <class Number>
[[nodiscard]] bool TakeNumber(std::string_view& from, Number& value) {
  if (from.size() < sizeof(Number)) return false;
  std::memcpy(&value, from.data(), sizeof(Number));
  from.remove_prefix(sizeof(Number));
  return true;
}

inline void PutByte(std::string& to, uint8_t value) {
  PutNumber(to, value);
}
inline void PutInt64(std::string& to, int64_t value) {
  PutNumber(to, value);
}
inline void PutInt128(std::string& to, Int128 value) {
  PutNumber(to, value);
}
inline void PutText(std::string& to, std::string_view text) {
  PutNumber(to, static_cast<uint32_t>(text.size()));
  to.append(text);
}
[[nodiscard]] inline bool TakeByte(std::string_view& from, uint8_t& value) {
  return TakeNumber(from, value);
}
[[nodiscard]] inline bool TakeInt64(std::string_view& from, int64_t& value) {
  return TakeNumber(from, value);
}
// A number of rows: no row makes it negative, and none will make it overflow.
[[nodiscard]] inline bool TakeCount(std::string_view& from, int64_t& count) {
  return TakeNumber(from, count) && count >= 0 && count <= INT64_MAX / 2;
}
// Two such numbers together. Only damaged ones come to the bound, from which single rows still
// count on.
inline int64_t AddCounts(int64_t a, int64_t b) {
  return std::min(a + b, int64_t{1} << 61);
}
[[nodiscard]] inline bool TakeInt128(std::string_view& from, Int128& value) {
  return TakeNumber(from, value);
}
[[nodiscard]] inline bool TakeText(std::string_view& from, std::string_view& text) {
  uint32_t size = 0;
  if (!TakeNumber(from, size) || from.size() < size) return false;
  text = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

inline Status DamagedState(std::string_view what) {
  return DataLoss("saved state is damaged: " + std::string(what));
}

}  // namespace slipstream::sql
