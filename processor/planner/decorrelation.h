#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "processor/planner/plan.h"
#include "processor/planner/plan_context.h"
#include "processor/sql/diagnostic.h"

namespace slipstream::sql {

// A query that names columns of the one around it, of `level`, is planned as if these were
// constants, wherever in it they stand. Here it becomes one that gives its rows for all values they
// have at once, beside these values, by which it is then joined with the query around. Private to
// planner/.

// DependentQuery: the rows of a query for each row of the one around it.
struct DependentQuery {
  PlanNodePtr node;           // its own columns, then the values of `outer`
  std::vector<size_t> outer;  // columns of the query around
};

// The columns of the query around, of `level`, that are named anywhere in the tree.
std::set<size_t> OuterColumnsOf(const PlanNode& node, size_t level);

// `around`: what the query around it reads. Errors: throws SqlError, at `at`.
DependentQuery Decorrelate(
    PlanNodePtr node, const PlanNode& around, size_t level, const PlanContext& context, Span at);

// What has to hold for a row of the query around, whose columns stand from `around` on, and one of
// `query`, whose columns stand from `own` on, to belong together.
std::vector<ExpressionPtr> SameOuter(const DependentQuery& query, size_t around, size_t own);

}  // namespace slipstream::sql
