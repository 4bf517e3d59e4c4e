#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "processor/planner/conjuncts.h"
#include "processor/planner/decorrelation.h"
#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_properties.h"
#include "processor/planner/query_planner.h"
#include "processor/planner/subquery_planner.h"
#include "processor/planner/table_options.h"
#include "processor/planner/window_functions.h"

// Joins in FROM; the rest of FROM is in query_planner_from.cpp. What kind of join it is to be at
// run time is found later, from the conditions in ON and WHERE together (optimizer.h).

namespace slipstream::sql {
namespace {

JoinSpec::Type TypeOf(ast::Join::Kind kind) {
  switch (kind) {
    case ast::Join::Kind::kLeft:
      return JoinSpec::Type::kLeft;
    case ast::Join::Kind::kRight:
      return JoinSpec::Type::kRight;
    case ast::Join::Kind::kFull:
      return JoinSpec::Type::kFull;
    default:
      return JoinSpec::Type::kInner;
  }
}

// The relations side by side, as their join will give them.
struct Sides {
  std::vector<ScopeColumn> left;
  std::vector<ScopeColumn> right;

  std::vector<ScopeColumn> All() const {
    std::vector<ScopeColumn> all = left;
    all.insert(all.end(), right.begin(), right.end());
    return all;
  }
};

bool HasName(const std::vector<ScopeColumn>& columns, const std::string& name) {
  return std::any_of(columns.begin(), columns.end(), [&](const ScopeColumn& column) {
    return column.name == name && !column.is_qualified;
  });
}

// The names that the sides of the join have in common by USING or NATURAL.
std::vector<ast::Name> SharedNames(const ast::Join& join, const Sides& sides, Span at) {
  if (!join.is_natural) return join.using_columns;
  std::vector<ast::Name> names;
  for (const ScopeColumn& column : sides.left) {
    if (column.is_qualified || !HasName(sides.right, column.name)) continue;
    names.push_back({.text = column.name, .at = at});
  }
  return names;
}

void HideName(std::vector<ScopeColumn>& columns, const std::string& name) {
  for (ScopeColumn& column : columns)
    column.is_qualified = column.is_qualified || column.name == name;
}

}  // namespace

Relation QueryPlanner::PlanJoin(const ast::Join& join, Span at) {
  Relation left = PlanFrom(*join.left);
  const auto* const named = std::get_if<ast::NamedTable>(&join.right->node);
  const bool is_lookup = named != nullptr && named->as_of;
  JoinSpec spec{.type = TypeOf(join.kind)};
  Relation right = is_lookup ? PlanLookedUp(join, left, spec) : PlanFrom(*join.right);
  if (left.window) AssignWindow(context_, left);
  if (right.window) AssignWindow(context_, right);
  const bool has_condition = join.condition || join.is_natural || !join.using_columns.empty();
  if (!has_condition && join.kind != ast::Join::Kind::kCross &&
      join.kind != ast::Join::Kind::kInner) {
    context_.Fail(at, "an outer join needs ON or USING");
  }
  const Schema output = JoinOutput(left.node->output, right.node->output, spec);
  spec.left_ttl_us = StateTtlOf(left.columns);
  spec.right_ttl_us = StateTtlOf(right.columns);
  Sides sides{std::move(left.columns), std::move(right.columns)};
  for (ScopeColumn& column : sides.right)
    column.column += left.node->output.size();
  ExpressionPtr condition;
  std::vector<ScopeColumn> shared;
  for (const ast::Name& name : SharedNames(join, sides, at)) {
    const ScopeColumn a =
        ExpressionBinder(context_, sides.left, "USING").Resolve({.parts = {name}}, name.at);
    const ScopeColumn b =
        ExpressionBinder(context_, sides.right, "USING").Resolve({.parts = {name}}, name.at);
    const ExpressionPtr is_same = context_.Check(
        MakeCall("=", {MakeColumn(a.column, a.type), MakeColumn(b.column, b.type)}), name.at);
    condition = condition ? context_.Check(MakeCall("AND", {condition, is_same}), at) : is_same;
    shared.push_back(join.kind == ast::Join::Kind::kRight ? b : a);
    shared.back().table.clear();
    HideName(sides.left, name.text);
    HideName(sides.right, name.text);
  }
  // What asks queries is asked of an inner join's rows as if it stood in WHERE.
  std::vector<const ast::Expr*> asking;
  if (join.condition) {
    const std::vector<ScopeColumn> all = sides.All();
    std::vector<const ast::Expr*> parts = {join.condition.get()};
    if (HasSubquery(*join.condition) && join.kind == ast::Join::Kind::kInner) {
      parts.clear();
      SplitAnd(*join.condition, parts);
      const auto others = std::stable_partition(
          parts.begin(), parts.end(), [](const auto* part) { return HasSubquery(*part); });
      asking.assign(parts.begin(), others);
      parts.erase(parts.begin(), others);
    }
    for (const ast::Expr* const part : parts) {
      ExpressionBinder binder(context_, all, "ON");
      condition = And(std::move(condition), binder.BindCondition(*part));
    }
  }
  Relation relation;
  relation.has_join = true;
  relation.node =
      MakeJoin(std::move(left.node), std::move(right.node), spec.type, std::move(condition));
  relation.node->join = spec;
  for (std::vector<ScopeColumn>* columns : {&shared, &sides.left, &sides.right}) {
    for (ScopeColumn& column : *columns) {
      column.type = relation.node->output[column.column].type;
      relation.columns.push_back(std::move(column));
    }
  }
  if (join.kind == ast::Join::Kind::kFull && !shared.empty()) MergeShared(relation, shared.size());
  if (!asking.empty()) SubqueryPlanner(context_, *this, relation).FilterBy(asking, "ON");
  return relation;
}

Relation QueryPlanner::PlanLateral(const ast::Join& join, Span at) {
  using Kind = ast::Join::Kind;
  if (join.kind == Kind::kRight || join.kind == Kind::kFull || join.is_natural ||
      !join.using_columns.empty()) {
    context_.Fail(join.right->at, "LATERAL goes with JOIN, LEFT JOIN and CROSS JOIN, and with ON");
  }
  Relation relation = PlanFrom(*join.left);
  if (relation.window) AssignWindow(context_, relation);
  const size_t width = relation.node->output.size();
  DependentQuery query;
  std::vector<ScopeColumn> columns;
  {
    const PlanContext::OuterScope scope(context_, relation.columns);
    Relation right = PlanFrom(*join.right);
    columns = std::move(right.columns);
    query = Decorrelate(std::move(right.node), *relation.node, scope.level(), context_, at);
  }
  ExpressionPtr condition = AllOf(SameOuter(query, 0, width));
  const JoinSpec spec{.type = TypeOf(join.kind)};
  const Schema output = JoinOutput(relation.node->output, query.node->output, spec);
  for (ScopeColumn& column : columns) {
    column.column += width;
    column.type = output[column.column].type;
    relation.columns.push_back(std::move(column));
  }
  if (join.condition) {
    ExpressionBinder binder(context_, relation.columns, "ON");
    condition = And(std::move(condition), binder.BindCondition(*join.condition));
  }
  relation.node =
      MakeJoin(std::move(relation.node), std::move(query.node), spec.type, std::move(condition));
  relation.has_join = true;
  return relation;
}

std::optional<int64_t> QueryPlanner::StateTtlOf(const std::vector<ScopeColumn>& columns) const {
  if (state_ttls_ == nullptr) return std::nullopt;
  for (const ast::Option& hint : *state_ttls_) {
    const bool is_named = std::any_of(columns.begin(), columns.end(), [&](const auto& column) {
      return column.table == hint.key.text;
    });
    if (!is_named) continue;
    return std::chrono::microseconds(context_.Check(ParseDuration(hint.value), hint.key.at))
        .count();
  }
  return std::nullopt;
}

// The column of the left side that FOR SYSTEM_TIME AS OF names; null: PROCTIME() itself.
const ScopeColumn* QueryPlanner::AsOfColumn(const ast::Expr& as_of, const Relation& left) const {
  const ExpressionPtr time =
      ExpressionBinder(context_, left.columns, "FOR SYSTEM_TIME AS OF").Bind(as_of);
  if (IsProcessingTime(*time)) return nullptr;
  for (const ScopeColumn& column : left.columns) {
    const bool is_named = time->kind == Expression::Kind::kColumn && time->column == column.column;
    if (is_named && (column.is_proctime || column.is_rowtime)) return &column;
  }
  context_.Fail(as_of.at, "FOR SYSTEM_TIME AS OF takes the left side's event time or PROCTIME()");
}

Relation QueryPlanner::PlanLookedUp(const ast::Join& join, const Relation& left, JoinSpec& spec) {
  const auto& named = std::get<ast::NamedTable>(join.right->node);
  const Span at = join.right->at;
  if (join.kind != ast::Join::Kind::kInner && join.kind != ast::Join::Kind::kLeft) {
    context_.Fail(at, "FOR SYSTEM_TIME AS OF goes with JOIN and LEFT JOIN");
  }
  Relation relation = PlanNamed(named, at);
  const std::string alias = join.right->alias ? join.right->alias->text : named.name.back().text;
  Rename(relation, alias, join.right->columns);
  const ScopeColumn* const time = AsOfColumn(*named.as_of, left);
  if (time == nullptr || time->is_proctime) {
    const PlanNode& node = *relation.node;
    if (node.kind != PlanNode::Kind::kScan || node.table->connector() != "filesystem") {
      context_.Unsupported(at, "looking up in other than 'filesystem' tables is");
    }
    // In a batch the table is read once, like any other.
    const bool is_batch = !IsReadByTasks(*left.node, context_.every_input_is_bounded());
    if (!is_batch) spec.variant = JoinSpec::Variant::kLookup;
    return relation;
  }
  if (context_.every_input_is_bounded()) {
    context_.Unsupported(named.as_of->at,
                         "FOR SYSTEM_TIME AS OF an event time of input that ends is");
  }
  const auto version = std::find_if(relation.columns.begin(),
                                    relation.columns.end(),
                                    [](const auto& column) { return column.is_rowtime; });
  if (version == relation.columns.end()) {
    context_.Fail(at,
                  "the table of FOR SYSTEM_TIME AS OF an event time has no event time",
                  "declare its WATERMARK");
  }
  spec.variant = JoinSpec::Variant::kTemporal;
  spec.left_time = time->column;
  spec.right_time = version->column;
  return relation;
}

// Of a full join a shared column is that of the side that is there.
void QueryPlanner::MergeShared(Relation& relation, size_t shared) const {
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  const Schema& output = relation.node->output;
  for (size_t i = 0; i < output.size(); ++i) {
    expressions.push_back(MakeColumn(i, output[i].type));
    names.push_back(output[i].name);
  }
  for (size_t i = 0; i < shared; ++i) {
    std::vector<ExpressionPtr> candidates;
    for (size_t other = shared; other < relation.columns.size(); ++other) {
      const ScopeColumn& column = relation.columns[other];
      if (column.is_qualified && column.name == relation.columns[i].name) {
        candidates.push_back(MakeColumn(column.column, column.type));
      }
    }
    ExpressionPtr merged = MakeCall("COALESCE", std::move(candidates)).value();
    relation.columns[i].column = expressions.size();
    relation.columns[i].type = merged->type;
    names.push_back(relation.columns[i].name);
    expressions.push_back(std::move(merged));
  }
  relation.node = MakeProject(std::move(relation.node), std::move(expressions), std::move(names));
}

}  // namespace slipstream::sql
