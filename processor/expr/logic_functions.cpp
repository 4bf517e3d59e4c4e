#include "processor/expr/function_table.h"
#include "processor/expr/type_rules.h"

// AND, OR, NOT, IS NULL and its kin, COALESCE, NULLIF. (CASE and IF are an expression kind.)

namespace slipstream::sql {
namespace {

using Evaluation = ScalarFunction::Evaluation;
using Signature = ScalarFunction::Signature;

void NotKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row)
    out.bools[row] = call.args[0].bool_at(row) ? 0 : 1;
}

template <bool kWanted>
void IsNullKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row)
    out.bools[row] = call.args[0].is_null(row) == kWanted ? 1 : 0;
}

// IS TRUE, IS FALSE and, negated, IS NOT TRUE, IS NOT FALSE.
template <bool kValue, bool kNegated>
void IsValueKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    const bool holds = !call.args[0].is_null(row) && call.args[0].bool_at(row) == kValue;
    out.bools[row] = holds != kNegated ? 1 : 0;
  }
}

// args: the value, and whether it equals the comparand.
void NullIfKernel(const KernelCall& call, Column& out) {
  const Operand& value = call.args[0];
  const Operand& verdict = call.args[1];
  const auto copy = [&](const auto& from, auto& to) {
    for (size_t row = 0; row < call.rows; ++row)
      to[row] = from[value.index(row)];
  };
  switch (out.physical()) {
    case PhysicalKind::kBool:
      copy(value.column->bools, out.bools);
      break;
    case PhysicalKind::kInt64:
      copy(value.column->ints, out.ints);
      break;
    case PhysicalKind::kDouble:
      copy(value.column->doubles, out.doubles);
      break;
    case PhysicalKind::kInt128:
      copy(value.column->decimals, out.decimals);
      break;
    case PhysicalKind::kString:
      copy(value.column->strings, out.strings);
      break;
    case PhysicalKind::kNested: {
      std::vector<uint32_t> rows;
      for (size_t row = 0; row < call.rows; ++row)
        rows.push_back(static_cast<uint32_t>(value.index(row)));
      Column copied = Gather(*value.column, rows);
      copied.type = out.type;
      out = std::move(copied);
      break;
    }
  }
  for (size_t row = 0; row < call.rows; ++row) {
    const bool is_equal = !verdict.is_null(row) && verdict.bool_at(row);
    if (value.is_null(row) || is_equal) out.SetNull(row);
  }
}

// IS SINGLE: TRUE of 0 and 1; other numbers of rows are too many for a query that is a value.
void IsSingleKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const bool is_single = call.args[0].int_at(row) <= 1;
    out.bools[row] = is_single ? 1 : 0;
    if (!is_single) call.errors.Add(row, "a query that stands for a value gave more than one row");
  }
}

bool AreBoolean(std::span<const ExpressionPtr> args) {
  for (const ExpressionPtr& arg : args) {
    if (!FitParam(FunctionTable::Param::kBoolean, arg->type)) return false;
  }
  return true;
}

void AddConnective(FunctionTable& table, const char* name, Evaluation evaluation) {
  ScalarFunction function;
  function.name = name;
  function.usage = std::string("BOOLEAN ") + name + " BOOLEAN";
  function.bind = [](std::span<const ExpressionPtr> args) -> std::optional<Signature> {
    if (args.size() < 2 || !AreBoolean(args)) return std::nullopt;
    Signature signature{.args = std::vector<DataType>(args.size(), DataType::Boolean()),
                        .result = AsNullable(DataType::Boolean(), false)};
    for (const ExpressionPtr& arg : args)
      signature.result.nullable |= arg->type.nullable;
    return signature;
  };
  function.evaluation = evaluation;
  table.Add(std::move(function));
}

// One argument of any type (or a BOOLEAN), never NULL.
void AddTest(FunctionTable& table, const char* name, bool takes_boolean, Kernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.usage = std::string(takes_boolean ? "BOOLEAN " : "value ") + name;
  function.bind = [takes_boolean](std::span<const ExpressionPtr> args) -> std::optional<Signature> {
    if (args.size() != 1 || (takes_boolean && !AreBoolean(args))) return std::nullopt;
    return Signature{.args = {takes_boolean ? DataType::Boolean() : args[0]->type},
                     .result = AsNullable(DataType::Boolean(), false)};
  };
  function.kernel = kernel;
  function.evaluation = Evaluation::kLoose;
  table.Add(std::move(function));
}

std::optional<Signature> BindCoalesce(std::span<const ExpressionPtr> args) {
  if (args.empty()) return std::nullopt;
  DataType common;
  bool is_nullable = true;
  for (const ExpressionPtr& arg : args) {
    const std::optional<DataType> next = CommonTypeOf(common, arg->type, false);
    if (!next) return std::nullopt;
    common = *next;
    is_nullable = is_nullable && arg->type.nullable;
  }
  return Signature{.args = std::vector<DataType>(args.size(), common),
                   .result = AsNullable(common, is_nullable)};
}

}  // namespace

void AddLogicFunctions(FunctionTable& table) {
  AddConnective(table, "AND", Evaluation::kAnd);
  AddConnective(table, "OR", Evaluation::kOr);
  table.Add("NOT", {FunctionTable::Param::kBoolean}, 0, DataType::Boolean(), NotKernel);
  table.Add("IS SINGLE", {FunctionTable::Param::kInteger}, 0, DataType::Boolean(), IsSingleKernel);
  AddTest(table, "IS NULL", false, IsNullKernel<true>);
  AddTest(table, "IS NOT NULL", false, IsNullKernel<false>);
  AddTest(table, "IS TRUE", true, IsValueKernel<true, false>);
  AddTest(table, "IS NOT TRUE", true, IsValueKernel<true, true>);
  AddTest(table, "IS FALSE", true, IsValueKernel<false, false>);
  AddTest(table, "IS NOT FALSE", true, IsValueKernel<false, true>);
  AddTest(table, "IS UNKNOWN", true, IsNullKernel<true>);
  AddTest(table, "IS NOT UNKNOWN", true, IsNullKernel<false>);

  ScalarFunction coalesce;
  coalesce.name = "COALESCE";
  coalesce.usage = "COALESCE(a, b, …) with a common type";
  coalesce.bind = BindCoalesce;
  coalesce.evaluation = Evaluation::kCoalesce;
  table.Add(coalesce);
  coalesce.name = "IFNULL";
  coalesce.usage = "IFNULL(a, b) with a common type";
  coalesce.bind = [](std::span<const ExpressionPtr> args) {
    return args.size() == 2 ? BindCoalesce(args) : std::nullopt;
  };
  table.Add(std::move(coalesce));

  // MakeCall gives it the value and its comparison: NULLIF(a, b) is held as NULLIF(a, a = b).
  ScalarFunction null_if;
  null_if.name = "NULLIF";
  null_if.usage = "NULLIF(a, b) with comparable types";
  null_if.bind = [](std::span<const ExpressionPtr> args) -> std::optional<Signature> {
    if (args.size() != 2 || !AreBoolean(args.subspan(1))) return std::nullopt;
    return Signature{.args = {args[0]->type, DataType::Boolean()},
                     .result = AsNullable(args[0]->type)};
  };
  null_if.kernel = NullIfKernel;
  null_if.evaluation = Evaluation::kLoose;
  table.Add(std::move(null_if));
}

}  // namespace slipstream::sql
