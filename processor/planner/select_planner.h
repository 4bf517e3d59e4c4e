#pragma once

#include <functional>
#include <vector>

#include "processor/planner/aggregate_collector.h"
#include "processor/planner/aggregate_planner.h"
#include "processor/planner/output_list.h"
#include "processor/planner/over_planner.h"
#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/planner/subquery_planner.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// SelectPlanner: plans one SELECT over what its FROM gives. Private to planner/.
class SelectPlanner {
 public:
  SelectPlanner(PlanContext& context,
                QueryPlanner& queries,
                const ast::Select& select,
                Relation input)
      : context_(context),
        select_(select),
        input_(std::move(input)),
        subqueries_(context, queries, input_),
        aggregate_(context, input_, collector_),
        overs_(context, select.windows) {}

  // Once. `order_by` belongs to the query around the SELECT, but may name what it does not give.
  Relation Plan(const std::vector<ast::OrderItem>& order_by);

 private:
  // Whether the aggregate of this SELECT takes up the windows of its table function.
  bool TakesWindow(const std::vector<ast::OrderItem>& order_by) const;
  // Whether a row's window is looked at before it is aggregated: COUNT(DISTINCT window_time).
  bool LooksAtWindows(const ast::Expr& expression) const;
  bool NamesWindow(const ast::Expr& expression) const;
  void AddWhere();
  void SettleJoins();
  void BindItems();
  // Its conditions x IN (SELECT …) that do not depend on the groups otherwise become joins of
  // these; the others, or null.
  ExpressionPtr BindHaving();
  void JoinHavingIns();
  void BindQualify();
  // Joins the values of queries, of which expressions over the input became such over what it gives
  // now.
  void SettleValues(const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite);
  void ExpandStar(const ast::Star& star, Span at);
  bool ExpandRow(const ast::Star& star, Span at);
  void Aggregate(const ExpressionPtr& having);

  const PlanContext& context_;
  const ast::Select& select_;
  Relation input_;
  SubqueryPlanner subqueries_;
  AggregateCollector collector_;
  AggregatePlanner aggregate_;
  OverPlanner overs_;
  std::vector<OutputItem> items_;
  ExpressionPtr qualify_;  // or null

  struct HavingIn {
    ExpressionPtr left;
    SubqueryPlanner::Inner rows;
    bool is_negated = false;
    Span at;
  };
  std::vector<HavingIn> having_ins_;
};

}  // namespace slipstream::sql
