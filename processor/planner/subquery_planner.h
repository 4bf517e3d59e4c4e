#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

class ExpressionBinder;
class QueryPlanner;

// What queries give that are joined only once their SELECT is aggregated, until then.
inline constexpr size_t kFirstScalarColumn = kVirtualColumns * 3;

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
// stands for a value an outer join. Of a subquery that names columns of the SELECT around it in
// conditions of its own WHERE only, these are what it is joined by; others are decorrelated first
// (decorrelation.h). Private to planner/.
//
// Ownership  borrows all; adds joins to `input`, whose columns keep their numbers.
// Errors     throws SqlError.
class SubqueryPlanner {
 public:
  SubqueryPlanner(PlanContext& context, QueryPlanner& queries, Relation& input)
      : context_(context), queries_(queries), input_(input) {}

  // The rows for which all parts hold. `clause` stands in messages.
  void FilterBy(const std::vector<const ast::Expr*>& parts, std::string_view clause);
  // Of a part for which IsSubqueryCondition.
  void AddCondition(const ast::Expr& part);

  // The rows that a subquery gives, and what has to hold for them to belong to a row of the input.
  // Expressions are over outer columns and the node's own.
  struct Inner {
    PlanNodePtr node;
    std::vector<ExpressionPtr> values;
    std::vector<ExpressionPtr> correlated;
    bool gives_one_row = false;
  };
  Inner PlanWhole(const ast::Query& query);

  // `left` IN rows that do not depend on the query around them; `left` is over what the input gives
  // by now.
  void AddIn(ExpressionPtr left, Inner rows, bool is_negated, Span at);

  // (SELECT …) as a value: a column of the input from now on.
  ExpressionPtr BindScalar(const ast::Query& query, Span at);
  // IN (SELECT …) and EXISTS (SELECT …) as values, wherever they stand: the numbers of rows that
  // are equal, that are there, and that are NULL say what they are. `binder` is for the left side.
  ExpressionPtr BindIn(const ast::InQuery& in, ExpressionBinder& binder, Span at);
  ExpressionPtr BindExists(const ast::Query& query, Span at);

  // From now on values are joined by JoinValues, to what the input gives then; until then they
  // stand in expressions under numbers that Settle replaces.
  void PutOff() { puts_off_ = true; }
  // While it lives, they are joined at once all the same.
  class AtOnce {
   public:
    explicit AtOnce(SubqueryPlanner& planner)
        : planner_(planner), puts_off_(std::exchange(planner.puts_off_, false)) {}
    ~AtOnce() { planner_.puts_off_ = puts_off_; }
    AtOnce(const AtOnce&) = delete;
    AtOnce& operator=(const AtOnce&) = delete;

   private:
    SubqueryPlanner& planner_;
    const bool puts_off_;
  };
  // Expressions over the input that the values depend on, and where these stand in the text.
  struct Use {
    ExpressionPtr outer;
    Span at;
  };
  std::vector<Use> Uses() const;
  // `rewrite`: such an expression over what the input gives now.
  void JoinValues(const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite);
  ExpressionPtr Settle(const ExpressionPtr& expression) const;

 private:
  // A subquery that is one plain SELECT: what its FROM and WHERE give, but for the conditions that
  // name outer columns.
  struct Plain {
    const ast::Select* select = nullptr;
    Relation relation;
    std::vector<ExpressionPtr> correlated;
    bool is_aggregate = false;  // its list is one of aggregates
  };

  void AddExists(const ast::Query& query, bool is_negated);

  // nullopt: it has to be planned as a whole.
  std::optional<Plain> PlanPlain(const ast::Query& query);
  Inner PlanInner(const ast::Query& query);
  // The same, such that it can be aggregated for all rows of the input at once.
  Inner PlanKeyed(const ast::Query& query);
  void JoinIn(Inner rows, const std::vector<ExpressionPtr>& left, bool is_negated, Span at);
  std::vector<ExpressionPtr> BindLeft(const ast::Expr& value,
                                      size_t width,
                                      ExpressionBinder& binder) const;
  // The left side, for what takes one value only.
  ExpressionPtr BindOneLeft(const ast::InQuery& in,
                            size_t width,
                            ExpressionBinder& binder,
                            Span at) const;
  // Another operator than =: what holds for one of the values does for the least or the greatest.
  ExpressionPtr BindAny(const ast::InQuery& in, ExpressionBinder& binder, Span at);
  // `holds`, or what it is where it does not: FALSE, or unknown, for a NULL on either side. The
  // numbers of rows, and of those with a value, are in `counts`.
  ExpressionPtr OrUnknown(ExpressionPtr holds,
                          const ExpressionPtr& left,
                          const std::vector<ExpressionPtr>& counts,
                          Span at) const;
  // The only row's value for every row of the input; more rows are an error.
  void KeepSingleValue(Inner& inner, Span at) const;
  ExpressionPtr BindCorrelatedAggregate(Plain plain, Span at);
  // The results of aggregates over what a subquery gives for a row of the input, as columns of it.
  std::vector<ExpressionPtr> JoinAggregates(PlanNodePtr node,
                                            const std::vector<ExpressionPtr>& correlated,
                                            const std::vector<AggregateCall>& calls,
                                            Span at);
  PlanNodePtr AggregateByKeys(PlanNodePtr node,
                              const std::vector<ExpressionPtr>& correlated,
                              const std::vector<AggregateCall>& calls) const;

  // From a subquery's own numbers and outer ones to those of both side by side.
  ExpressionPtr SideBySide(const ExpressionPtr& expression) const;
  ExpressionPtr AllSideBySide(const std::vector<ExpressionPtr>& parts) const;
  void Join(PlanNodePtr right, JoinSpec::Type type, ExpressionPtr condition);
  // Rows beside those of the input, or NULLs. The number of the first of their columns.
  size_t JoinLeft(PlanNodePtr right, std::vector<ExpressionPtr> correlated, Span at);

  PlanContext& context_;
  QueryPlanner& queries_;
  Relation& input_;
  // The input as it was when the first query that depends on it was met.
  PlanNodePtr around_;
  struct PutOffJoin {
    PlanNodePtr right;
    std::vector<ExpressionPtr> correlated;  // keys
    Span at;
  };
  bool puts_off_ = false;
  std::vector<PutOffJoin> put_off_;
  size_t put_off_columns_ = 0;
  std::vector<size_t> settled_;  // where the columns put off stand in the input, once joined
};

}  // namespace slipstream::sql
