#include "processor/planner/subquery_planner.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "processor/expr/scalar_function.h"
#include "processor/expr/type_rules.h"
#include "processor/planner/aggregate_collector.h"
#include "processor/planner/conjuncts.h"
#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/query_planner.h"
#include "processor/planner/window_functions.h"
#include "processor/sql/ast_children.h"

namespace slipstream::sql {
namespace {

bool IsCorrelated(const Expression& expression) {
  std::set<size_t> columns;
  CollectColumns(expression, columns);
  return !columns.empty() && *columns.rbegin() >= kFirstOuterColumn;
}

// Whether it reads outer columns and no others.
bool IsOuter(const Expression& expression) {
  std::set<size_t> columns;
  CollectColumns(expression, columns);
  return !columns.empty() && *columns.begin() >= kFirstOuterColumn;
}

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
  return (in != nullptr && !HasSubquery(*in->value)) ||
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

void SubqueryPlanner::AddCondition(const ast::Expr& part) {
  bool is_negated = false;
  if (const ast::InQuery* const in = InConditionOf(part, is_negated)) {
    Rows rows = PlanRows(*in->query, part.at);
    const std::vector<ExpressionPtr> left = BindLeft(*in->value, rows.values.size());
    return JoinIn(std::move(rows), left, is_negated, part.at);
  }
  is_negated = false;
  const ast::Expr& inner = WithoutNots(part, is_negated);
  AddExists(*std::get<ast::Exists>(inner.node).query, is_negated);
}

void SubqueryPlanner::AddIn(ExpressionPtr left, const ast::Query& query, bool is_negated, Span at) {
  Rows rows = PlanWhole(query);
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

std::optional<SubqueryPlanner::Plain> SubqueryPlanner::PlanPlain(const ast::Query& query) {
  if (query.terms.size() > 1 || query.limit || query.offset > 0 || !query.common_tables.empty()) {
    return std::nullopt;
  }
  const auto* const select = std::get_if<ast::Select>(&query.terms.front().body);
  if (select == nullptr || !select->from || select->has_group_by || select->having ||
      select->qualify) {
    return std::nullopt;
  }
  Plain plain{.select = select, .relation = queries_.PlanFrom(*select->from), .correlated = {}};
  Relation& relation = plain.relation;
  if (relation.window) AssignWindow(context_, relation);
  if (!select->where) return plain;
  std::vector<const ast::Expr*> parts;
  SplitAnd(*select->where, parts);
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
  return plain;
}

void SubqueryPlanner::AddExists(const ast::Query& query, bool is_negated) {
  const JoinSpec::Type type = is_negated ? JoinSpec::Type::kAnti : JoinSpec::Type::kSemi;
  std::optional<Plain> plain = PlanPlain(query);
  if (!plain) return Join(queries_.Plan(query).node, type, nullptr);
  CheckNoAggregate(*plain, query.at);
  ExpressionPtr condition;
  for (const ExpressionPtr& part : plain->correlated)
    condition = And(std::move(condition), SideBySide(part));
  Join(std::move(plain->relation.node), type, std::move(condition));
}

// An aggregate of all rows is there even if they are not.
void SubqueryPlanner::CheckNoAggregate(const Plain& plain, Span at) const {
  AggregateCollector collector;
  ExpressionBinder binder(context_, plain.relation.columns, "SELECT", &collector);
  binder.SeeOuter(input_.columns);
  for (const ast::SelectItem& item : plain.select->items) {
    if (!std::holds_alternative<ast::Star>(item.value->node)) binder.Bind(*item.value);
  }
  if (!collector.calls().empty()) {
    context_.Unsupported(at, "EXISTS of an aggregate is", "it is always TRUE");
  }
}

SubqueryPlanner::Rows SubqueryPlanner::PlanRows(const ast::Query& query, Span at) {
  Rows rows;
  if (std::optional<Plain> plain = PlanPlain(query)) {
    AggregateCollector collector;
    ExpressionBinder binder(context_, plain->relation.columns, "SELECT", &collector);
    binder.SeeOuter(input_.columns);
    for (const ast::SelectItem& item : plain->select->items) {
      if (std::holds_alternative<ast::Star>(item.value->node)) {
        for (const ScopeColumn& column : plain->relation.columns)
          rows.values.push_back(SideBySide(MakeColumn(column.column, column.type)));
        continue;
      }
      rows.values.push_back(binder.Bind(*item.value));
      if (collector.calls().empty()) rows.values.back() = SideBySide(rows.values.back());
    }
    if (collector.calls().empty()) {
      for (const ExpressionPtr& part : plain->correlated)
        rows.condition = And(std::move(rows.condition), SideBySide(part));
      rows.node = std::move(plain->relation.node);
      return rows;
    }
    if (!plain->correlated.empty()) {
      context_.Unsupported(at, "IN of an aggregate that depends on the query around it is");
    }
  }
  return PlanWhole(query);
}

SubqueryPlanner::Rows SubqueryPlanner::PlanWhole(const ast::Query& query) {
  Rows rows;
  Relation relation = queries_.Plan(query);
  for (const ScopeColumn& column : relation.columns)
    rows.values.push_back(SideBySide(MakeColumn(column.column, column.type)));
  rows.node = std::move(relation.node);
  return rows;
}

// The left side of IN: one value, or ROW(…) of as many as the query gives.
std::vector<ExpressionPtr> SubqueryPlanner::BindLeft(const ast::Expr& value, size_t width) {
  ExpressionBinder binder(context_, input_.columns, "the left side of IN");
  binder.AllowSubqueries(*this);
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

void SubqueryPlanner::JoinIn(Rows rows,
                             const std::vector<ExpressionPtr>& left,
                             bool is_negated,
                             Span at) {
  const auto call = [&](std::string_view name, std::vector<ExpressionPtr> args) {
    return context_.Check(MakeCall(name, std::move(args)), at);
  };
  ExpressionPtr condition = std::move(rows.condition);
  for (size_t i = 0; i < left.size(); ++i) {
    ExpressionPtr is_same = call("=", {left[i], rows.values[i]});
    // x NOT IN (…) is not TRUE where a comparison with NULL is neither.
    if (is_negated) {
      for (const ExpressionPtr& value : {left[i], rows.values[i]}) {
        if (value->type.nullable) is_same = call("OR", {is_same, call("IS NULL", {value})});
      }
    }
    condition = And(std::move(condition), std::move(is_same));
  }
  Join(std::move(rows.node),
       is_negated ? JoinSpec::Type::kAnti : JoinSpec::Type::kSemi,
       std::move(condition));
}

ExpressionPtr SubqueryPlanner::BindScalar(const ast::Query& query, Span at) {
  if (std::optional<Plain> plain = PlanPlain(query); plain && !plain->correlated.empty()) {
    return BindCorrelatedAggregate(*std::move(plain), at);
  }
  Relation relation = queries_.Plan(query);
  if (relation.columns.size() != 1) {
    context_.Fail(at,
                  fmt::format("a query that stands for a value gives one column, not {}",
                              relation.columns.size()));
  }
  const bool gives_one = GivesOneRow(*relation.node);
  if (!gives_one && context_.every_input_is_bounded()) {
    relation = SingleValue(std::move(relation), at);
  } else if (!gives_one) {
    context_.Unsupported(at,
                         "a query that stands for a value and may give many rows is",
                         "aggregate them: MAX(…), or LIMIT 1");
  }
  if (puts_off_) {
    DataType type = relation.columns.front().type;
    type.nullable = true;
    put_off_.push_back(std::move(relation));
    return MakeColumn(kFirstScalarColumn + put_off_.size() - 1, std::move(type));
  }
  const size_t column = input_.node->output.size() + relation.columns.front().column;
  Join(std::move(relation.node), JoinSpec::Type::kLeft, nullptr);
  return MakeColumn(column, input_.node->output[column].type);
}

// The value of the only row, or NULL: an aggregate, of which more rows are an error.
Relation SubqueryPlanner::SingleValue(Relation relation, Span at) const {
  const ScopeColumn& column = relation.columns.front();
  const ExpressionPtr value = MakeColumn(column.column, column.type);
  auto aggregate = std::make_unique<PlanNode>();
  aggregate->kind = PlanNode::Kind::kAggregate;
  for (std::vector<ExpressionPtr> args : {std::vector<ExpressionPtr>{}, {value}}) {
    const std::string_view name = args.empty() ? "COUNT" : "MIN";
    aggregate->aggregates.push_back(
        context_.Check(MakeAggregate(name, std::move(args), false, nullptr), at));
    aggregate->output.push_back({std::string(name), aggregate->aggregates.back().type});
  }
  aggregate->inputs.push_back(std::move(relation.node));
  const auto result = [&](size_t i) { return MakeColumn(i, aggregate->output[i].type); };
  const ExpressionPtr is_single = context_.Check(MakeCall("IS SINGLE", {result(0)}), at);
  const ExpressionPtr single = context_.Check(
      MakeCall("CASE", {is_single, result(1), MakeLiteral({}, result(1)->type)}), at);
  ScopeColumn only{.name = column.name, .type = single->type};
  relation.columns = {std::move(only)};
  relation.node = MakeProject(std::move(aggregate), {single}, {relation.columns.front().name});
  return relation;
}

void SubqueryPlanner::JoinScalars() {
  for (Relation& relation : put_off_) {
    scalars_.push_back(input_.node->output.size() + relation.columns.front().column);
    Join(std::move(relation.node), JoinSpec::Type::kLeft, nullptr);
  }
  put_off_.clear();
}

ExpressionPtr SubqueryPlanner::Settle(const ExpressionPtr& expression) const {
  return ReplaceColumns(expression, [&](const ExpressionPtr& column) {
    const bool is_scalar =
        column->column >= kFirstScalarColumn && column->column < kFirstOuterColumn;
    return is_scalar ? MakeColumn(scalars_[column->column - kFirstScalarColumn], column->type)
                     : column;
  });
}

SubqueryPlanner::Plain SubqueryPlanner::PlanInner(const ast::Query& query,
                                                  std::vector<ExpressionPtr>& values,
                                                  Span at) {
  if (std::optional<Plain> plain = PlanPlain(query)) {
    AggregateCollector collector;
    ExpressionBinder binder(context_, plain->relation.columns, "SELECT", &collector);
    for (const ast::SelectItem& item : plain->select->items) {
      if (std::holds_alternative<ast::Star>(item.value->node)) {
        for (const ScopeColumn& column : plain->relation.columns)
          values.push_back(MakeColumn(column.column, column.type));
      } else {
        values.push_back(binder.Bind(*item.value));
      }
    }
    if (collector.calls().empty()) return *std::move(plain);
    if (!plain->correlated.empty()) {
      context_.Unsupported(at, "IN of an aggregate that depends on the query around it is");
    }
    values.clear();
  }
  Plain whole{.select = nullptr, .relation = queries_.Plan(query), .correlated = {}};
  for (const ScopeColumn& column : whole.relation.columns)
    values.push_back(MakeColumn(column.column, column.type));
  return whole;
}

ExpressionPtr SubqueryPlanner::BindIn(const ast::InQuery& in, Span at) {
  const auto call = [&](std::string_view name, std::vector<ExpressionPtr> args) {
    return context_.Check(MakeCall(name, std::move(args)), at);
  };
  const auto count = [&](std::vector<ExpressionPtr> args) {
    return context_.Check(MakeAggregate("COUNT", std::move(args), false, nullptr), at);
  };
  const ExpressionPtr none = MakeLiteral(int64_t{0}, AsNullable(DataType::BigInt(), false));
  std::vector<ExpressionPtr> values;
  Plain equal = PlanInner(*in.query, values, at);
  const std::vector<ExpressionPtr> left = BindLeft(*in.value, values.size());
  if (left.size() > 1) {
    context_.Unsupported(at, "IN of several columns other than as a condition of WHERE is");
  }
  const ExpressionPtr outer = ReplaceColumns(left.front(), [](const ExpressionPtr& column) {
    return MakeColumn(kFirstOuterColumn + column->column, column->type);
  });
  const ExpressionPtr is_same = call("=", {outer, values.front()});
  if (IsCorrelated(*outer)) {
    equal.correlated.push_back(is_same);
  } else {
    equal.relation.node = MakeFilter(std::move(equal.relation.node), is_same);
  }
  const bool is_nullable = left.front()->type.nullable || values.front()->type.nullable;
  ExpressionPtr result =
      call(">", {JoinAggregates(std::move(equal), {count({})}, at).front(), none});
  if (is_nullable) {
    // Of no rows it is FALSE; of some, but none equal, it is unknown if a NULL is among them.
    values.clear();
    Plain all = PlanInner(*in.query, values, at);
    const std::vector<ExpressionPtr> counts =
        JoinAggregates(std::move(all), {count({}), count({values.front()})}, at);
    const ExpressionPtr is_unknown =
        call("OR", {call("IS NULL", {left.front()}), call(">", {counts[0], counts[1]})});
    result = call("CASE",
                  {result,
                   MakeLiteral(true, AsNullable(DataType::Boolean(), false)),
                   call("AND", {call(">", {counts[0], none}), is_unknown}),
                   MakeLiteral(std::monostate{}, DataType::Boolean()),
                   MakeLiteral(false, AsNullable(DataType::Boolean(), false))});
  }
  return in.is_negated ? call("NOT", {std::move(result)}) : result;
}

ExpressionPtr SubqueryPlanner::BindExists(const ast::Query& query, Span at) {
  std::optional<Plain> plain = PlanPlain(query);
  if (plain) {
    CheckNoAggregate(*plain, at);
  } else {
    plain = Plain{.select = nullptr, .relation = queries_.Plan(query), .correlated = {}};
  }
  const AggregateCall count = context_.Check(MakeAggregate("COUNT", {}, false, nullptr), at);
  return context_.Check(MakeCall(">",
                                 {JoinAggregates(*std::move(plain), {count}, at).front(),
                                  MakeLiteral(int64_t{0}, AsNullable(DataType::BigInt(), false))}),
                        at);
}

// (SELECT MAX(x) FROM t WHERE t.k = outer.k): the aggregates of all keys, joined by key.
ExpressionPtr SubqueryPlanner::BindCorrelatedAggregate(Plain plain, Span at) {
  if (plain.select->items.size() != 1) {
    context_.Fail(at, "a query that stands for a value gives one column");
  }
  AggregateCollector collector;
  ExpressionBinder binder(context_, plain.relation.columns, "SELECT", &collector);
  const ExpressionPtr value = binder.Bind(*plain.select->items.front().value);
  if (collector.calls().empty()) {
    context_.Unsupported(at,
                         "a query that stands for a value, depends on the query around it and "
                         "may give many rows is",
                         "aggregate them: MAX(…)");
  }
  const std::vector<ExpressionPtr> results =
      JoinAggregates(std::move(plain), collector.calls(), at);
  return ReplaceColumns(value, [&](const ExpressionPtr& column) {
    if (column->column < kFirstAggregateColumn) {
      context_.Fail(at, "a column beside an aggregate function is neither grouped nor aggregated");
    }
    return results[column->column - kFirstAggregateColumn];
  });
}

std::vector<ExpressionPtr> SubqueryPlanner::JoinAggregates(Plain plain,
                                                           const std::vector<AggregateCall>& calls,
                                                           Span at) {
  std::vector<ExpressionPtr> outer_keys;
  PlanNodePtr aggregate = AggregateByKeys(std::move(plain), calls, outer_keys, at);
  const size_t width = input_.node->output.size();
  ExpressionPtr condition;
  for (size_t i = 0; i < outer_keys.size(); ++i) {
    ExpressionPtr key = MakeColumn(width + i, aggregate->output[i].type);
    condition = And(std::move(condition),
                    context_.Check(MakeCall("=", {SideBySide(outer_keys[i]), key}), at));
  }
  Join(std::move(aggregate), JoinSpec::Type::kLeft, std::move(condition));
  std::vector<ExpressionPtr> results;
  for (size_t i = 0; i < calls.size(); ++i) {
    const size_t position = width + outer_keys.size() + i;
    results.push_back(MakeColumn(position, input_.node->output[position].type));
    if (calls[i].name != "COUNT") continue;
    // Of no rows there is no group, but their number is 0.
    results.back() = context_.Check(
        MakeCall("COALESCE",
                 {results.back(), MakeLiteral(int64_t{0}, AsNullable(DataType::BigInt(), false))}),
        at);
  }
  return results;
}

// By the columns that the query equates with outer ones, which are noted in `outer_keys`.
PlanNodePtr SubqueryPlanner::AggregateByKeys(Plain plain,
                                             const std::vector<AggregateCall>& calls,
                                             std::vector<ExpressionPtr>& outer_keys,
                                             Span at) const {
  auto aggregate = std::make_unique<PlanNode>();
  aggregate->kind = PlanNode::Kind::kAggregate;
  const Schema& input = plain.relation.node->output;
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  for (size_t i = 0; i < input.size(); ++i) {
    expressions.push_back(MakeColumn(i, input[i].type));
    names.push_back(input[i].name);
  }
  for (const ExpressionPtr& part : plain.correlated) {
    const bool is_equality = part->kind == Expression::Kind::kCall && part->args.size() == 2 &&
                             part->function->name == "=";
    const size_t outer = is_equality && IsOuter(*part->args[1]) ? 1 : 0;
    if (!is_equality || !IsOuter(*part->args[outer]) || IsCorrelated(*part->args[1 - outer])) {
      context_.Unsupported(
          at, "an aggregate that depends on the query around it by other than equalities is");
    }
    names.push_back(fmt::format("KEY${}", outer_keys.size()));
    aggregate->group_columns.push_back(expressions.size());
    outer_keys.push_back(part->args[outer]);
    expressions.push_back(part->args[1 - outer]);
    aggregate->output.push_back({names.back(), expressions.back()->type});
  }
  for (const AggregateCall& call : calls) {
    aggregate->output.push_back({fmt::format("AGG${}", aggregate->aggregates.size()), call.type});
    aggregate->aggregates.push_back(call);
  }
  aggregate->inputs.push_back(
      MakeProject(std::move(plain.relation.node), std::move(expressions), std::move(names)));
  return aggregate;
}

}  // namespace slipstream::sql
