#pragma once

#include <cstdint>

#include "processor/types/data_type.h"
#include "processor/types/date_time.h"

namespace slipstream::sql {

// Whether TINYINT, SMALLINT, INT or BIGINT, whichever `kind` is, has the value.
inline bool FitsInteger(Int128 value, TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return value >= INT8_MIN && value <= INT8_MAX;
    case TypeKind::kSmallInt:
      return value >= INT16_MIN && value <= INT16_MAX;
    case TypeKind::kInt:
      return value >= INT32_MIN && value <= INT32_MAX;
    default:
      return value >= INT64_MIN && value <= INT64_MAX;
  }
}

// The days, before and after 1970-01-01, all of whose microseconds a timestamp can hold: some
// 292,000 years.
inline constexpr int64_t kDaysMax = INT64_MAX / kMicrosPerDay - 1;

// Whether a column of the kind, whose values are held as integers, may have the value: a date is
// one that a timestamp can be of, a time within a day.
inline bool FitsColumn(int64_t value, TypeKind kind) {
  switch (kind) {
    case TypeKind::kDate:
      return value >= -kDaysMax && value <= kDaysMax;
    case TypeKind::kTime:
      return value >= 0 && value < kMicrosPerDay;
    default:
      return FitsInteger(value, kind);
  }
}

}  // namespace slipstream::sql
