#include "processor/expr/function_registry.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "processor/expr/aggregate_function.h"
#include "processor/expr/cast.h"
#include "processor/expr/function_table.h"
#include "processor/expr/json_shape.h"
#include "processor/expr/scalar_function.h"
#include "processor/expr/type_rules.h"

namespace slipstream::sql {
namespace {

constexpr std::string_view kApproxCountDistinct = "APPROX_COUNT_DISTINCT";

std::string UpperCase(std::string_view name) {
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return upper;
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// Functions of Flink's that there are not, and what there is instead.
struct Refused {
  std::string_view name;
  std::string_view instead;
};
constexpr std::array kRefused = std::to_array<Refused>(
    {{"COLLECT", "there is no MULTISET; ARRAY_AGG makes an ARRAY"},
     {"PARSE_JSON", "there is no VARIANT; JSON_VALUE and JSON_QUERY read JSON in a text"},
     {"TRY_PARSE_JSON", "there is no VARIANT; JSON_VALUE and JSON_QUERY read JSON in a text"},
     {"PRINTF", "there are CONCAT, LPAD and DATE_FORMAT"}});

Status NoSuchFunction(const std::string& name, const std::vector<std::string>& known) {
  for (const Refused& refused : kRefused) {
    if (refused.name != name) continue;
    return Unimplemented(name + " is not supported yet: " + std::string(refused.instead));
  }
  std::string nearest;
  size_t nearest_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(name, candidate);
    if (distance < nearest_distance) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  std::string message = "no function " + name;
  if (!nearest.empty()) message += "; did you mean " + nearest + "?";
  return NotFound(std::move(message));
}

std::string TypesOf(std::span<const ExpressionPtr> args) {
  std::string text;
  for (const ExpressionPtr& arg : args) {
    if (!text.empty()) text += ", ";
    text += AsNullable(arg->type).ToString();
  }
  return text;
}

// Casts an argument to what the signature wants, unless the kernel can read it as it is.
ExpressionPtr Coerce(ExpressionPtr arg, const DataType& target) {
  if (IsHeldAlike(arg->type, target)) return arg;
  return MakeCast(std::move(arg), target, false);
}

Status NeedsBoolean(const Expression& condition) {
  if (condition.type.kind == TypeKind::kBoolean || condition.type.kind == TypeKind::kNull) {
    return {};
  }
  return InvalidArgument("a condition must be BOOLEAN, not " +
                         AsNullable(condition.type).ToString());
}

Result<ExpressionPtr> MakeCase(std::vector<ExpressionPtr> args) {
  if (args.size() < 2) return InvalidArgument("CASE needs a WHEN and a THEN");
  if (args.size() % 2 == 0) args.push_back(MakeLiteral(std::monostate{}, DataType{}));
  std::vector<DataType> results;
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    RETURN_IF_ERROR(NeedsBoolean(*args[i]));
    results.push_back(args[i + 1]->type);
  }
  results.push_back(args.back()->type);
  ASSIGN_OR_RETURN(const DataType type, CommonType(results));
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    args[i] = Coerce(std::move(args[i]), DataType::Boolean());
    args[i + 1] = Coerce(std::move(args[i + 1]), type);
  }
  args.back() = Coerce(std::move(args.back()), type);
  auto expression = std::make_shared<Expression>();
  expression->kind = Expression::Kind::kCase;
  expression->type = type;
  expression->args = std::move(args);
  return ExpressionPtr(std::move(expression));
}

bool IsSpecialForm(std::string_view name) {
  return name == "CASE" || name == "IF" || name == "TYPEOF" || name == "CURRENT_DATABASE";
}

// TYPEOF(value[, as it is stored]): its type, as a literal.
Result<ExpressionPtr> MakeTypeOf(const std::vector<ExpressionPtr>& args) {
  const bool* stored = nullptr;
  if (args.size() == 2) stored = std::get_if<bool>(&args[1]->literal);
  if (args.empty() || args.size() > 2 || (args.size() == 2 && stored == nullptr)) {
    return InvalidArgument("TYPEOF takes a value, and perhaps TRUE or FALSE");
  }
  std::string type = args[0]->type.ToString();
  if (stored != nullptr && *stored) {
    const std::string_view length = "(2147483647)";
    if (type.starts_with("STRING")) type.replace(0, 6, "VARCHAR" + std::string(length));
    if (type.starts_with("BYTES")) type.replace(0, 5, "VARBINARY" + std::string(length));
  }
  return MakeLiteral(type, AsNullable(DataType::String(), false));
}

}  // namespace

