#include "processor/planner/field_use.h"

#include <iterator>
#include <memory>
#include <utility>

#include "processor/expr/scalar_function.h"

namespace slipstream::sql {
namespace {

bool IsFieldOfRow(const Expression& expression) {
  return expression.kind == Expression::Kind::kCall && expression.function->name == "ROW FIELD";
}

size_t FieldPlace(const Expression& field) {
  return static_cast<size_t>(std::get<int64_t>(field.args[1]->literal));
}

}  // namespace

void FieldUse::Add(const FieldUse& more) {
  is_whole = is_whole || more.is_whole;
  for (const auto& [place, use] : more.fields)
    fields[place].Add(use);
}

void AddUses(const Expression& expression, const FieldUse& use, FieldUses& columns) {
  if (expression.kind == Expression::Kind::kColumn) {
    columns[expression.column].Add(use);
    return;
  }
  if (IsFieldOfRow(expression)) {
    AddUses(*expression.args[0], {.fields = {{FieldPlace(expression), use}}}, columns);
    return;
  }
  for (const ExpressionPtr& arg : expression.args)
    AddUses(*arg, FieldUse::Whole(), columns);
}

const FieldUse& UseOf(const Expression& expression, const FieldUses& columns) {
  static const FieldUse whole = FieldUse::Whole();
  if (expression.kind == Expression::Kind::kColumn) return columns[expression.column];
  if (!IsFieldOfRow(expression)) return whole;
  const FieldUse& row = UseOf(*expression.args[0], columns);
  return row.is_whole ? whole : row.fields.at(FieldPlace(expression));
}

DataType NarrowType(const DataType& type, const FieldUse& use) {
  if (type.kind != TypeKind::kRow || use.is_whole || use.is_none()) return type;
  std::vector<Field> fields;
  for (const auto& [place, field_use] : use.fields) {
    const Field& field = (*type.children)[place];
    fields.push_back({field.name, NarrowType(field.type, field_use)});
  }
  DataType narrowed = type;
  narrowed.children = std::make_shared<const std::vector<Field>>(std::move(fields));
  return narrowed;
}

ExpressionPtr NarrowExpression(const ExpressionPtr& expression, const FieldUses& columns) {
  if (!expression || expression->kind == Expression::Kind::kLiteral) return expression;
  auto narrowed = std::make_shared<Expression>(*expression);
  for (ExpressionPtr& arg : narrowed->args)
    arg = NarrowExpression(arg, columns);
  narrowed->type = NarrowType(expression->type, UseOf(*expression, columns));
  if (!IsFieldOfRow(*expression)) return narrowed;
  const FieldUse& row = UseOf(*expression->args[0], columns);
  if (row.is_whole) return narrowed;
  const auto kept = row.fields.find(FieldPlace(*expression));
  narrowed->args[1] = MakeLiteral(static_cast<int64_t>(std::distance(row.fields.begin(), kept)),
                                  narrowed->args[1]->type);
  return narrowed;
}

}  // namespace slipstream::sql
