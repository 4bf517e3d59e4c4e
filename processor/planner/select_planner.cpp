#include "processor/planner/select_planner.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "processor/planner/conjuncts.h"
#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_times.h"
#include "processor/planner/window_functions.h"
#include "processor/sql/ast_children.h"

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
  if (input_.window && !TakesWindow(order_by)) AssignWindow(context_, input_);
  if (select_.where) AddWhere();
  if (input_.has_join) SettleJoins();
  aggregate_.BindGroupBy(select_);
  BindItems();
  const size_t visible = items_.size();
  ExpressionPtr having;
  if (select_.having) having = BindHaving();
  if (select_.qualify) BindQualify();
  std::vector<SortKey> sort_keys =
      BindOrder(context_, order_by, input_.columns, &collector_, items_);
  if (select_.has_group_by || select_.having || !collector_.calls().empty()) {
    Aggregate(having);
  } else {
    SettleValues([](const ExpressionPtr& expression) { return expression; });
  }
  if (!overs_.empty()) {
    overs_.Build(input_);
    for (OutputItem& item : items_)
      item.expression = overs_.Rewrite(item.expression);
  }
  if (qualify_) {
    input_.node = MakeFilter(std::move(input_.node), overs_.Rewrite(qualify_));
    input_.node = RanksToTopN(PushFilters(std::move(input_.node)));
  }
  if (!select_.is_distinct) {
    return BuildOutput(std::move(input_.node), items_, visible, std::move(sort_keys));
  }
  if (items_.size() > visible) {
    context_.Fail(order_by.front().value->at,
                  "SELECT DISTINCT is ordered by columns it gives, not by others");
  }
  Relation relation = BuildOutput(std::move(input_.node), items_, visible, {});
  relation.node = MakeDistinct(std::move(relation.node));
  if (!sort_keys.empty()) {
    relation.node = MakeSort(std::move(relation.node), std::move(sort_keys));
  }
  return relation;
}

// As the planner of Flink has it: GROUP BY window_start, window_end, and nothing looks at the
// windows before.
bool SelectPlanner::TakesWindow(const std::vector<ast::OrderItem>& order_by) const {
  std::set<size_t> grouped;
  bool are_columns = true;
  for (const ast::ExprPtr& expr : select_.group_by) {
    const auto* const name = std::get_if<ast::ColumnRef>(&expr->node);
    if (name == nullptr) {
      if (NamesWindow(*expr)) return false;
      are_columns = false;
      continue;
    }
    for (const ScopeColumn& column : input_.columns) {
      if (column.name == name->parts.back().text) grouped.insert(column.column);
    }
  }
  if (!grouped.contains(VirtualColumn(WindowProperty::kStart)) ||
      !grouped.contains(VirtualColumn(WindowProperty::kEnd))) {
    return false;
  }
  if (input_.window->spec.kind == WindowSpec::Kind::kSession) {
    // SESSION's windows are those of its PARTITION BY; only the aggregate by the same keys is one
    // with them.
    std::set<size_t> keys = grouped;
    std::erase_if(keys, [](size_t column) { return column >= kVirtualColumns; });
    const std::vector<size_t>& partition = input_.window->partition_keys;
    if (!are_columns || select_.grouping_sets ||
        keys != std::set<size_t>(partition.begin(), partition.end())) {
      return false;
    }
  }
  const bool is_looked_at =
      std::any_of(select_.items.begin(),
                  select_.items.end(),
                  [&](const ast::SelectItem& item) { return LooksAtWindows(*item.value); }) ||
      std::any_of(order_by.begin(),
                  order_by.end(),
                  [&](const ast::OrderItem& item) { return LooksAtWindows(*item.value); }) ||
      (select_.having && LooksAtWindows(*select_.having)) ||
      (select_.qualify && LooksAtWindows(*select_.qualify));
  if (is_looked_at) return false;
  if (!select_.where) return true;
  if (HasSubquery(*select_.where)) return false;
  return !HasVirtualColumn(
      *ExpressionBinder(context_, input_.columns, "WHERE").BindCondition(*select_.where));
}

bool SelectPlanner::NamesWindow(const ast::Expr& expression) const {
  return ast::AnyOf(expression, [&](const ast::Expr& part) {
    const auto* const name = std::get_if<ast::ColumnRef>(&part.node);
    return name != nullptr &&
           std::any_of(input_.columns.begin(), input_.columns.end(), [&](const auto& column) {
             return column.column >= kVirtualColumns && column.name == name->parts.back().text;
           });
  });
}

