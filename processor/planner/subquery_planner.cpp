#include "processor/planner/subquery_planner.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "processor/expr/scalar_function.h"
#include "processor/planner/conjuncts.h"
#include "processor/planner/decorrelation.h"
#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/outer_keys.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/query_planner.h"
#include "processor/planner/window_functions.h"
#include "processor/sql/ast_children.h"

namespace slipstream::sql {
namespace {

bool GivesOneRow(const PlanNode& node) {
  switch (node.kind) {
    case PlanNode::Kind::kAggregate:
      return node.group_columns.empty();
    case PlanNode::Kind::kValues:
      return node.rows.size() <= 1;
    case PlanNode::Kind::kLimit:
      return node.limit && *node.limit <= 1;
    case PlanNode::Kind::kProject:
    case PlanNode::Kind::kFilter:
    case PlanNode::Kind::kSort:
      return GivesOneRow(*node.inputs.front());
    default:
      return false;
  }
}

bool HasCall(const ast::Select& select, bool (*is_such)(const ast::Call&)) {
  return std::any_of(select.items.begin(), select.items.end(), [&](const ast::SelectItem& item) {
    return ast::AnyOf(*item.value, [&](const ast::Expr& part) {
      const auto* const call = std::get_if<ast::Call>(&part.node);
      return call != nullptr && is_such(*call);
    });
  });
}

bool HasOver(const ast::Select& select) {
  return HasCall(select, [](const ast::Call& call) { return call.over != nullptr; });
}

bool HasAggregate(const ast::Select& select) {
  return HasCall(select, [](const ast::Call& call) {
    return call.over == nullptr && IsAggregateFunction(call.function.text);
  });
}

// What stands behind the NOTs that a part begins with; each of them turns `is_negated` round.
const ast::Expr& WithoutNots(const ast::Expr& part, bool& is_negated) {
  const ast::Expr* inner = &part;
  while (const auto* const negation = std::get_if<ast::Unary>(&inner->node)) {
    is_negated = !is_negated;
    inner = negation->operand.get();
  }
  return *inner;
}

}  // namespace

void SplitAnd(const ast::Expr& condition, std::vector<const ast::Expr*>& parts) {
  const auto* const binary = std::get_if<ast::Binary>(&condition.node);
  if (binary == nullptr || binary->op != "AND") return parts.push_back(&condition);
  SplitAnd(*binary->left, parts);
  SplitAnd(*binary->right, parts);
}

bool IsSubqueryCondition(const ast::Expr& part) {
  if (const auto* const negation = std::get_if<ast::Unary>(&part.node)) {
    return negation->op == "NOT" && IsSubqueryCondition(*negation->operand);
  }
  const auto* const in = std::get_if<ast::InQuery>(&part.node);
  return (in != nullptr && in->op == "=" && !HasSubquery(*in->value)) ||
         std::holds_alternative<ast::Exists>(part.node);
}

const ast::InQuery* InConditionOf(const ast::Expr& part, bool& is_negated) {
  is_negated = false;
  const auto* const in = std::get_if<ast::InQuery>(&WithoutNots(part, is_negated).node);
  if (in != nullptr) is_negated = is_negated != in->is_negated;
  return in;
}

bool HasSubquery(const ast::Expr& condition) {
  return ast::AnyOf(condition, [](const ast::Expr& part) {
    return std::holds_alternative<ast::InQuery>(part.node) ||
           std::holds_alternative<ast::Exists>(part.node) ||
           std::holds_alternative<ast::ScalarQuery>(part.node);
  });
}

void SubqueryPlanner::FilterBy(const std::vector<const ast::Expr*>& parts,
                               std::string_view clause) {
  ExpressionPtr condition;
  for (const ast::Expr* const part : parts) {
    if (IsSubqueryCondition(*part)) {
      AddCondition(*part);
      continue;
    }
    ExpressionBinder binder(context_, input_.columns, clause);
    binder.AllowSubqueries(*this);
    condition = And(std::move(condition), binder.BindCondition(*part));
  }
  if (condition) input_.node = MakeFilter(std::move(input_.node), std::move(condition));
}

void SubqueryPlanner::AddCondition(const ast::Expr& part) {
  bool is_negated = false;
  if (const ast::InQuery* const in = InConditionOf(part, is_negated)) {
    Inner rows = PlanInner(*in->query);
    ExpressionBinder binder(context_, input_.columns, "the left side of IN");
    const std::vector<ExpressionPtr> left = BindLeft(*in->value, rows.values.size(), binder);
    return JoinIn(std::move(rows), left, is_negated, part.at);
  }
  is_negated = false;
  const ast::Expr& inner = WithoutNots(part, is_negated);
  AddExists(*std::get<ast::Exists>(inner.node).query, is_negated);
}

void SubqueryPlanner::AddIn(ExpressionPtr left, Inner rows, bool is_negated, Span at) {
  if (rows.values.size() != 1) {
    context_.Fail(
        at, fmt::format("IN compares 1 value with {} columns of the query", rows.values.size()));
  }
  JoinIn(std::move(rows), {std::move(left)}, is_negated, at);
}

void SubqueryPlanner::Join(PlanNodePtr right, JoinSpec::Type type, ExpressionPtr condition) {
  input_.node = MakeJoin(std::move(input_.node), std::move(right), type, std::move(condition));
  input_.has_join = true;
}

ExpressionPtr SubqueryPlanner::SideBySide(const ExpressionPtr& expression) const {
  const size_t width = input_.node->output.size();
  return ReplaceColumns(expression, [&](const ExpressionPtr& column) {
    const bool is_outer = column->column >= kFirstOuterColumn;
    return MakeColumn(is_outer ? column->column - kFirstOuterColumn : column->column + width,
                      column->type);
  });
}

ExpressionPtr SubqueryPlanner::AllSideBySide(const std::vector<ExpressionPtr>& parts) const {
  ExpressionPtr condition;
  for (const ExpressionPtr& part : parts)
    condition = And(std::move(condition), SideBySide(part));
  return condition;
}

std::optional<SubqueryPlanner::Plain> SubqueryPlanner::PlanPlain(const ast::Query& query) {
  if (query.terms.size() > 1 || query.limit || query.offset > 0 || !query.common_tables.empty()) {
    return std::nullopt;
  }
  const auto* const select = std::get_if<ast::Select>(&query.terms.front().body);
  if (select == nullptr || !select->from || select->has_group_by || select->having ||
      select->qualify || HasOver(*select)) {
    return std::nullopt;
  }
  const PlanContext::OuterScope scope(context_, input_.columns);
  Plain plain{.select = select,
              .relation = queries_.PlanFrom(*select->from),
              .correlated = {},
              .is_aggregate = HasAggregate(*select)};
  Relation& relation = plain.relation;
  if (relation.window) AssignWindow(context_, relation);
  std::vector<const ast::Expr*> parts;
  if (select->where) SplitAnd(*select->where, parts);
  SubqueryPlanner subqueries(context_, queries_, relation);
  ExpressionPtr condition;
  for (const ast::Expr* part : parts) {
    if (IsSubqueryCondition(*part)) {
      subqueries.AddCondition(*part);
      continue;
    }
    ExpressionBinder binder(context_, relation.columns, "WHERE");
    binder.SeeOuter(input_.columns);
    binder.AllowSubqueries(subqueries);
    std::vector<ExpressionPtr> bound;
    SplitConjuncts(binder.BindCondition(*part), bound);
    for (ExpressionPtr& conjunct : bound) {
      if (IsCorrelated(*conjunct)) {
        plain.correlated.push_back(std::move(conjunct));
      } else {
        condition = And(std::move(condition), std::move(conjunct));
      }
    }
  }
  if (condition) relation.node = MakeFilter(std::move(relation.node), std::move(condition));
  if (!OuterColumnsOf(*relation.node, scope.level()).empty()) return std::nullopt;
  return plain;
}

SubqueryPlanner::Inner SubqueryPlanner::PlanWhole(const ast::Query& query) {
  Inner inner;
  const PlanContext::OuterScope scope(context_, input_.columns);
  Relation relation = queries_.Plan(query);
  for (const ScopeColumn& column : relation.columns)
    inner.values.push_back(MakeColumn(column.column, column.type));
  inner.gives_one_row = GivesOneRow(*relation.node);
  if (!around_ && !OuterColumnsOf(*relation.node, scope.level()).empty()) {
    around_ = Clone(*input_.node);
  }
  const PlanNode& around = around_ ? *around_ : *input_.node;
  DependentQuery dependent =
      Decorrelate(std::move(relation.node), around, scope.level(), context_, query.at);
  inner.correlated = SameOuter(dependent, kFirstOuterColumn, 0);
  inner.node = std::move(dependent.node);
  return inner;
}

SubqueryPlanner::Inner SubqueryPlanner::PlanInner(const ast::Query& query) {
  std::optional<Plain> plain = PlanPlain(query);
  if (!plain || plain->is_aggregate) return PlanWhole(query);
  Inner inner;
  ExpressionBinder binder(context_, plain->relation.columns, "SELECT");
  binder.SeeOuter(input_.columns);
  for (const ast::SelectItem& item : plain->select->items) {
    if (HasSubquery(*item.value)) return PlanWhole(query);
    if (!std::holds_alternative<ast::Star>(item.value->node)) {
      inner.values.push_back(binder.Bind(*item.value));
      continue;
    }
    for (const ScopeColumn& column : plain->relation.columns)
      inner.values.push_back(MakeColumn(column.column, column.type));
  }
  inner.node = std::move(plain->relation.node);
  inner.correlated = std::move(plain->correlated);
  return inner;
}

SubqueryPlanner::Inner SubqueryPlanner::PlanKeyed(const ast::Query& query) {
  Inner inner = PlanInner(query);
  const bool is_keyed =
      AreKeys(inner.correlated) &&
      std::none_of(inner.values.begin(), inner.values.end(), [](const ExpressionPtr& value) {
        return IsCorrelated(*value);
      });
  return is_keyed ? std::move(inner) : PlanWhole(query);
}

void SubqueryPlanner::AddExists(const ast::Query& query, bool is_negated) {
  Inner inner = PlanInner(query);
  ExpressionPtr condition = AllSideBySide(inner.correlated);
  Join(std::move(inner.node),
       is_negated ? JoinSpec::Type::kAnti : JoinSpec::Type::kSemi,
       std::move(condition));
}

// The left side of IN: one value, or ROW(…) of as many as the query gives.
std::vector<ExpressionPtr> SubqueryPlanner::BindLeft(const ast::Expr& value,
                                                     size_t width,
                                                     ExpressionBinder& binder) const {
  std::vector<ExpressionPtr> left;
  const auto* const row = std::get_if<ast::Constructor>(&value.node);
  if (width > 1 && row != nullptr && row->kind == ast::Constructor::Kind::kRow) {
    for (const ast::ExprPtr& item : row->items)
      left.push_back(binder.Bind(*item));
  } else {
    left.push_back(binder.Bind(value));
  }
  if (left.size() != width) {
    context_.Fail(value.at,
                  fmt::format("IN compares {} value{} with {} columns of the query",
                              left.size(),
                              left.size() == 1 ? "" : "s",
                              width));
  }
  return left;
}

void SubqueryPlanner::JoinIn(Inner rows,
                             const std::vector<ExpressionPtr>& left,
                             bool is_negated,
                             Span at) {
  const auto call = [&](std::string_view name, std::vector<ExpressionPtr> args) {
    return context_.Check(MakeCall(name, std::move(args)), at);
  };
  ExpressionPtr condition = AllSideBySide(rows.correlated);
  for (size_t i = 0; i < left.size(); ++i) {
    const ExpressionPtr right = SideBySide(rows.values[i]);
    ExpressionPtr is_same = call("=", {left[i], right});
    // x NOT IN (…) is not TRUE where a comparison with NULL is neither.
    if (is_negated) {
      for (const ExpressionPtr& value : {left[i], right}) {
        if (value->type.nullable) is_same = call("OR", {is_same, call("IS NULL", {value})});
      }
    }
    condition = And(std::move(condition), std::move(is_same));
  }
  Join(std::move(rows.node),
       is_negated ? JoinSpec::Type::kAnti : JoinSpec::Type::kSemi,
       std::move(condition));
}

}  // namespace slipstream::sql
