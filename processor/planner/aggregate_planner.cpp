#include "processor/planner/aggregate_planner.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_properties.h"
#include "processor/planner/window_functions.h"

namespace slipstream::sql {

void AggregatePlanner::BindGroupBy(const ast::Select& select) {
  std::vector<std::optional<size_t>> places;
  for (const ast::ExprPtr& expr : select.group_by)
    places.push_back(BindGroup(*expr));
  at_ = select.group_by.empty() ? select.at : select.group_by.front()->at;
  if (!select.grouping_sets) return;
  for (const std::vector<size_t>& set : *select.grouping_sets) {
    sets_.emplace_back();
    for (const size_t item : set) {
      if (places[item]) sets_.back().insert(*places[item]);
    }
  }
  std::vector<ExpressionPtr> grouping;
  for (const Group& group : groups_)
    grouping.push_back(group.expression);
  if (grouping.size() > 60) context_.Fail(at_, "more than 60 columns in grouping sets");
  collector_.set_grouping(std::move(grouping));
}

std::optional<size_t> AggregatePlanner::BindGroup(const ast::Expr& expr) {
  const bool is_bounded = IsBounded(*input_.node, context_.every_input_is_bounded());
  if (auto group_window = BindGroupWindow(context_, input_.columns, is_bounded, expr)) {
    if (window_ || input_.window) context_.Fail(expr.at, "one window in a GROUP BY");
    window_ = group_window->spec;
    collector_.set_group_window(std::move(*group_window));
    return std::nullopt;
  }
  if (const auto* const literal = std::get_if<ast::Literal>(&expr.node)) {
    context_.Fail(expr.at,
                  fmt::format("GROUP BY {} is the constant, not a column", literal->text),
                  "name the column");
  }
  const ExpressionPtr bound = ExpressionBinder(context_, input_.columns, "GROUP BY").Bind(expr);
  if (bound->column >= kVirtualColumns) {
    grouped_properties_.push_back(static_cast<WindowProperty>(bound->column - kVirtualColumns));
    return std::nullopt;
  }
  std::set<size_t> columns;
  CollectColumns(*bound, columns);
  if (!columns.empty() && *columns.rbegin() >= kVirtualColumns) {
    context_.Unsupported(expr.at, "grouping by an expression over window_start or window_end is");
  }
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (IsEqual(*groups_[i].expression, *bound)) return i;
  }
  const bool is_column = bound->kind == Expression::Kind::kColumn;
  groups_.push_back({bound,
                     expr.at,
                     is_column ? input_.node->output[bound->column].name
                               : fmt::format("GROUP${}", groups_.size())});
  return groups_.size() - 1;
}

bool AggregatePlanner::HasGroupProperty(WindowProperty property) const {
  return std::find(grouped_properties_.begin(), grouped_properties_.end(), property) !=
         grouped_properties_.end();
}

std::optional<WindowSpec> AggregatePlanner::AttachedWindow() const {
  std::optional<size_t> start;
  std::optional<size_t> end;
  for (const Group& group : groups_) {
    if (group.expression->kind != Expression::Kind::kColumn) continue;
    for (const ScopeColumn& column : input_.columns) {
      if (column.column != group.expression->column) continue;
      if (column.window == WindowProperty::kStart) start = column.column;
      if (column.window == WindowProperty::kEnd) end = column.column;
    }
  }
  if (!start || !end) return std::nullopt;
  // With grouping sets the end stays where it is besides its copies.
  return WindowSpec{.kind = WindowSpec::Kind::kAttached, .time_column = *end};
}

// Makes every group a column of the input.
void AggregatePlanner::ProjectGroups() {
  const bool are_columns = std::all_of(groups_.begin(), groups_.end(), [](const Group& group) {
    return group.expression->kind == Expression::Kind::kColumn;
  });
  if (are_columns) return;
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  for (size_t i = 0; i < input_.node->output.size(); ++i) {
    expressions.push_back(MakeColumn(i, input_.node->output[i].type));
    names.push_back(input_.node->output[i].name);
  }
  for (const Group& group : groups_) {
    if (group.expression->kind == Expression::Kind::kColumn) continue;
    expressions.push_back(group.expression);
    names.push_back(group.name);
  }
  input_.node = MakeProject(std::move(input_.node), std::move(expressions), std::move(names));
}

// The sets' copies of the groups, and the number of the set, stand behind the input's columns.
void AggregatePlanner::ExpandGroups() {
  const Schema& input = input_.node->output;
  std::vector<std::string> names;
  for (const Field& field : input)
    names.push_back(field.name);
  for (const Group& group : groups_)
    names.push_back(group.name);
  names.emplace_back("GROUPING$");
  std::vector<std::vector<ExpressionPtr>> expansions;
  for (const std::set<size_t>& set : sets_) {
    std::vector<ExpressionPtr>& row = expansions.emplace_back();
    for (size_t i = 0; i < input.size(); ++i)
      row.push_back(MakeColumn(i, input[i].type));
    int64_t left_out = 0;
    for (size_t i = 0; i < groups_.size(); ++i) {
      const ExpressionPtr& group = groups_[i].expression;
      DataType type = group->type;
      type.nullable = true;
      row.push_back(set.contains(i) ? group : MakeLiteral(std::monostate{}, std::move(type)));
      left_out = left_out * 2 + (set.contains(i) ? 0 : 1);
    }
    row.push_back(MakeLiteral(left_out, DataType::BigInt()));
  }
  const size_t width = input.size();
  input_.node = MakeExpand(std::move(input_.node), std::move(expansions), std::move(names));
  groups_.push_back({MakeColumn(kGroupingIdColumn, DataType::BigInt()), at_, "GROUPING$"});
  for (size_t i = 0; i < groups_.size(); ++i)
    expanded_.push_back(width + i);
}

