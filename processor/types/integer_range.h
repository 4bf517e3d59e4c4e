#pragma once

#include <cstdint>

#include "processor/types/data_type.h"

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

}  // namespace slipstream::sql
