#include "processor/planner/select_planner.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_properties.h"

namespace slipstream::sql {
namespace {

constexpr size_t kItemsMax = 2000;

bool HasVirtualColumn(const Expression& expression) {
  std::set<size_t> columns;
  CollectColumns(expression, columns);
  return !columns.empty() && *columns.rbegin() >= kVirtualColumns;
}

}  // namespace

Relation SelectPlanner::Plan(const std::vector<ast::OrderItem>& order_by) {
  if (!select_.windows.empty()) {
    context_.Unsupported(select_.windows.front().name->at, "OVER windows are");
  }
  if (select_.where) AddWhere();
  aggregate_.BindGroupBy(select_);
  BindItems();
  const size_t visible = items_.size();
  ExpressionPtr having;
  if (select_.having) {
    having = ExpressionBinder(context_, input_.columns, "HAVING", &collector_)
                 .BindCondition(*select_.having);
  }
  if (!order_by.empty()) {
    CheckEnds(context_, *input_.node, "ORDER BY", order_by.front().value->at);
  }
  std::vector<SortKey> sort_keys =
      BindOrder(context_, order_by, input_.columns, &collector_, items_);
  if (select_.has_group_by || having || !collector_.calls().empty()) {
    Aggregate(having);
  } else {
    CheckWindowIsTaken();
  }
  if (!select_.is_distinct) {
    return BuildOutput(std::move(input_.node), items_, visible, std::move(sort_keys));
  }
  if (items_.size() > visible) {
    context_.Fail(order_by.front().value->at,
                  "SELECT DISTINCT is ordered by columns it gives, not by others");
  }
  Relation relation = BuildOutput(std::move(input_.node), items_, visible, {});
  if (IsUpdateStream(*relation.node, context_.every_input_is_bounded())) {
    context_.Unsupported(select_.at, "DISTINCT over a running aggregate is");
  }
  relation.node = MakeDistinct(std::move(relation.node));
  if (!sort_keys.empty()) {
    relation.node = MakeSort(std::move(relation.node), std::move(sort_keys));
  }
  return relation;
}

bool SelectPlanner::ReadsUpdates() const {
  return IsUpdateStream(*input_.node, context_.every_input_is_bounded());
}

void SelectPlanner::AddWhere() {
  if (ReadsUpdates()) {
    context_.Unsupported(select_.where->at, "WHERE over a running aggregate is");
  }
  ExpressionPtr condition =
      ExpressionBinder(context_, input_.columns, "WHERE").BindCondition(*select_.where);
  if (HasVirtualColumn(*condition)) {
    context_.Unsupported(select_.where->at,
                         "WHERE over window_start or window_end is",
                         "HAVING filters the windows' results");
  }
  input_.node = MakeFilter(std::move(input_.node), std::move(condition));
}

void SelectPlanner::BindItems() {
  ExpressionBinder binder(context_, input_.columns, "SELECT", &collector_);
  for (const ast::SelectItem& item : select_.items) {
    if (const auto* const star = std::get_if<ast::Star>(&item.value->node)) {
      ExpandStar(*star, item.value->at);
      continue;
    }
    OutputItem output{.expression = binder.Bind(*item.value)};
    if (const auto* const column = std::get_if<ast::ColumnRef>(&item.value->node);
        column != nullptr && output.expression->kind == Expression::Kind::kColumn) {
      output.name = column->parts.back().text;
      output.is_rowtime = binder.Resolve(*column, item.value->at).is_rowtime;
    } else {
      output.name = fmt::format("EXPR${}", items_.size());
      output.is_rowtime = AggregatePlanner::IsWindowTime(*output.expression);
    }
    if (item.alias) output.name = item.alias->text;
    items_.push_back(std::move(output));
  }
  if (items_.size() > kItemsMax) {
    context_.Fail(select_.at, fmt::format("more than {} columns", kItemsMax));
  }
}

void SelectPlanner::ExpandStar(const ast::Star& star, Span at) {
  if (select_.has_group_by) context_.Fail(at, "* is not grouped", "name the columns");
  const std::string qualifier = ast::ToString(star.qualifier);
  bool found = false;
  for (const ScopeColumn& column : input_.columns) {
    if (!qualifier.empty() && column.table != qualifier) continue;
    found = true;
    collector_.NoteColumn(column.column, column, at);
    items_.push_back({MakeColumn(column.column, column.type), column.name, column.is_rowtime});
  }
  if (!found) {
    context_.Fail(at,
                  qualifier.empty() ? "* needs a FROM"
                                    : fmt::format("no table \"{}\" in this FROM", qualifier));
  }
}

// Without an aggregate nothing would put the rows into their windows.
void SelectPlanner::CheckWindowIsTaken() const {
  if (!input_.window) return;
  context_.Unsupported(
      input_.window->at,
      fmt::format("{} without GROUP BY window_start, window_end is", input_.window->function));
}

void SelectPlanner::Aggregate(const ExpressionPtr& having) {
  if (ReadsUpdates()) {
    context_.Unsupported(select_.at, "an aggregate over a running aggregate is");
  }
  std::vector<ExpressionPtr> above;
  std::vector<std::string> names;
  for (const OutputItem& item : items_) {
    above.push_back(item.expression);
    names.push_back(item.name);
  }
  if (having) above.push_back(having);
  aggregate_.Build(above, names);
  for (OutputItem& item : items_) {
    item.is_rowtime = AggregatePlanner::IsWindowTime(*item.expression);
    item.expression = aggregate_.Rewrite(item.expression);
  }
  if (!having) return;
  if (ReadsUpdates()) {
    context_.Unsupported(select_.having->at, "HAVING over a running aggregate is");
  }
  input_.node = MakeFilter(std::move(input_.node), aggregate_.Rewrite(having));
}

}  // namespace slipstream::sql
