#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "processor/expr/function_table.h"
#include "processor/expr/type_rules.h"
#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/integer_range.h"

// + - * / % MOD NEGATE over numbers, dates and intervals. Integers that leave their type and
// integer division by zero fail the row; a DECIMAL that does not fit is NULL; DOUBLE follows IEEE.

namespace slipstream::sql {
namespace {

using Signature = ScalarFunction::Signature;
using Args = std::span<const ExpressionPtr>;

enum class Sign { kPlus, kMinus, kTimes, kDivide, kModulo };

// ---- Integers ----

int64_t LeastOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return INT8_MIN;
    case TypeKind::kSmallInt:
      return INT16_MIN;
    case TypeKind::kInt:
      return INT32_MIN;
    default:
      return INT64_MIN;
  }
}

template <Sign kSign>
bool ComputeInteger(int64_t a, int64_t b, int64_t& result) {
  switch (kSign) {
    case Sign::kPlus:
      return !__builtin_add_overflow(a, b, &result);
    case Sign::kMinus:
      return !__builtin_sub_overflow(a, b, &result);
    case Sign::kTimes:
      return !__builtin_mul_overflow(a, b, &result);
    case Sign::kDivide:
      if (b == 0 || (a == INT64_MIN && b == -1)) return false;
      result = a / b;
      return true;
    case Sign::kModulo:
      if (b == 0) return false;
      result = b == -1 ? 0 : a % b;
      return true;
  }
  return false;
}

template <Sign kSign>
void IntegerKernel(const KernelCall& call, Column& out) {
  const Operand& left = call.args[0];
  const Operand& right = call.args[1];
  const int64_t least = LeastOf(out.type.kind);
  const int64_t greatest = -(least + 1);
  for (size_t row = 0; row < call.rows; ++row) {
    const int64_t b = right.int_at(row);
    int64_t result = 0;
    const bool fits =
        ComputeInteger<kSign>(left.int_at(row), b, result) && result >= least && result <= greatest;
    out.ints[row] = result;
    if (fits || out.is_null(row)) [[likely]]
      continue;
    out.SetNull(row);
    const bool is_division = kSign == Sign::kDivide || kSign == Sign::kModulo;
    call.errors.Add(row,
                    is_division && b == 0
                        ? "division by zero"
                        : "integer overflow of " + AsNullable(out.type).ToString());
  }
}

// ---- DOUBLE and FLOAT ----

template <Sign kSign>
double ComputeDouble(double a, double b) {
  switch (kSign) {
    case Sign::kPlus:
      return a + b;
    case Sign::kMinus:
      return a - b;
    case Sign::kTimes:
      return a * b;
    case Sign::kDivide:
      return a / b;
    case Sign::kModulo:
      return std::fmod(a, b);
  }
  return 0;
}

template <Sign kSign>
void DoubleKernel(const KernelCall& call, Column& out) {
  const bool is_float = out.type.kind == TypeKind::kFloat;
  for (size_t row = 0; row < call.rows; ++row) {
    const double result =
        ComputeDouble<kSign>(call.args[0].double_at(row), call.args[1].double_at(row));
    // Rounding a double's result to float gives what float arithmetic gives.
    out.doubles[row] = is_float ? static_cast<double>(static_cast<float>(result)) : result;
  }
}

// ---- DECIMAL ----

template <Sign kSign>
std::optional<Int128> ComputeDecimal(
    Int128 a, int32_t a_scale, Int128 b, int32_t b_scale, int32_t scale) {
  if (kSign == Sign::kTimes) {
    return MultiplyScaled(a, b, a_scale + b_scale - scale);
  }
  if (kSign == Sign::kDivide) {
    int32_t shift = scale - a_scale + b_scale;
    for (; shift > kMaxDecimalPrecision && b % 10 == 0; --shift)
      b /= 10;
    if (shift > kMaxDecimalPrecision) return std::nullopt;
    if (shift < 0) {
      const std::optional<Int128> divisor = Rescale(b, 0, -shift);
      return divisor ? MultiplyDivide(a, 1, *divisor) : std::nullopt;
    }
    return MultiplyDivide(a, PowerOfTen(shift), b);
  }
  const int32_t common_scale = std::max(a_scale, b_scale);
  const std::optional<Int128> x = Rescale(a, a_scale, common_scale);
  const std::optional<Int128> y = Rescale(b, b_scale, common_scale);
  if (!x || !y) return std::nullopt;
  // Both are below 10^38, so neither sum nor difference leaves 128 bits… but for two of the
  // greatest, which the precision check then refuses.
  Int128 result = 0;
  if (kSign == Sign::kPlus && __builtin_add_overflow(*x, *y, &result)) return std::nullopt;
  if (kSign == Sign::kMinus && __builtin_sub_overflow(*x, *y, &result)) return std::nullopt;
  if (kSign == Sign::kModulo) result = *x % *y;
  return Rescale(result, common_scale, scale);
}

