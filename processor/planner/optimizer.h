#pragma once

#include "processor/planner/plan.h"

namespace slipstream::sql {

// Rewrites of a plan that keep its rows, one file each. Private to planner/.

// All of them, in a useful order. The output keeps its columns and their order.
PlanNodePtr Optimize(PlanNodePtr root);

// Computes what needs no column: parts of expressions, conditions that are always TRUE, rows of
// VALUES.
PlanNodePtr FoldPlanConstants(PlanNodePtr node);

// Puts filters below projections where they only read what those pass on, and joins filters that
// meet into one.
PlanNodePtr PushFilters(PlanNodePtr node);

// Over input that does not end: LIMIT, with or without an order, is Top-N of all rows; ORDER BY the
// event time gives rows as the watermark reaches them. Other orders stay, for CheckStream to
// refuse.
PlanNodePtr SortStreams(PlanNodePtr node, bool every_input_is_bounded);

// Makes a condition on a ROW_NUMBER() right below it the rows with the first numbers: Top-N.
PlanNodePtr RanksToTopN(PlanNodePtr node);

// Joins projections that meet into one where nothing is then computed twice, and drops those that
// change nothing but names.
PlanNodePtr MergeProjects(PlanNodePtr node);

// Drops the columns nobody reads; above all, scans then read only what is needed (computed columns
// and the watermark included).
PlanNodePtr PruneColumns(PlanNodePtr root);

}  // namespace slipstream::sql