bool SelectPlanner::LooksAtWindows(const ast::Expr& expression) const {
  return ast::AnyOf(expression, [&](const ast::Expr& part) {
    const auto* const call = std::get_if<ast::Call>(&part.node);
    if (call == nullptr || call->over || !IsAggregateFunction(call->function.text)) return false;
    return NamesWindow(part);
  });
}

void SelectPlanner::AddWhere() {
  std::vector<const ast::Expr*> parts;
  SplitAnd(*select_.where, parts);
  const bool has_subqueries = std::any_of(
      parts.begin(), parts.end(), [](const auto* part) { return IsSubqueryCondition(*part); });
  if (!has_subqueries) parts = {select_.where.get()};
  subqueries_.FilterBy(parts, "WHERE");
  input_.node = RanksToTopN(PushFilters(std::move(input_.node)));
}

// What joins there are is known once WHERE is.
void SelectPlanner::SettleJoins() {
  const bool is_bounded = context_.every_input_is_bounded();
  input_.node = PushFilters(std::move(input_.node));
  if (is_bounded) input_.node = AvoidCrossJoins(std::move(input_.node));
  input_.node = FindJoinKeys(std::move(input_.node));
  ChooseJoins(*input_.node, is_bounded);
  const std::set<size_t> times = EventTimes(*input_.node);
  const std::optional<RowWindows> windows = RowWindowsOf(*input_.node);
  for (ScopeColumn& column : input_.columns) {
    column.is_rowtime = times.contains(column.column);
    column.window.reset();
    if (!windows) continue;
    if (windows->starts.contains(column.column)) column.window = WindowProperty::kStart;
    if (windows->ends.contains(column.column)) column.window = WindowProperty::kEnd;
  }
}

void SelectPlanner::BindItems() {
  ExpressionBinder binder(context_, input_.columns, "SELECT", &collector_, &overs_);
  binder.AllowSubqueries(subqueries_);
  subqueries_.PutOff();
  for (const ast::SelectItem& item : select_.items) {
    if (const auto* const star = std::get_if<ast::Star>(&item.value->node)) {
      ExpandStar(*star, item.value->at);
      continue;
    }
    OutputItem output{.expression = binder.Bind(*item.value)};
    const bool is_column = output.expression->kind == Expression::Kind::kColumn;
    const auto* const column = std::get_if<ast::ColumnRef>(&item.value->node);
    if (column != nullptr && (is_column || column->parts.size() > 1)) {
      output.name = column->parts.back().text;
      if (is_column) {
        const ScopeColumn& resolved = binder.Resolve(*column, item.value->at);
        output.is_rowtime = resolved.is_rowtime;
        output.window = resolved.window;
        output.is_proctime = resolved.is_proctime;
      }
    } else if (const auto* const access = std::get_if<ast::FieldAccess>(&item.value->node)) {
      output.name = access->field.text;
    } else {
      output.name = fmt::format("EXPR${}", items_.size());
      output.is_rowtime = AggregatePlanner::IsWindowTime(*output.expression);
    }
    if (IsProcessingTime(*output.expression)) output.is_proctime = true;
    if (item.alias) output.name = item.alias->text;
    items_.push_back(std::move(output));
  }
  if (items_.size() > kItemsMax) {
    context_.Fail(select_.at, fmt::format("more than {} columns", kItemsMax));
  }
}

ExpressionPtr SelectPlanner::BindHaving() {
  ExpressionBinder binder(context_, input_.columns, "HAVING", &collector_);
  binder.AllowSubqueries(subqueries_);
  std::vector<const ast::Expr*> parts;
  SplitAnd(*select_.having, parts);
  ExpressionPtr having;
  for (const ast::Expr* const part : parts) {
    bool is_negated = false;
    const ast::InQuery* const in =
        IsSubqueryCondition(*part) ? InConditionOf(*part, is_negated) : nullptr;
    if (in != nullptr) {
      SubqueryPlanner::Inner rows = subqueries_.PlanWhole(*in->query);
      if (rows.correlated.empty()) {
        having_ins_.push_back({binder.Bind(*in->value), std::move(rows), is_negated, part->at});
        continue;
      }
    }
    having = And(std::move(having), binder.BindCondition(*part));
  }
  return having;
}

// Of what the groups give; a join has no event time any more.
void SelectPlanner::JoinHavingIns() {
  if (having_ins_.empty()) return;
  for (HavingIn& in : having_ins_) {
    subqueries_.AddIn(
        subqueries_.Settle(aggregate_.Rewrite(in.left)), std::move(in.rows), in.is_negated, in.at);
  }
  input_.node = FindJoinKeys(std::move(input_.node));
  ChooseJoins(*input_.node, context_.every_input_is_bounded());
  for (OutputItem& item : items_) {
    item.is_rowtime = false;
    item.window.reset();
  }
}

