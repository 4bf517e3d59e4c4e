#include <array>
#include <functional>

#include "processor/expr/function_table.h"
#include "processor/expr/nested_cells.h"
#include "processor/expr/type_rules.h"

// = <> < <= > >=, IS [NOT] DISTINCT FROM, IN, GREATEST, LEAST.

namespace slipstream::sql {
namespace {

template <class Values, class Compare>
void CompareValues(const KernelCall& call,
                   Values values,
                   std::vector<uint8_t>& out,
                   Compare compare) {
  const auto& left = values(*call.args[0].column);
  const auto& right = values(*call.args[1].column);
  // The commonest case, column against constant, as a loop the compiler can vectorise.
  if (!call.args[0].is_constant && call.args[1].is_constant) {
    const auto constant = right[0];
    for (size_t row = 0; row < call.rows; ++row)
      out[row] = compare(left[row], constant) ? 1 : 0;
    return;
  }
  for (size_t row = 0; row < call.rows; ++row) {
    out[row] = compare(left[call.args[0].index(row)], right[call.args[1].index(row)]) ? 1 : 0;
  }
}

// Nested values have no order: `compare` is told which of them are the same.
template <class Compare>
void CompareNested(const KernelCall& call, std::vector<uint8_t>& out, Compare compare) {
  const Operand& left = call.args[0];
  const Operand& right = call.args[1];
  for (size_t row = 0; row < call.rows; ++row) {
    const bool is_same = IsSameCell(*left.column, left.index(row), *right.column, right.index(row));
    out[row] = compare(is_same, true) ? 1 : 0;
  }
}

template <class Compare>
void CompareAny(const KernelCall& call, std::vector<uint8_t>& out, Compare compare) {
  switch (call.args[0].column->physical()) {
    case PhysicalKind::kBool:
      return CompareValues(
          call, [](const Column& c) -> const auto& { return c.bools; }, out, compare);
    case PhysicalKind::kInt64:
      return CompareValues(
          call, [](const Column& c) -> const auto& { return c.ints; }, out, compare);
    case PhysicalKind::kDouble:
      return CompareValues(
          call, [](const Column& c) -> const auto& { return c.doubles; }, out, compare);
    case PhysicalKind::kInt128:
      return CompareValues(
          call, [](const Column& c) -> const auto& { return c.decimals; }, out, compare);
    case PhysicalKind::kString:
      return CompareValues(
          call, [](const Column& c) -> const auto& { return c.strings; }, out, compare);
    case PhysicalKind::kNested:
      return CompareNested(call, out, compare);
  }
}

template <class Compare>
void CompareKernel(const KernelCall& call, Column& out) {
  CompareAny(call, out.bools, Compare());
}

// Equal also where both are NULL; never NULL itself.
template <bool kEqual>
void DistinctKernel(const KernelCall& call, Column& out) {
  CompareAny(call, out.bools, std::equal_to<>());
  for (size_t row = 0; row < call.rows; ++row) {
    const bool left_null = call.args[0].is_null(row);
    const bool right_null = call.args[1].is_null(row);
    if (left_null || right_null) out.bools[row] = left_null == right_null ? 1 : 0;
    if (!kEqual) out.bools[row] ^= 1;
  }
}

void InKernel(const KernelCall& call, Column& out) {
  const Operand& needle = call.args[0];
  std::vector<uint8_t> is_equal(call.rows);
  std::vector<uint8_t> is_found(call.rows, 0);
  std::vector<uint8_t> is_unknown(call.rows, 0);
  for (size_t i = 1; i < call.args.size(); ++i) {
    const std::array<Operand, 2> pair = {needle, call.args[i]};
    const KernelCall compare{
        .args = pair, .rows = call.rows, .arena = call.arena, .errors = call.errors};
    CompareAny(compare, is_equal, std::equal_to<>());
    for (size_t row = 0; row < call.rows; ++row) {
      if (call.args[i].is_null(row)) {
        is_unknown[row] = 1;
      } else {
        is_found[row] |= is_equal[row];
      }
    }
  }
  for (size_t row = 0; row < call.rows; ++row) {
    out.bools[row] = is_found[row];
    if (needle.is_null(row) || (is_found[row] == 0 && is_unknown[row] != 0)) out.SetNull(row);
  }
}

std::optional<ScalarFunction::Signature> BindSame(std::span<const ExpressionPtr> args) {
  if (args.size() < 2) return std::nullopt;
  DataType common;
  bool is_nullable = false;
  for (const ExpressionPtr& arg : args) {
    const std::optional<DataType> next = CommonTypeOf(common, arg->type, true);
    if (!next) return std::nullopt;
    common = *next;
    is_nullable = is_nullable || arg->type.nullable;
  }
  return ScalarFunction::Signature{.args = std::vector<DataType>(args.size(), common),
                                   .result = AsNullable(DataType::Boolean(), is_nullable)};
}

// Of values that have an order.
std::optional<ScalarFunction::Signature> BindAlike(std::span<const ExpressionPtr> args) {
  std::optional<ScalarFunction::Signature> signature = BindSame(args);
  const bool has_order =
      signature && PhysicalKindOf(signature->args[0].kind) != PhysicalKind::kNested;
  return has_order ? signature : std::nullopt;
}

void AddEquality(FunctionTable& table, const char* sign, Kernel kernel) {
  ScalarFunction function;
  function.name = sign;
  function.usage = std::string("a ") + sign + " b with comparable types";
  function.bind = [](std::span<const ExpressionPtr> args) {
    return args.size() == 2 ? BindSame(args) : std::nullopt;
  };
  function.kernel = kernel;
  table.Add(std::move(function));
}

void AddComparison(FunctionTable& table, const char* sign, Kernel kernel) {
  ScalarFunction function;
  function.name = sign;
  function.usage = std::string("a ") + sign + " b with comparable types";
  function.bind = [](std::span<const ExpressionPtr> args) {
    return args.size() == 2 ? BindAlike(args) : std::nullopt;
  };
  function.kernel = kernel;
  table.Add(std::move(function));
}

void AddDistinct(FunctionTable& table, const char* name, Kernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.usage = std::string("a ") + name + " b with comparable types";
  function.bind = [](std::span<const ExpressionPtr> args) {
    std::optional<ScalarFunction::Signature> signature;
    if (args.size() == 2) signature = BindSame(args);
    if (signature) signature->result.nullable = false;
    return signature;
  };
  function.kernel = kernel;
  function.evaluation = ScalarFunction::Evaluation::kLoose;
  table.Add(std::move(function));
}

// The greatest (kSign = 1) or least of the arguments; NULL if one is.
template <int kSign>
void ExtremeKernel(const KernelCall& call, Column& out) {
  const auto pick = [&](auto values, auto& to) {
    for (size_t row = 0; row < call.rows; ++row) {
      auto chosen = values(*call.args[0].column)[call.args[0].index(row)];
      for (const Operand& arg : call.args.subspan(1)) {
        const auto candidate = values(*arg.column)[arg.index(row)];
        if (kSign > 0 ? chosen < candidate : candidate < chosen) chosen = candidate;
      }
      to[row] = chosen;
    }
  };
  switch (out.physical()) {
    case PhysicalKind::kBool:
      return pick(
          [](const Column& c) -> const auto& { return c.bools; }, out.bools);
    case PhysicalKind::kInt64:
      return pick(
          [](const Column& c) -> const auto& { return c.ints; }, out.ints);
    case PhysicalKind::kDouble:
      return pick(
          [](const Column& c) -> const auto& { return c.doubles; }, out.doubles);
    case PhysicalKind::kInt128:
      return pick(
          [](const Column& c) -> const auto& { return c.decimals; }, out.decimals);
    case PhysicalKind::kString:
      return pick(
          [](const Column& c) -> const auto& { return c.strings; }, out.strings);
    case PhysicalKind::kNested:
      break;
  }
}

void AddExtreme(FunctionTable& table, const char* name, Kernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.usage = std::string(name) + "(a, b, …) with comparable types";
  function.bind = [](std::span<const ExpressionPtr> args) {
    std::optional<ScalarFunction::Signature> signature = BindAlike(args);
    if (signature) {
      signature->result = AsNullable(signature->args[0], signature->result.nullable);
    }
    return signature;
  };
  function.kernel = kernel;
  table.Add(std::move(function));
}

}  // namespace

void AddComparisonFunctions(FunctionTable& table) {
  AddEquality(table, "=", CompareKernel<std::equal_to<>>);
  AddEquality(table, "<>", CompareKernel<std::not_equal_to<>>);
  AddComparison(table, "<", CompareKernel<std::less<>>);
  AddComparison(table, "<=", CompareKernel<std::less_equal<>>);
  AddComparison(table, ">", CompareKernel<std::greater<>>);
  AddComparison(table, ">=", CompareKernel<std::greater_equal<>>);
  AddDistinct(table, "IS NOT DISTINCT FROM", DistinctKernel<true>);
  AddDistinct(table, "IS DISTINCT FROM", DistinctKernel<false>);
  AddExtreme(table, "GREATEST", ExtremeKernel<1>);
  AddExtreme(table, "LEAST", ExtremeKernel<-1>);

  ScalarFunction in;
  in.name = "IN";
  in.usage = "a IN (b, …) with comparable types";
  in.bind = BindSame;
  in.kernel = InKernel;
  in.evaluation = ScalarFunction::Evaluation::kLoose;
  table.Add(std::move(in));
}

}  // namespace slipstream::sql
