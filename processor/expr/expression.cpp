#include "processor/expr/expression.h"

#include <array>
#include <string_view>

#include "processor/expr/scalar_function.h"
#include "processor/expr/type_rules.h"

namespace slipstream::sql {
namespace {

bool IsSign(std::string_view name) {
  constexpr std::array<std::string_view, 15> kInfix = {
      "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "AND", "OR", "LIKE"};
  for (std::string_view sign : kInfix) {
    if (name == sign) return true;
  }
  return name.starts_with("IS ") && name.ends_with(" FROM");
}

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) {
    quoted.push_back(c);
    if (c == '\'') quoted.push_back(c);
  }
  return quoted + "'";
}

std::string BinaryText(const std::string& bytes) {
  std::string text = "x'";
  for (const char byte : bytes) {
    text.push_back("0123456789ABCDEF"[static_cast<uint8_t>(byte) >> 4]);
    text.push_back("0123456789ABCDEF"[static_cast<uint8_t>(byte) & 15]);
  }
  return text + "'";
}

std::string LiteralText(const Value& value, const DataType& type) {
  if (IsNull(value)) return "NULL";
  const std::string text = ToText(value, type);
  switch (type.kind) {
    case TypeKind::kDate:
      return "DATE '" + text + "'";
    case TypeKind::kTime:
      return "TIME '" + text + "'";
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return "TIMESTAMP '" + text + "'";
    case TypeKind::kIntervalDayTime:
    case TypeKind::kIntervalYearMonth:
      return "INTERVAL '" + text + "'";
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return BinaryText(std::get<std::string>(value));
    default:
      return type.is_string() ? Quoted(text) : text;
  }
}

std::string CallText(const Expression& call, const std::vector<Field>& names) {
  const std::string& name = call.function->name;
  const auto arg = [&](size_t i) { return call.args[i]->ToString(names); };
  if (call.args.size() == 2 && IsSign(name)) return "(" + arg(0) + " " + name + " " + arg(1) + ")";
  if (call.args.size() == 1 && name.starts_with("IS ")) return "(" + arg(0) + " " + name + ")";
  if (name == "ITEM") return arg(0) + "[" + arg(1) + "]";
  if (name == "ROW FIELD") {
    const auto field = static_cast<size_t>(std::get<int64_t>(call.args[1]->literal));
    return arg(0) + "." + (*call.args[0]->type.children)[field].name;
  }
  if (name == "NOT") return "(NOT " + arg(0) + ")";
  if (name == "NEGATE") return "(-" + arg(0) + ")";
  const bool is_in = name == "IN";
  std::string text = is_in ? "(" + arg(0) + " IN (" : name + "(";
  for (size_t i = is_in ? 1 : 0; i < call.args.size(); ++i) {
    if (i > (is_in ? 1U : 0U)) text += ", ";
    text += arg(i);
  }
  return text + (is_in ? "))" : ")");
}

}  // namespace

std::string Expression::ToString(const std::vector<Field>& names) const {
  switch (kind) {
    case Kind::kColumn:
      return column < names.size() ? names[column].name : "$" + std::to_string(column);
    case Kind::kLiteral:
      return LiteralText(literal, type);
    case Kind::kCall:
      return CallText(*this, names);
    case Kind::kCast:
      return std::string(is_try ? "TRY_CAST(" : "CAST(") + args[0]->ToString(names) + " AS " +
             AsNullable(type).ToString() + ")";
    case Kind::kOuter:
      return "outer $" + std::to_string(column);
    case Kind::kCase:
      break;
  }
  std::string text = "CASE";
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    text += " WHEN " + args[i]->ToString(names) + " THEN " + args[i + 1]->ToString(names);
  }
  return text + " ELSE " + args.back()->ToString(names) + " END";
}

ExpressionPtr MakeColumn(size_t column, DataType type) {
  auto expression = std::make_shared<Expression>();
  expression->kind = Expression::Kind::kColumn;
  expression->type = std::move(type);
  expression->column = column;
  return expression;
}

ExpressionPtr MakeOuterColumn(size_t column, DataType type) {
  auto expression = std::make_shared<Expression>();
  expression->kind = Expression::Kind::kOuter;
  expression->type = std::move(type);
  expression->column = column;
  return expression;
}

ExpressionPtr MakeLiteral(Value value, DataType type) {
  auto expression = std::make_shared<Expression>();
  expression->kind = Expression::Kind::kLiteral;
  expression->type = std::move(type);
  expression->literal = std::move(value);
  return expression;
}

ExpressionPtr MakeCast(ExpressionPtr from, DataType to, bool is_try) {
  if (IsSameType(from->type, to)) return from;
  const bool is_null = from->kind == Expression::Kind::kLiteral && IsNull(from->literal);
  if (is_null) return MakeLiteral(std::monostate{}, AsNullable(std::move(to)));
  auto expression = std::make_shared<Expression>();
  expression->kind = Expression::Kind::kCast;
  expression->type = AsNullable(std::move(to), is_try || from->type.nullable);
  expression->is_try = is_try;
  expression->args.push_back(std::move(from));
  return expression;
}

}  // namespace slipstream::sql