void SelectPlanner::BindQualify() {
  ExpressionBinder binder(context_, input_.columns, "QUALIFY", &collector_, &overs_);
  binder.SeeItems(items_);
  qualify_ = binder.BindCondition(*select_.qualify);
  if (!overs_.empty()) return;
  context_.Fail(select_.qualify->at, "QUALIFY is about an OVER window", "use WHERE or HAVING");
}

void SelectPlanner::SettleValues(
    const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite) {
  subqueries_.JoinValues(rewrite);
  for (OutputItem& item : items_)
    item.expression = subqueries_.Settle(item.expression);
  overs_.Visit([&](ExpressionPtr& expression) { expression = subqueries_.Settle(expression); });
  if (qualify_) qualify_ = subqueries_.Settle(qualify_);
}

void SelectPlanner::ExpandStar(const ast::Star& star, Span at) {
  if (select_.has_group_by) context_.Fail(at, "* is not grouped", "name the columns");
  const std::string qualifier = ast::ToString(star.qualifier);
  bool found = false;
  for (const ScopeColumn& column : input_.columns) {
    if (qualifier.empty() ? column.is_qualified : column.table != qualifier) continue;
    found = true;
    collector_.NoteColumn(column.column, column, at);
    items_.push_back({MakeColumn(column.column, column.type),
                      column.name,
                      column.is_rowtime,
                      column.window,
                      column.is_proctime});
  }
  if (!found && !star.qualifier.empty()) found = ExpandRow(star, at);
  if (!found) {
    context_.Fail(at,
                  qualifier.empty() ? "* needs a FROM"
                                    : fmt::format("no table \"{}\" in this FROM", qualifier));
  }
}

// row.*, the fields of a ROW. False: there is none of that name.
bool SelectPlanner::ExpandRow(const ast::Star& star, Span at) {
  const bool is_there =
      std::any_of(input_.columns.begin(), input_.columns.end(), [&](const ScopeColumn& column) {
        return column.name == star.qualifier.front().text ||
               (star.qualifier.size() > 1 && column.table == star.qualifier.front().text);
      });
  if (!is_there) return false;
  ExpressionBinder binder(context_, input_.columns, "SELECT", &collector_);
  const ExpressionPtr row =
      binder.Bind(ast::Expr{.at = at, .node = ast::ColumnRef{star.qualifier}});
  if (row->type.kind != TypeKind::kRow) {
    context_.Fail(at, fmt::format("{} has no fields", row->type.ToString()));
  }
  for (const Field& field : *row->type.children)
    items_.push_back({binder.Field(row, ast::Name{field.name, at}), field.name});
  return true;
}

void SelectPlanner::Aggregate(const ExpressionPtr& having) {
  std::vector<ExpressionPtr> above;
  std::vector<std::string> names;
  for (const OutputItem& item : items_) {
    above.push_back(item.expression);
    names.push_back(item.name);
  }
  if (having) above.push_back(having);
  for (const HavingIn& in : having_ins_)
    above.push_back(in.left);
  if (qualify_) above.push_back(qualify_);
  overs_.Visit([&](ExpressionPtr& expression) { above.push_back(expression); });
  for (const SubqueryPlanner::Use& use : subqueries_.Uses()) {
    above.push_back(use.outer);
    std::set<size_t> columns;
    CollectColumns(*use.outer, columns);
    for (const ScopeColumn& column : input_.columns) {
      if (columns.contains(column.column)) collector_.NoteColumn(column.column, column, use.at);
    }
  }
  aggregate_.Build(above, names);
  for (OutputItem& item : items_) {
    if (!aggregate_.has_window()) item.window.reset();
    const bool is_time =
        item.window == WindowProperty::kTime || AggregatePlanner::IsWindowTime(*item.expression);
    item.is_proctime = is_time && aggregate_.has_arrival_window();
    item.is_rowtime = is_time && !aggregate_.has_arrival_window();
    item.expression = aggregate_.Rewrite(item.expression);
  }
  overs_.Visit([&](ExpressionPtr& expression) { expression = aggregate_.Rewrite(expression); });
  if (qualify_) qualify_ = aggregate_.Rewrite(qualify_);
  const ExpressionPtr condition = having ? aggregate_.Rewrite(having) : nullptr;
  SettleValues([&](const ExpressionPtr& outer) { return aggregate_.Rewrite(outer); });
  if (condition) {
    input_.node = MakeFilter(std::move(input_.node), subqueries_.Settle(condition));
  }
  JoinHavingIns();
}

}  // namespace slipstream::sql