template <Sign kSign>
void DecimalKernel(const KernelCall& call, Column& out) {
  const int32_t a_scale = call.args[0].column->type.scale;
  const int32_t b_scale = call.args[1].column->type.scale;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const Int128 b = call.args[1].decimal_at(row);
    if ((kSign == Sign::kDivide || kSign == Sign::kModulo) && b == 0) {
      out.SetNull(row);
      call.errors.Add(row, "division by zero");
      continue;
    }
    const std::optional<Int128> result =
        ComputeDecimal<kSign>(call.args[0].decimal_at(row), a_scale, b, b_scale, out.type.scale);
    if (result && FitsPrecision(*result, out.type.precision)) {
      out.decimals[row] = *result;
    } else {
      out.SetNull(row);
    }
  }
}

// ---- Times and intervals ----

// A timestamp, or a date in days, so many months later; nullopt: beyond all of them.
std::optional<int64_t> AddMonths(int64_t time, int64_t months, bool in_days) {
  constexpr int64_t kMonthsMax = 12 * 1'000'000;
  if (months > kMonthsMax || months < -kMonthsMax) return std::nullopt;
  const int64_t days = AddMonthsToDays(in_days ? time : FloorDivide(time, kMicrosPerDay), months);
  if (!FitsColumn(days, TypeKind::kDate)) return std::nullopt;
  return in_days ? days : days * kMicrosPerDay + FloorModulo(time, kMicrosPerDay);
}

// The same for a duration, in the units of the sum.
std::optional<int64_t> AddDuration(int64_t time, int64_t duration, TypeKind kind) {
  int64_t sum = 0;
  if (__builtin_add_overflow(time, duration, &sum)) return std::nullopt;
  if (kind == TypeKind::kTime) return FloorModulo(sum, kMicrosPerDay);
  return FitsColumn(sum, kind) ? std::optional<int64_t>(sum) : std::nullopt;
}

// Adds kSign * b to a, both in the units of their columns. a: timestamp, time, date or interval.
template <Sign kSign>
void ShiftKernel(const KernelCall& call, Column& out) {
  const bool by_months = call.args[1].column->type.kind == TypeKind::kIntervalYearMonth &&
                         out.type.kind != TypeKind::kIntervalYearMonth;
  const TypeKind from = call.args[0].column->type.kind;
  const bool in_days = from == TypeKind::kDate;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int64_t a = call.args[0].int_at(row);
    const int64_t b = kSign == Sign::kMinus ? -call.args[1].int_at(row) : call.args[1].int_at(row);
    const bool date_to_timestamp = in_days && out.type.is_timestamp();
    const std::optional<int64_t> sum =
        by_months ? AddMonths(a, b, in_days)
                  : AddDuration(date_to_timestamp ? a * kMicrosPerDay : a,
                                in_days && !date_to_timestamp ? FloorDivide(b, kMicrosPerDay) : b,
                                out.type.kind);
    if (!sum) {
      out.SetNull(row);
      call.errors.Add(row, "timestamp out of range");
      continue;
    }
    out.ints[row] = *sum;
  }
}

// b + a, for INTERVAL + TIMESTAMP.
void ShiftReversedKernel(const KernelCall& call, Column& out) {
  const std::array<Operand, 2> swapped = {call.args[1], call.args[0]};
  const KernelCall turned{
      .args = swapped, .rows = call.rows, .arena = call.arena, .errors = call.errors};
  ShiftKernel<Sign::kPlus>(turned, out);
}

