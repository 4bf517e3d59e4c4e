#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "processor/columns/column.h"
#include "processor/expr/expression.h"
#include "processor/expr/row_errors.h"

namespace slipstream::sql {

// Operand: one argument of a call over a batch: a column with a value for each row, or one value
// that stands for all rows.
struct Operand {
  const Column* column = nullptr;
  bool is_constant = false;

  size_t index(size_t row) const { return is_constant ? 0 : row; }
  bool is_null(size_t row) const { return column->is_null(index(row)); }
  bool bool_at(size_t row) const { return column->bools[index(row)] != 0; }
  int64_t int_at(size_t row) const { return column->ints[index(row)]; }
  double double_at(size_t row) const { return column->doubles[index(row)]; }
  Int128 decimal_at(size_t row) const { return column->decimals[index(row)]; }
  std::string_view string_at(size_t row) const { return column->strings[index(row)]; }
};

struct KernelCall {
  std::span<const Operand> args;
  size_t rows = 0;
  Arena& arena;        // for new strings; lives as long as the result
  RowErrors& errors;   // row numbers are those of the result
  int64_t now_us = 0;  // processing time (Batch::now_us)
};

// Fills `out`, which has the result's type and call.rows rows. For a strict function `out` is
// already NULL where an argument is, and those rows' values must neither be looked at in a way that
// can fail nor be reported.
using Kernel = void (*)(const KernelCall& call, Column& out);

// ScalarFunction: one overload of a scalar function or operator. Immutable, lives as long as the
// process.
struct ScalarFunction {
  // The types the arguments are cast to, and the result's.
  struct Signature {
    std::vector<DataType> args;
    DataType result;
  };
  // nullopt: these arguments are not for this overload.
  using Bind = std::function<std::optional<Signature>(std::span<const ExpressionPtr> args)>;

  enum class Evaluation : uint8_t {
    kStrict,    // NULL if any argument is
    kLoose,     // the kernel sees NULLs
    kAnd,       // what follows a FALSE does not count, not even its errors
    kOr,        // likewise after a TRUE
    kCoalesce,  // likewise after the first value
  };

  std::string name;   // upper case, or the operator's sign
  std::string usage;  // "LPAD(STRING, INT, STRING)", for messages
  Bind bind;
  Kernel kernel = nullptr;
  Evaluation evaluation = Evaluation::kStrict;
  bool is_volatile = false;  // each row has a value of its own, though the arguments are the same
};

}  // namespace slipstream::sql
