#include "processor/expr/function_table.h"

#include <algorithm>

#include "processor/expr/type_rules.h"

namespace slipstream::sql {
namespace {

std::string ParamName(FunctionTable::Param param) {
  switch (param) {
    case FunctionTable::Param::kBoolean:
      return "BOOLEAN";
    case FunctionTable::Param::kInteger:
      return "INT";
    case FunctionTable::Param::kDouble:
      return "DOUBLE";
    case FunctionTable::Param::kString:
      return "STRING";
    case FunctionTable::Param::kDate:
      return "DATE";
    case FunctionTable::Param::kTimestamp:
      return "TIMESTAMP";
    case FunctionTable::Param::kAny:
      break;
  }
  return "ANY";
}

std::string UsageOf(const std::string& name,
                    const std::vector<FunctionTable::Param>& params,
                    size_t optional) {
  std::string usage = name + "(";
  for (size_t i = 0; i < params.size(); ++i) {
    if (i + optional >= params.size()) usage += "[";
    if (i > 0) usage += ", ";
    usage += ParamName(params[i]);
  }
  return usage.append(optional, ']') + ")";
}

}  // namespace

std::optional<DataType> FitParam(FunctionTable::Param param, const DataType& type) {
  const bool is_null = type.kind == TypeKind::kNull;
  const auto take = [&](bool fits, DataType target) -> std::optional<DataType> {
    if (!fits && !is_null) return std::nullopt;
    return target;
  };
  switch (param) {
    case FunctionTable::Param::kAny:
      return type;
    case FunctionTable::Param::kBoolean:
      return take(type.kind == TypeKind::kBoolean, DataType::Boolean());
    case FunctionTable::Param::kInteger:
      return take(type.is_integer(), DataType::BigInt());
    case FunctionTable::Param::kDouble:
      return take(type.is_numeric(), DataType::Double());
    case FunctionTable::Param::kString:
      return take(type.is_string(), DataType::String());
    case FunctionTable::Param::kDate:
      return take(type.kind == TypeKind::kDate, DataType::Date());
    case FunctionTable::Param::kTimestamp:
      if (type.is_timestamp()) return type;
      return take(type.kind == TypeKind::kDate, DataType::Timestamp(3));
  }
  return std::nullopt;
}

const FunctionTable& FunctionTable::Get() {
  static const FunctionTable* const table = [] {
    auto* made = new FunctionTable;  // never destroyed: expressions point into it
    AddComparisonFunctions(*made);
    AddLogicFunctions(*made);
    AddArithmeticFunctions(*made);
    AddMathFunctions(*made);
    AddTextFunctions(*made);
    AddPatternFunctions(*made);
    AddTimeFunctions(*made);
    AddNestedFunctions(*made);
    AddSearchFunctions(*made);
    AddRegexpFunctions(*made);
    AddDigestFunctions(*made);
    AddJsonFunctions(*made);
    AddJsonConstruction(*made);
    AddArrayFunctions(*made);
    AddMapFunctions(*made);
    AddEncodingFunctions(*made);
    AddRandomFunctions(*made);
    AddZoneFunctions(*made);
    AddClockFunctions(*made);
    return made;
  }();
  return *table;
}

const std::vector<ScalarFunction>* FunctionTable::Find(std::string_view name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : &found->second;
}

std::vector<std::string> FunctionTable::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, overloads] : functions_)
    names.push_back(name);
  return names;
}

void FunctionTable::Add(ScalarFunction function) {
  functions_[function.name].push_back(std::move(function));
}

void FunctionTable::Add(std::string name,
                        std::vector<Param> params,
                        size_t optional,
                        const DataType& result,
                        Kernel kernel) {
  ScalarFunction function;
  function.usage = UsageOf(name, params, optional);
  function.name = std::move(name);
  function.kernel = kernel;
  function.bind =
      [params = std::move(params), optional, result](
          std::span<const ExpressionPtr> args) -> std::optional<ScalarFunction::Signature> {
    if (args.size() > params.size() || args.size() + optional < params.size()) return std::nullopt;
    ScalarFunction::Signature signature{.args = {}, .result = AsNullable(result, false)};
    for (size_t i = 0; i < args.size(); ++i) {
      const std::optional<DataType> fit = FitParam(params[i], args[i]->type);
      if (!fit) return std::nullopt;
      signature.args.push_back(*fit);
      if (args[i]->type.nullable) signature.result.nullable = true;
    }
    return signature;
  };
  Add(std::move(function));
}

bool AnyIsNullable(std::span<const ExpressionPtr> args) {
  return std::any_of(
      args.begin(), args.end(), [](const ExpressionPtr& arg) { return arg->type.nullable; });
}

}  // namespace slipstream::sql