bool IsInterval(const DataType& type) {
  return type.kind == TypeKind::kIntervalDayTime || type.kind == TypeKind::kIntervalYearMonth;
}

std::optional<Signature> BindShift(const DataType& time, const DataType& interval) {
  const bool is_same = IsInterval(time) && time.kind == interval.kind;
  if (!IsInterval(interval) || !(time.is_temporal() || is_same)) return std::nullopt;
  return Signature{.args = {time, interval},
                   .result = AsNullable(time, time.nullable || interval.nullable)};
}

// ---- Binding numbers ----

std::optional<Signature> BindIntegers(Args args, Sign sign) {
  if (args.size() != 2) return std::nullopt;
  const DataType& a = args[0]->type;
  const DataType& b = args[1]->type;
  const bool a_null = a.kind == TypeKind::kNull;
  const bool b_null = b.kind == TypeKind::kNull;
  if (!(a.is_integer() || a_null) || !(b.is_integer() || b_null) || (a_null && b_null)) {
    return std::nullopt;
  }
  DataType result = a_null ? b : b_null ? a : a.kind >= b.kind ? a : b;
  // A remainder is of its divisor's type.
  if (sign == Sign::kModulo && !b_null) result = b;
  result.nullable = AnyIsNullable(args);
  return Signature{.args = {a_null ? b : a, b_null ? a : b}, .result = result};
}

std::optional<Signature> BindDecimals(Args args, Sign sign) {
  if (args.size() != 2) return std::nullopt;
  for (const ExpressionPtr& arg : args) {
    const bool is_exact = arg->type.is_integer() || arg->type.kind == TypeKind::kDecimal;
    if (!is_exact && arg->type.kind != TypeKind::kNull) return std::nullopt;
  }
  DataType a = AsDecimal(args[0]->type);
  DataType b = AsDecimal(args[1]->type);
  if (a.kind == TypeKind::kNull) a = b;
  if (b.kind == TypeKind::kNull) b = a;
  if (a.kind == TypeKind::kNull) return std::nullopt;
  DataType result;
  switch (sign) {
    case Sign::kPlus:
    case Sign::kMinus:
      result = DecimalSumType(a, b);
      break;
    case Sign::kTimes:
      result = DecimalProductType(a, b);
      break;
    case Sign::kDivide:
      result = DecimalQuotientType(a, b);
      break;
    case Sign::kModulo:
      result = DecimalRemainderType(a, b);
      break;
  }
  // A quotient can leave its type, and is NULL then.
  result.nullable = true;
  return Signature{.args = {a, b}, .result = result};
}

std::optional<Signature> BindDoubles(Args args) {
  if (args.size() != 2) return std::nullopt;
  DataType result = {.kind = TypeKind::kFloat};
  for (const ExpressionPtr& arg : args) {
    if (!arg->type.is_numeric() && arg->type.kind != TypeKind::kNull) return std::nullopt;
    if (arg->type.kind == TypeKind::kDouble || arg->type.kind == TypeKind::kDecimal) {
      result = DataType::Double();
    }
  }
  if (args[0]->type.kind == TypeKind::kNull && args[1]->type.kind == TypeKind::kNull) {
    result = DataType::Double();
  }
  result.nullable = AnyIsNullable(args);
  return Signature{.args = {result, result}, .result = result};
}

template <Sign kSign>
void AddOperator(FunctionTable& table, const char* name) {
  const auto add = [&](ScalarFunction::Bind bind, Kernel kernel, const char* kind) {
    ScalarFunction function;
    function.name = name;
    function.usage = std::string(kind) + " " + name + " " + kind;
    function.bind = std::move(bind);
    function.kernel = kernel;
    table.Add(std::move(function));
  };
  add([](Args args) { return BindIntegers(args, kSign); }, IntegerKernel<kSign>, "integer");
  add([](Args args) { return BindDecimals(args, kSign); }, DecimalKernel<kSign>, "DECIMAL");
  add([](Args args) { return BindDoubles(args); }, DoubleKernel<kSign>, "DOUBLE");
}

