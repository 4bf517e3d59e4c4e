#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "processor/planner/aggregate_collector.h"
#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// AggregatePlanner: puts the aggregate of one SELECT over its input, and rewrites the expressions
// above from the input's columns to the aggregate's. Private to planner/.
//
// Use  BindGroupBy; bind SELECT, HAVING and ORDER BY with the collector; Build; Rewrite each of
//      the expressions.
class AggregatePlanner {
 public:
  AggregatePlanner(const PlanContext& context, Relation& input, AggregateCollector& collector)
      : context_(context), input_(input), collector_(collector) {}

  void BindGroupBy(const ast::Select& select);

  // Replaces the input's node by the aggregate over it. `above` are the expressions that will be
  // rewritten; names[i] is the name an output column should have if it is above[i] itself.
  void Build(const std::vector<ExpressionPtr>& above, const std::vector<std::string>& names);

  // Once it is built: whether it is by window.
  bool has_window() const { return window_.has_value(); }
  bool has_arrival_window() const { return window_ && window_->is_by_arrival; }

  ExpressionPtr Rewrite(const ExpressionPtr& expression) const;

  // Whether the expression is the time of the windows.
  static bool IsWindowTime(const Expression& expression) {
    return expression.column == VirtualColumn(WindowProperty::kTime);
  }

 private:
  struct Group {
    ExpressionPtr expression;
    Span at;
    std::string name;
  };

  // The group's place in groups_; nullopt: it is about the window.
  std::optional<size_t> BindGroup(const ast::Expr& expr);
  bool HasGroupProperty(WindowProperty property) const;
  // The window that the input's rows lie in already, if it is grouped by.
  std::optional<WindowSpec> AttachedWindow() const;
  void ProjectGroups();
  // Gives each row once for every grouping set, with what the set leaves out as NULL.
  void ExpandGroups();
  ExpressionPtr RewriteColumn(const ExpressionPtr& column) const;

  const PlanContext& context_;
  Relation& input_;
  AggregateCollector& collector_;
  Span at_;  // of GROUP BY
  std::vector<Group> groups_;
  // Which of groups_ each grouping set has; empty: there is one set of all.
  std::vector<std::set<size_t>> sets_;
  std::vector<size_t> expanded_;  // where the sets' copies of the groups are, once they are made
  std::vector<WindowProperty> grouped_properties_;  // GROUP BY window_start, window_end
  std::optional<WindowSpec> window_;
  std::vector<WindowProperty> used_properties_;  // in the aggregate's output, in this order
  const PlanNode* aggregate_ = nullptr;          // once it is built
};

}  // namespace slipstream::sql
