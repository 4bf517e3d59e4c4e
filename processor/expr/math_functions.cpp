#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "processor/expr/function_table.h"
#include "processor/expr/type_rules.h"
#include "processor/types/decimal.h"

// ABS, SIGN, ROUND, TRUNCATE, FLOOR and CEIL of numbers, PI and E, and the functions of DOUBLE.

namespace slipstream::sql {
namespace {

using Param = FunctionTable::Param;
using Signature = ScalarFunction::Signature;
using Args = std::span<const ExpressionPtr>;

void AbsIntegerKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    const int64_t value = call.args[0].int_at(row);
    if (value == INT64_MIN && !out.is_null(row)) {
      out.SetNull(row);
      call.errors.Add(row, "integer overflow of BIGINT");
      continue;
    }
    out.ints[row] = value == INT64_MIN ? 0 : std::abs(value);
  }
}

void AbsDecimalKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    const Int128 value = call.args[0].decimal_at(row);
    out.decimals[row] = value < 0 ? -value : value;
  }
}

double Cotangent(double angle) {
  return 1 / std::tan(angle);
}
double Degrees(double angle) {
  return angle * (180 / std::numbers::pi);
}
double Radians(double degrees) {
  return degrees * (std::numbers::pi / 180);
}

template <double (*kFunction)(double)>
void DoubleKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row)
    out.doubles[row] = kFunction(call.args[0].double_at(row));
}

double Sign(double value) {
  return value > 0 ? 1 : value < 0 ? -1 : value;
}

void IdentityIntegerKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row)
    out.ints[row] = call.args[0].int_at(row);
}

void SignIntegerKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    const int64_t value = call.args[0].int_at(row);
    out.ints[row] = value > 0 ? 1 : value < 0 ? -1 : 0;
  }
}

template <double (*kFunction)(double, double)>
void TwoDoublesKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    out.doubles[row] = kFunction(call.args[0].double_at(row), call.args[1].double_at(row));
  }
}

double LogToBase(double base, double value) {
  return std::log(value) / std::log(base);
}

void SignDecimalKernel(const KernelCall& call, Column& out) {
  const Int128 one = PowerOfTen(call.args[0].column->type.scale);
  for (size_t row = 0; row < call.rows; ++row) {
    const Int128 value = call.args[0].decimal_at(row);
    out.decimals[row] = value > 0 ? one : value < 0 ? -one : 0;
  }
}

constexpr double kPi = std::numbers::pi;
constexpr double kE = std::numbers::e;

// Of no argument.
void AddConstant(FunctionTable& table, const char* name, Kernel kernel) {
  table.Add(name, {}, 0, DataType::Double(), kernel);
}

template <const double& kValue>
void ConstantKernel(const KernelCall& call, Column& out) {
  out.doubles.assign(call.rows, kValue);
}

// ---- ROUND ----

int32_t DigitsAt(const KernelCall& call, size_t row) {
  if (call.args.size() < 2) return 0;
  const int64_t digits = call.args[1].int_at(row);
  return static_cast<int32_t>(std::clamp<int64_t>(digits, -400, 400));
}

// By way of the decimal digits a reader sees, half away from zero: ROUND(2.675, 2) is 2.68.
double RoundDouble(double value, int32_t digits) {
  if (!std::isfinite(value) || digits > 30) return value;
  if (std::fabs(value) < 1e15 && digits >= -15 && digits <= 15) {
    const int32_t scale = std::max(digits, 0);
    const std::optional<Int128> rounded = DecimalFromDouble(value, scale);
    if (rounded && digits >= 0) return DecimalToDouble(*rounded, scale);
  }
  if (digits >= 0) return value;  // so great a number has no such digits
  const double unit = std::pow(10.0, -digits);
  return std::isinf(unit) ? 0 : std::round(value / unit) * unit;
}

void RoundDoubleKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    out.doubles[row] = RoundDouble(call.args[0].double_at(row), DigitsAt(call, row));
  }
}

void RoundIntegerKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int64_t value = call.args[0].int_at(row);
    const int32_t digits = DigitsAt(call, row);
    if (digits >= 0) {
      out.ints[row] = value;
      continue;
    }
    if (digits < -18) {
      out.ints[row] = 0;
      continue;
    }
    const auto unit = static_cast<int64_t>(PowerOfTen(-digits));
    const Int128 rounded = *Rescale(value, -digits, 0) * unit;
    if (rounded < INT64_MIN || rounded > INT64_MAX) {
      out.SetNull(row);
      call.errors.Add(row, "integer overflow of BIGINT");
      continue;
    }
    out.ints[row] = static_cast<int64_t>(rounded);
  }
}

// ROUND(DECIMAL, n): the result's scale comes from a literal n; other n round within the scale.
void RoundDecimalKernel(const KernelCall& call, Column& out) {
  const int32_t scale = call.args[0].column->type.scale;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int32_t digits = std::min(DigitsAt(call, row), scale);
    std::optional<Int128> rounded;
    if (digits > scale - kMaxDecimalPrecision) {
      rounded = Rescale(call.args[0].decimal_at(row), scale, std::max(digits, 0));
      if (rounded && digits < 0) {
        rounded = Rescale(call.args[0].decimal_at(row), scale - digits, 0);
        if (rounded) rounded = Rescale(*rounded, 0, -digits);
        if (rounded) rounded = Rescale(*rounded, 0, out.type.scale);
      } else if (rounded) {
        rounded = Rescale(*rounded, std::max(digits, 0), out.type.scale);
      }
    } else {
      rounded = 0;
    }
    if (rounded && FitsPrecision(*rounded, out.type.precision)) {
      out.decimals[row] = *rounded;
    } else {
      out.SetNull(row);
    }
  }
}

std::optional<Signature> BindRoundDecimal(Args args) {
  if (args.empty() || args.size() > 2 || args[0]->type.kind != TypeKind::kDecimal) {
    return std::nullopt;
  }
  Signature signature{.args = {args[0]->type}, .result = args[0]->type};
  int64_t digits = 0;
  if (args.size() == 2) {
    if (!args[1]->type.is_integer()) return std::nullopt;
    signature.args.push_back(DataType::BigInt());
    const bool is_literal = args[1]->kind == Expression::Kind::kLiteral;
    digits = is_literal && !IsNull(args[1]->literal) ? std::get<int64_t>(args[1]->literal)
                                                     : args[0]->type.scale;
  }
  const DataType& type = args[0]->type;
  if (digits < type.scale) {
    const auto scale = static_cast<int32_t>(std::max<int64_t>(digits, 0));
    signature.result = DataType::Decimal(
        std::min(kMaxDecimalPrecision, type.precision - type.scale + scale + 1), scale);
  }
  signature.result.nullable = true;
  return signature;
}

// TRUNCATE keeps the type, and takes away the digits behind the place.
double TruncateDouble(double value, int32_t digits) {
  if (!std::isfinite(value)) return value;
  if (digits < 0) {
    const double unit = std::pow(10.0, -digits);
    return std::isinf(unit) ? 0 : std::trunc(value / unit) * unit;
  }
  // By way of the decimal digits a reader sees: TRUNCATE(42.32, 2) is 42.32. So great a number has
  // none behind the point.
  constexpr int32_t kSeenDigits = 18;
  if (std::fabs(value) >= 1e15 || digits >= kSeenDigits) return value;
  const std::optional<Int128> seen = DecimalFromDouble(value, kSeenDigits);
  return seen ? DecimalToDouble(*seen / PowerOfTen(kSeenDigits - digits), digits) : value;
}

void TruncateDoubleKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    out.doubles[row] = TruncateDouble(call.args[0].double_at(row), DigitsAt(call, row));
  }
}

void TruncateIntegerKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int64_t value = call.args[0].int_at(row);
    const int32_t digits = DigitsAt(call, row);
    const auto unit = static_cast<int64_t>(PowerOfTen(std::clamp(-digits, 0, 18)));
    out.ints[row] = digits < -18 ? 0 : value / unit * unit;
  }
}