Result<ExpressionPtr> MakeCall(std::string_view name, std::vector<ExpressionPtr> args) {
  const std::string upper = UpperCase(name);
  if (upper == "CASE") return MakeCase(std::move(args));
  if (upper == "IF") {
    if (args.size() != 3) return InvalidArgument("IF takes a condition and two values");
    return MakeCase(std::move(args));
  }
  if (upper == "TYPEOF") return MakeTypeOf(args);
  if (upper == "CURRENT_DATABASE" && args.empty()) {
    return MakeLiteral("default_database", AsNullable(DataType::String(), false));
  }
  if ((upper == "JSON_OBJECT" || upper == "JSON_ARRAY") && !args.empty()) {
    args.insert(args.begin() + 1, JsonShapeOf(args, 1));
  }
  if (upper == "NULLIF") {
    if (args.size() != 2) return InvalidArgument("NULLIF takes two values");
    // Its value keeps its own type, whatever the comparison casts it to.
    ASSIGN_OR_RETURN(args[1], MakeCall("=", {args[0], args[1]}));
  }
  const std::vector<ScalarFunction>* overloads = FunctionTable::Get().Find(upper);
  if (overloads == nullptr) {
    if (IsAggregateFunction(upper)) {
      return InvalidArgument("the aggregate function " + upper + " cannot stand here");
    }
    return NoSuchFunction(upper, FunctionTable::Get().Names());
  }
  for (const ScalarFunction& function : *overloads) {
    const std::optional<ScalarFunction::Signature> signature = function.bind(args);
    if (!signature) continue;
    auto expression = std::make_shared<Expression>();
    expression->kind = Expression::Kind::kCall;
    expression->type = signature->result;
    expression->function = &function;
    for (size_t i = 0; i < args.size(); ++i) {
      expression->args.push_back(Coerce(std::move(args[i]), signature->args[i]));
    }
    return ExpressionPtr(std::move(expression));
  }
  std::string accepted;
  for (const ScalarFunction& function : *overloads) {
    if (!accepted.empty()) accepted += " or ";
    accepted += function.usage;
  }
  return InvalidArgument(upper + " does not take (" + TypesOf(args) + "); it is " + accepted);
}

Result<AggregateCall> MakeAggregate(std::string_view name,
                                    std::vector<ExpressionPtr> args,
                                    bool is_distinct,
                                    ExpressionPtr filter) {
  const std::string upper = UpperCase(name);
  if (upper == kApproxCountDistinct) {
    // The count as it is is near enough.
    if (args.size() != 1) return InvalidArgument(upper + " takes one argument");
    return MakeAggregate("COUNT", std::move(args), true, std::move(filter));
  }
  const std::vector<const AggregateFunction*> overloads = FindAggregates(upper);
  if (overloads.empty()) return NoSuchFunction(upper, AggregateNames());
  if (filter) RETURN_IF_ERROR(NeedsBoolean(*filter));
  if (is_distinct && args.empty()) return InvalidArgument(upper + "(DISTINCT) needs an argument");
  if (upper.starts_with("JSON_") && !args.empty() && !MakesJson(*args.back())) {
    ASSIGN_OR_RETURN(args.back(), MakeCall("JSON_STRING", {args.back()}));
  }
  for (const AggregateFunction* function : overloads) {
    const std::optional<AggregateSignature> signature = function->Bind(args);
    if (!signature) continue;
    AggregateCall call{.function = function, .name = upper, .filter = std::move(filter)};
    for (size_t i = 0; i < args.size(); ++i) {
      call.args.push_back(Coerce(std::move(args[i]), signature->args[i]));
    }
    call.is_distinct = is_distinct;
    call.type = signature->result;
    return call;
  }
  return InvalidArgument(upper + " does not take (" + TypesOf(args) + "); it is " +
                         overloads.front()->usage());
}

bool IsScalarFunction(std::string_view name) {
  const std::string upper = UpperCase(name);
  return IsSpecialForm(upper) || FunctionTable::Get().Find(upper) != nullptr;
}

bool IsAggregateFunction(std::string_view name) {
  const std::string upper = UpperCase(name);
  return upper == kApproxCountDistinct || !FindAggregates(upper).empty();
}

Result<DataType> CommonType(std::span<const DataType> types) {
  DataType common;
  for (const DataType& type : types) {
    const std::optional<DataType> next = CommonTypeOf(common, type, false);
    if (!next) {
      return InvalidArgument("no common type for " + AsNullable(common).ToString() + " and " +
                             AsNullable(type).ToString());
    }
    common = *next;
  }
  common.nullable = std::any_of(types.begin(), types.end(), [](const DataType& type) {
    return type.nullable || type.kind == TypeKind::kNull;
  });
  return common;
}

bool CanCast(const DataType& from, const DataType& to) {
  return IsCastable(from, to);
}

}  // namespace slipstream::sql
