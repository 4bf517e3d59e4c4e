#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/expr/expression.h"

namespace slipstream::sql {

class AggregateFunction;

// Builds a call of the scalar function or operator `name` (any case) over `args`, choosing the
// overload, inserting the coercions it needs and fixing the result type, as Flink does.
// Operators go by their signs: = <> < <= > >= + - * / % || AND OR NOT LIKE IN "IS NULL"
// "IS NOT NULL" "IS TRUE" "IS NOT TRUE" "IS FALSE" "IS NOT FALSE" "IS DISTINCT FROM"
// "IS NOT DISTINCT FROM" NEGATE. FLOOR, CEIL and EXTRACT of a time take the unit as a string
// literal in second place; TIMESTAMPADD and TIMESTAMPDIFF take it in first place. Of nested values:
// "ROW FIELD" with the field's number as a literal, "ITEM" of an ARRAY by its place from 1 or of a
// MAP by its key, and the constructors ROW, ARRAY and MAP (key, value, …). Errors: kNotFound
// (no such function; the message suggests the nearest), kInvalidArgument (no such overload; the
// message lists the accepted ones).
Result<ExpressionPtr> MakeCall(std::string_view name, std::vector<ExpressionPtr> args);

// A call of an aggregate function, with argument columns still to be computed.
struct AggregateCall {
  const AggregateFunction* function = nullptr;  // lives as long as the process
  std::string name;                             // upper case
  std::vector<ExpressionPtr> args;              // over the aggregate's input; empty: COUNT(*)
  ExpressionPtr filter;                         // BOOLEAN, or null
  bool is_distinct = false;
  DataType type;  // of the result
};

// Errors as MakeCall.
Result<AggregateCall> MakeAggregate(std::string_view name,
                                    std::vector<ExpressionPtr> args,
                                    bool is_distinct,
                                    ExpressionPtr filter);

bool IsScalarFunction(std::string_view name);
bool IsAggregateFunction(std::string_view name);

// The type both sides are cast to for a comparison, CASE, COALESCE, IN or UNION; kInvalidArgument
// when there is none.
Result<DataType> CommonType(std::span<const DataType> types);

// Whether CAST(from AS to) exists at all.
bool CanCast(const DataType& from, const DataType& to);

}  // namespace slipstream::sql