void TruncateDecimalKernel(const KernelCall& call, Column& out) {
  const int32_t scale = call.args[0].column->type.scale;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int32_t unwanted = scale - DigitsAt(call, row);
    const Int128 value = call.args[0].decimal_at(row);
    const Int128 unit = PowerOfTen(std::clamp(unwanted, 0, kMaxDecimalPrecision));
    const Int128 cut = unwanted > kMaxDecimalPrecision ? 0 : value / unit * unit;
    // The result has the digits that the place leaves, or all of them if it is no literal.
    out.decimals[row] = cut / PowerOfTen(scale - out.type.scale);
  }
}

std::optional<Signature> BindTruncateDecimal(Args args) {
  std::optional<Signature> signature = BindRoundDecimal(args);
  if (!signature) return std::nullopt;
  const DataType& type = args[0]->type;
  const int32_t scale = signature->result.scale;
  signature->result = DataType::Decimal(std::max(type.precision - type.scale + scale, 1), scale);
  signature->result.nullable = type.nullable || (args.size() > 1 && args[1]->type.nullable);
  return signature;
}

// ---- FLOOR and CEIL ----

template <bool kUp>
void FloorDecimalKernel(const KernelCall& call, Column& out) {
  const Int128 unit = PowerOfTen(call.args[0].column->type.scale);
  for (size_t row = 0; row < call.rows; ++row) {
    const Int128 value = call.args[0].decimal_at(row);
    Int128 whole = value / unit;
    if (!kUp && whole * unit > value) --whole;
    if (kUp && whole * unit < value) ++whole;
    out.decimals[row] = whole;
  }
}

// ---- Table ----

// A function that keeps its first argument's type.
void AddSame(FunctionTable& table,
             const char* name,
             bool (*takes)(const DataType&),
             size_t optional_integers,
             Kernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.usage = std::string(name) + (optional_integers > 0 ? "(number[, INT])" : "(number)");
  function.bind = [takes, optional_integers](Args args) -> std::optional<Signature> {
    if (args.empty() || args.size() > 1 + optional_integers || !takes(args[0]->type)) {
      return std::nullopt;
    }
    Signature signature{.args = {args[0]->type}, .result = args[0]->type};
    for (const ExpressionPtr& arg : args.subspan(1)) {
      if (!arg->type.is_integer()) return std::nullopt;
      signature.args.push_back(DataType::BigInt());
      signature.result.nullable |= arg->type.nullable;
    }
    return signature;
  };
  function.kernel = kernel;
  table.Add(std::move(function));
}

bool IsInteger(const DataType& type) {
  return type.is_integer();
}
bool IsApproximate(const DataType& type) {
  return type.is_approximate();
}
bool IsDecimal(const DataType& type) {
  return type.kind == TypeKind::kDecimal;
}

void AddFloor(FunctionTable& table, const char* name, Kernel doubles, Kernel decimals) {
  AddSame(table, name, IsInteger, 0, IdentityIntegerKernel);
  AddSame(table, name, IsApproximate, 0, doubles);
  ScalarFunction function;
  function.name = name;
  function.usage = std::string(name) + "(number)";
  function.bind = [](Args args) -> std::optional<Signature> {
    if (args.size() != 1 || !IsDecimal(args[0]->type)) return std::nullopt;
    const DataType& type = args[0]->type;
    const int32_t precision = type.precision - type.scale + (type.scale > 0 ? 1 : 0);
    return Signature{
        .args = {type},
        .result = AsNullable(DataType::Decimal(std::max(precision, 1), 0), type.nullable)};
  };
  function.kernel = decimals;
  table.Add(std::move(function));
}

}  // namespace

