#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

class QueryPlanner;

// Columns of the query around a subquery stand in the subquery's expressions under these numbers,
// until both are joined.
inline constexpr size_t kFirstOuterColumn = kVirtualColumns * 4;

// Appends the parts of a condition that AND joins.
void SplitAnd(const ast::Expr& condition, std::vector<const ast::Expr*>& parts);

// Whether it is IN (SELECT …) or EXISTS, or NOT one of them.
bool IsSubqueryCondition(const ast::Expr& part);

// Whether there is a query in the condition, or in what it compares.
bool HasSubquery(const ast::Expr& condition);

// SubqueryPlanner: makes joins of the subqueries in the expressions of one SELECT, with what its
// FROM gives: IN and EXISTS become semi joins, NOT IN and NOT EXISTS anti joins, a query that
// stands for a value an outer join. A subquery may name columns of the SELECT around it in
// conditions of its WHERE. Private to planner/.
//
// Ownership  borrows all; adds joins to `input`, whose columns keep their numbers.
// Errors     throws SqlError.
class SubqueryPlanner {
 public:
  SubqueryPlanner(const PlanContext& context, QueryPlanner& queries, Relation& input)
      : context_(context), queries_(queries), input_(input) {}

  // Of a part for which IsSubqueryCondition.
  void AddCondition(const ast::Expr& part);

  // (SELECT …) as a value: a column of the input from now on.
  ExpressionPtr BindScalar(const ast::Query& query, Span at);
  bool has_scalars() const { return has_scalars_; }

 private:
  // A subquery that is one plain SELECT: what its FROM and WHERE give, but for the conditions that
  // name outer columns.
  struct Plain {
    const ast::Select* select = nullptr;
    Relation relation;
    std::vector<ExpressionPtr> correlated;
  };
  // Rows to compare with, and where the compared values stand in them.
  struct Rows {
    PlanNodePtr node;
    std::vector<ExpressionPtr> values;  // over the outer columns, then the node's
    ExpressionPtr condition;            // likewise; or null
  };

  void AddExists(const ast::Query& query, bool is_negated);
  void AddIn(const ast::InQuery& in, bool is_negated, Span at);

  // nullopt: it has to be planned as a whole.
  std::optional<Plain> PlanPlain(const ast::Query& query);
  Rows PlanRows(const ast::Query& query, Span at);
  std::vector<ExpressionPtr> BindLeft(const ast::Expr& value, size_t width);
  ExpressionPtr BindCorrelatedAggregate(Plain plain, Span at);
  PlanNodePtr AggregateByKeys(Plain plain,
                              const std::vector<AggregateCall>& calls,
                              std::vector<ExpressionPtr>& outer_keys,
                              Span at) const;

  // From a subquery's own numbers and outer ones to those of both side by side.
  ExpressionPtr SideBySide(const ExpressionPtr& expression) const;
  void Join(PlanNodePtr right, JoinSpec::Type type, ExpressionPtr condition);

  const PlanContext& context_;
  QueryPlanner& queries_;
  Relation& input_;
  bool has_scalars_ = false;
};

}  // namespace slipstream::sql
