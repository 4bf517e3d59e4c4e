#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "processor/expr/expression.h"

namespace slipstream::sql {

// FieldUse: what is read of a value: nothing, all of it, or some of the fields of a ROW.
struct FieldUse {
  bool is_whole = false;
  std::map<size_t, FieldUse> fields;  // by place in the ROW; without meaning if is_whole

  static FieldUse Whole() { return {.is_whole = true, .fields = {}}; }
  void Add(const FieldUse& more);
  bool is_none() const { return !is_whole && fields.empty(); }
};

using FieldUses = std::vector<FieldUse>;  // by column

// Adds what `expression` reads of the columns, if `use` is what is read of its value.
void AddUses(const Expression& expression, const FieldUse& use, FieldUses& columns);

// What is read of the expression's value if it is a column or a field of one, and all of it
// otherwise.
const FieldUse& UseOf(const Expression& expression, const FieldUses& columns);

// ---- Without the fields that nobody reads ----

// The type with the fields that are read; as it is, if none or all of the value is.
DataType NarrowType(const DataType& type, const FieldUse& use);

// The expression over columns of narrowed types; it reads no more of them than `columns` says.
ExpressionPtr NarrowExpression(const ExpressionPtr& expression, const FieldUses& columns);

}  // namespace slipstream::sql
