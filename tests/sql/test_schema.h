#pragma once

#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "processor/types/data_type.h"

namespace slipstream::sql {

// An ARRAY, MAP or ROW; DataType::children says of what.
inline DataType NestedType(TypeKind kind, std::vector<Field> children) {
  return {.kind = kind,
          .children = std::make_shared<const std::vector<Field>>(std::move(children))};
}

// 0, 1, … for each field: a table's columns as they are.
inline std::vector<size_t> AllPositions(const Schema& fields) {
  std::vector<size_t> positions(fields.size());
  std::iota(positions.begin(), positions.end(), size_t{0});
  return positions;
}

}  // namespace slipstream::sql