template <Sign kSign>
void AddShift(FunctionTable& table, const char* name) {
  ScalarFunction function;
  function.name = name;
  function.usage = std::string("time ") + name + " INTERVAL";
  function.bind = [](Args args) -> std::optional<Signature> {
    return args.size() == 2 ? BindShift(args[0]->type, args[1]->type) : std::nullopt;
  };
  function.kernel = ShiftKernel<kSign>;
  table.Add(std::move(function));
}

// INTERVAL * number and number * INTERVAL.
void ScaleIntervalKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (__builtin_mul_overflow(
            call.args[0].int_at(row), call.args[1].int_at(row), &out.ints[row]) &&
        !out.is_null(row)) {
      out.SetNull(row);
      call.errors.Add(row, "interval out of range");
    }
  }
}

void NegateIntegerKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    const int64_t value = call.args[0].int_at(row);
    if (value == LeastOf(out.type.kind) && !out.is_null(row)) {
      out.SetNull(row);
      call.errors.Add(row, "integer overflow of " + AsNullable(out.type).ToString());
      continue;
    }
    out.ints[row] = value == INT64_MIN ? 0 : -value;
  }
}

void NegateDoubleKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row)
    out.doubles[row] = -call.args[0].double_at(row);
}

void NegateDecimalKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row)
    out.decimals[row] = -call.args[0].decimal_at(row);
}

void AddNegation(FunctionTable& table, bool (*takes)(const DataType&), Kernel kernel) {
  ScalarFunction function;
  function.name = "NEGATE";
  function.usage = "- number";
  function.bind = [takes](Args args) -> std::optional<Signature> {
    if (args.size() != 1 || !takes(args[0]->type)) return std::nullopt;
    return Signature{.args = {args[0]->type}, .result = args[0]->type};
  };
  function.kernel = kernel;
  table.Add(std::move(function));
}

void AddIntervalFunctions(FunctionTable& table) {
  AddShift<Sign::kPlus>(table, "+");
  AddShift<Sign::kMinus>(table, "-");
  ScalarFunction reversed;
  reversed.name = "+";
  reversed.usage = "INTERVAL + time";
  reversed.bind = [](Args args) -> std::optional<Signature> {
    if (args.size() != 2 || !args[1]->type.is_temporal()) return std::nullopt;
    std::optional<Signature> signature = BindShift(args[1]->type, args[0]->type);
    if (signature) std::swap(signature->args[0], signature->args[1]);
    return signature;
  };
  reversed.kernel = ShiftReversedKernel;
  table.Add(std::move(reversed));

  ScalarFunction scaled;
  scaled.name = "*";
  scaled.usage = "INTERVAL * integer";
  scaled.bind = [](Args args) -> std::optional<Signature> {
    if (args.size() != 2) return std::nullopt;
    const DataType& a = args[0]->type;
    const DataType& b = args[1]->type;
    const bool fits = (IsInterval(a) && b.is_integer()) || (a.is_integer() && IsInterval(b));
    if (!fits) return std::nullopt;
    return Signature{.args = {a, b},
                     .result = AsNullable(IsInterval(a) ? a : b, a.nullable || b.nullable)};
  };
  scaled.kernel = ScaleIntervalKernel;
  table.Add(std::move(scaled));
}

}  // namespace

void AddArithmeticFunctions(FunctionTable& table) {
  AddOperator<Sign::kPlus>(table, "+");
  AddOperator<Sign::kMinus>(table, "-");
  AddOperator<Sign::kTimes>(table, "*");
  AddOperator<Sign::kDivide>(table, "/");
  AddOperator<Sign::kModulo>(table, "%");
  AddOperator<Sign::kModulo>(table, "MOD");
  AddIntervalFunctions(table);
  AddNegation(
      table,
      [](const DataType& type) { return type.is_integer() || IsInterval(type); },
      NegateIntegerKernel);
  AddNegation(
      table, [](const DataType& type) { return type.is_approximate(); }, NegateDoubleKernel);
  AddNegation(
      table,
      [](const DataType& type) { return type.kind == TypeKind::kDecimal; },
      NegateDecimalKernel);
}

}  // namespace slipstream::sql
