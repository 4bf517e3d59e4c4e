#include <utility>

#include <fmt/format.h>

#include "processor/planner/expression_binder.h"
#include "processor/planner/query_planner.h"

// CROSS JOIN UNNEST and its kin; the rest of FROM is in query_planner_from.cpp.

namespace slipstream::sql {
namespace {

// The columns that an element gives.
Schema ElementColumns(const DataType& type) {
  if (type.kind == TypeKind::kMap) return *type.children;
  const DataType& element = (*type.children)[0].type;
  if (element.kind == TypeKind::kRow) return *element.children;
  return {{"EXPR$0", element}};
}

bool IsTrue(const ast::ExprPtr& condition) {
  if (!condition) return true;
  const auto* const literal = std::get_if<ast::Literal>(&condition->node);
  return literal != nullptr && literal->kind == ast::Literal::Kind::kBoolean &&
         literal->text == "TRUE";
}

}  // namespace

Relation QueryPlanner::PlanUnnest(const ast::Join& join, const ast::TableRef& right) {
  using Kind = ast::Join::Kind;
  if (join.kind == Kind::kRight || join.kind == Kind::kFull || join.is_natural ||
      !join.using_columns.empty() || !IsTrue(join.condition)) {
    context_.Unsupported(right.at, "UNNEST other than by CROSS JOIN or LEFT JOIN … ON TRUE is");
  }
  Relation relation = PlanFrom(*join.left);
  if (relation.window) context_.Unsupported(right.at, "UNNEST after a window table function is");
  return UnnestBehind(std::move(relation), right, join.kind == Kind::kLeft);
}

Relation QueryPlanner::UnnestBehind(Relation relation,
                                    const ast::TableRef& table,
                                    bool is_outer) const {
  const auto& unnest = std::get<ast::Unnest>(table.node);
  const ExpressionPtr value =
      ExpressionBinder(context_, relation.columns, "UNNEST").Bind(*unnest.value);
  if (value->type.kind != TypeKind::kArray && value->type.kind != TypeKind::kMap) {
    context_.Fail(unnest.value->at,
                  fmt::format("UNNEST takes an ARRAY or a MAP, not {}", value->type.ToString()));
  }
  auto node = std::make_unique<PlanNode>();
  node->kind = PlanNode::Kind::kUnnest;
  node->unnested = value;
  node->is_outer = is_outer;
  node->has_ordinality = unnest.has_ordinality;
  node->output = relation.node->output;
  Relation elements;
  Schema added = ElementColumns(value->type);
  if (unnest.has_ordinality) added.push_back({"ORDINALITY", DataType::Int()});
  for (Field& field : added) {
    field.type.nullable = field.type.nullable || node->is_outer;
    elements.columns.push_back(
        {.name = field.name, .type = field.type, .column = node->output.size()});
    node->output.push_back(std::move(field));
  }
  Rename(elements, table.alias ? table.alias->text : "", table.columns);
  node->inputs.push_back(std::move(relation.node));
  relation.node = std::move(node);
  for (ScopeColumn& column : elements.columns)
    relation.columns.push_back(std::move(column));
  return relation;
}

}  // namespace slipstream::sql
