#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

class QueryPlanner;

// The values of queries that are joined only once their SELECT is aggregated, until then.
inline constexpr size_t kFirstScalarColumn = kVirtualColumns * 3;

// Columns of the query around a subquery stand in the subquery's expressions under these numbers,
// until both are joined.
inline constexpr size_t kFirstOuterColumn = kVirtualColumns * 4;

// Appends the parts of a condition that AND joins.
void SplitAnd(const ast::Expr& condition, std::vector<const ast::Expr*>& parts);

// Whether it is IN (SELECT …), of a value without a query in it, or EXISTS, or NOT one of them.
bool IsSubqueryCondition(const ast::Expr& part);

// The IN (SELECT …) that a part for which IsSubqueryCondition is, and whether it is negated; null:
// it is an EXISTS.
const ast::InQuery* InConditionOf(const ast::Expr& part, bool& is_negated);

// Whether there is a query anywhere in the condition.
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

  // `left` IN a query that does not depend on the one around it; `left` is over what the input
  // gives by now.
  void AddIn(ExpressionPtr left, const ast::Query& query, bool is_negated, Span at);

  // (SELECT …) as a value: a column of the input from now on.
  ExpressionPtr BindScalar(const ast::Query& query, Span at);
  // IN (SELECT …) and EXISTS (SELECT …) as values, wherever they stand: the numbers of rows that
  // are equal, that are there, and that are NULL say what they are.
  ExpressionPtr BindIn(const ast::InQuery& in, Span at);
  ExpressionPtr BindExists(const ast::Query& query, Span at);

  // From now on the values of queries that do not depend on the one around them are joined by
  // JoinScalars; until then they stand in expressions under numbers that Settle replaces.
  void PutOffScalars() { puts_off_ = true; }
  void JoinScalars();
  ExpressionPtr Settle(const ExpressionPtr& expression) const;

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
  void CheckNoAggregate(const Plain& plain, Span at) const;

  // nullopt: it has to be planned as a whole.
  std::optional<Plain> PlanPlain(const ast::Query& query);
  Rows PlanRows(const ast::Query& query, Span at);
  // Of a query that does not depend on the one around it.
  Rows PlanWhole(const ast::Query& query);
  void JoinIn(Rows rows, const std::vector<ExpressionPtr>& left, bool is_negated, Span at);
  std::vector<ExpressionPtr> BindLeft(const ast::Expr& value, size_t width);
  Relation SingleValue(Relation relation, Span at) const;
  ExpressionPtr BindCorrelatedAggregate(Plain plain, Span at);
  // The results of aggregates over what a subquery gives for a row of the input, as columns of it.
  std::vector<ExpressionPtr> JoinAggregates(Plain plain,
                                            const std::vector<AggregateCall>& calls,
                                            Span at);
  // What a subquery gives as a whole, and its columns, over its own numbers.
  Plain PlanInner(const ast::Query& query, std::vector<ExpressionPtr>& values, Span at);
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
  bool puts_off_ = false;
  std::vector<Relation> put_off_;
  std::vector<size_t> scalars_;  // where those of put_off_ stand in the input, once they are joined
};

}  // namespace slipstream::sql