void AddMathFunctions(FunctionTable& table) {
  AddSame(table, "ABS", IsInteger, 0, AbsIntegerKernel);
  AddSame(table, "ABS", IsApproximate, 0, DoubleKernel<std::fabs>);
  AddSame(table, "ABS", IsDecimal, 0, AbsDecimalKernel);
  AddSame(table, "SIGN", IsInteger, 0, SignIntegerKernel);
  AddSame(table, "SIGN", IsApproximate, 0, DoubleKernel<Sign>);
  AddSame(table, "SIGN", IsDecimal, 0, SignDecimalKernel);
  AddSame(table, "ROUND", IsInteger, 1, RoundIntegerKernel);
  AddSame(table, "ROUND", IsApproximate, 1, RoundDoubleKernel);
  ScalarFunction round;
  round.name = "ROUND";
  round.usage = "ROUND(DECIMAL[, INT])";
  round.bind = BindRoundDecimal;
  round.kernel = RoundDecimalKernel;
  table.Add(std::move(round));

  AddSame(table, "TRUNCATE", IsInteger, 1, TruncateIntegerKernel);
  AddSame(table, "TRUNCATE", IsApproximate, 1, TruncateDoubleKernel);
  ScalarFunction truncate;
  truncate.name = "TRUNCATE";
  truncate.usage = "TRUNCATE(DECIMAL[, INT])";
  truncate.bind = BindTruncateDecimal;
  truncate.kernel = TruncateDecimalKernel;
  table.Add(std::move(truncate));

  AddFloor(table, "FLOOR", DoubleKernel<std::floor>, FloorDecimalKernel<false>);
  AddFloor(table, "CEIL", DoubleKernel<std::ceil>, FloorDecimalKernel<true>);
  AddFloor(table, "CEILING", DoubleKernel<std::ceil>, FloorDecimalKernel<true>);
  const DataType real = DataType::Double();
  table.Add("SQRT", {Param::kDouble}, 0, real, DoubleKernel<std::sqrt>);
  table.Add("EXP", {Param::kDouble}, 0, real, DoubleKernel<std::exp>);
  table.Add("LN", {Param::kDouble}, 0, real, DoubleKernel<std::log>);
  table.Add("LOG10", {Param::kDouble}, 0, real, DoubleKernel<std::log10>);
  table.Add("LOG2", {Param::kDouble}, 0, real, DoubleKernel<std::log2>);
  table.Add("SIN", {Param::kDouble}, 0, real, DoubleKernel<std::sin>);
  table.Add("COS", {Param::kDouble}, 0, real, DoubleKernel<std::cos>);
  table.Add("TAN", {Param::kDouble}, 0, real, DoubleKernel<std::tan>);
  table.Add("ASIN", {Param::kDouble}, 0, real, DoubleKernel<std::asin>);
  table.Add("ACOS", {Param::kDouble}, 0, real, DoubleKernel<std::acos>);
  table.Add("ATAN", {Param::kDouble}, 0, real, DoubleKernel<std::atan>);
  table.Add("SINH", {Param::kDouble}, 0, real, DoubleKernel<std::sinh>);
  table.Add("COSH", {Param::kDouble}, 0, real, DoubleKernel<std::cosh>);
  table.Add("TANH", {Param::kDouble}, 0, real, DoubleKernel<std::tanh>);
  table.Add("COT", {Param::kDouble}, 0, real, DoubleKernel<Cotangent>);
  table.Add("DEGREES", {Param::kDouble}, 0, real, DoubleKernel<Degrees>);
  table.Add("RADIANS", {Param::kDouble}, 0, real, DoubleKernel<Radians>);
  table.Add("LOG", {Param::kDouble}, 0, real, DoubleKernel<std::log>);
  table.Add("LOG", {Param::kDouble, Param::kDouble}, 0, real, TwoDoublesKernel<LogToBase>);
  table.Add("POWER", {Param::kDouble, Param::kDouble}, 0, real, TwoDoublesKernel<std::pow>);
  table.Add("ATAN2", {Param::kDouble, Param::kDouble}, 0, real, TwoDoublesKernel<std::atan2>);
  AddConstant(table, "PI", ConstantKernel<kPi>);
  AddConstant(table, "E", ConstantKernel<kE>);
}

}  // namespace slipstream::sql
