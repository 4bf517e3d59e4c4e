#pragma once

#include <cstdint>

namespace slipstream::sql {

// What a row of an update stream says about the result, as Flink's changelogs have it: an update is
// the row as it was (kUpdateBefore) and the row as it is now (kUpdateAfter), one behind the other.
enum class RowKind : uint8_t { kInsert, kUpdateBefore, kUpdateAfter, kDelete };

// Whether the row is part of the result from here on; otherwise it no longer is.
inline bool IsAddition(RowKind kind) {
  return kind == RowKind::kInsert || kind == RowKind::kUpdateAfter;
}

}  // namespace slipstream::sql