void AggregatePlanner::Build(const std::vector<ExpressionPtr>& above,
                             const std::vector<std::string>& names) {
  if (input_.window) {
    window_ = input_.window->spec;
  } else if (!window_) {
    window_ = AttachedWindow();
  }
  std::set<size_t> used;
  for (const ExpressionPtr& expression : above)
    CollectColumns(*expression, used);
  auto node = std::make_unique<PlanNode>();
  node->kind = window_ ? PlanNode::Kind::kWindowAggregate : PlanNode::Kind::kAggregate;

  size_t next_computed = input_.node->output.size();
  if (sets_.empty()) {
    ProjectGroups();
  } else {
    ExpandGroups();
  }
  for (size_t i = 0; i < groups_.size(); ++i) {
    const Group& group = groups_[i];
    const bool is_column = group.expression->kind == Expression::Kind::kColumn;
    const size_t column = !sets_.empty() ? expanded_[i]
                          : is_column    ? group.expression->column
                                         : next_computed++;
    node->group_columns.push_back(column);
    node->output.push_back(
        {group.name, sets_.empty() ? group.expression->type : input_.node->output[column].type});
  }
  const auto name_of = [&](size_t column, std::string fallback) {
    for (size_t i = 0; i < above.size() && i < names.size(); ++i) {
      if (above[i]->kind == Expression::Kind::kColumn && above[i]->column == column) {
        return names[i];
      }
    }
    return fallback;
  };
  for (size_t i = 0; i < collector_.calls().size(); ++i) {
    node->aggregates.push_back(collector_.calls()[i]);
    node->output.push_back(
        {name_of(kFirstAggregateColumn + i, fmt::format("AGG${}", i)), collector_.calls()[i].type});
  }
  if (window_) {
    node->window = *window_;
    const DataType& time = input_.node->output[window_->time_column].type;
    // Of an instant's window, start and end are times of day where the job runs, as in Flink.
    DataType local = time;
    local.kind = TypeKind::kTimestamp;
    for (const auto& [property, name] : {std::pair{WindowProperty::kStart, "window_start"},
                                         std::pair{WindowProperty::kEnd, "window_end"},
                                         std::pair{WindowProperty::kTime, "window_time"}}) {
      if (!used.contains(VirtualColumn(property))) continue;
      used_properties_.push_back(property);
      node->window_properties.push_back(property);
      const bool is_time = property == WindowProperty::kTime;
      node->output.push_back({name_of(VirtualColumn(property), name), is_time ? time : local});
    }
  }
  node->inputs.push_back(std::move(input_.node));
  aggregate_ = node.get();
  input_.node = std::move(node);
}

ExpressionPtr AggregatePlanner::Rewrite(const ExpressionPtr& expression) const {
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (IsEqual(*groups_[i].expression, *expression)) {
      return MakeColumn(i, aggregate_->output[i].type);
    }
  }
  if (expression->kind == Expression::Kind::kColumn) return RewriteColumn(expression);
  if (expression->args.empty()) return expression;
  auto copy = std::make_shared<Expression>(*expression);
  for (ExpressionPtr& arg : copy->args)
    arg = Rewrite(arg);
  return copy;
}

ExpressionPtr AggregatePlanner::RewriteColumn(const ExpressionPtr& column) const {
  const AggregateCollector::Use* const use = collector_.FindUse(column->column);
  const auto not_grouped = [&] {
    context_.Fail(use != nullptr ? use->at : Span{},
                  fmt::format("\"{}\" is neither in GROUP BY nor inside an aggregate function",
                              use != nullptr ? use->name : "?"));
  };
  if (column->column >= kFirstOverColumn) return column;
  if (column->column >= kFirstAggregateColumn) {
    const size_t position = groups_.size() + (column->column - kFirstAggregateColumn);
    return MakeColumn(position, aggregate_->output[position].type);
  }
  if (column->column < kVirtualColumns) not_grouped();
  const auto property = static_cast<WindowProperty>(column->column - kVirtualColumns);
  if (input_.window && !HasGroupProperty(property)) not_grouped();
  const auto found = std::find(used_properties_.begin(), used_properties_.end(), property);
  const size_t position = groups_.size() + aggregate_->aggregates.size() +
                          static_cast<size_t>(found - used_properties_.begin());
  return MakeCast(MakeColumn(position, aggregate_->output[position].type), column->type, false);
}

}  // namespace slipstream::sql
