#pragma once

#include <span>

#include "processor/planner/plan.h"

namespace slipstream::sql {

// Rewrites of a plan that keep its rows, one file each. Private to planner/.

// All of them, in a useful order. The output keeps its columns and their order.
PlanNodePtr Optimize(PlanNodePtr root, bool every_input_is_bounded);

// Computes what needs no column: parts of expressions, conditions that are always TRUE, rows of
// VALUES.
PlanNodePtr FoldPlanConstants(PlanNodePtr node);

// Puts filters below projections where they only read what those pass on, and below joins to the
// side they read; what reads both sides becomes a part of an inner join's condition. An outer join
// whose rows without partner a filter takes out is none. Filters that meet are one.
PlanNodePtr PushFilters(PlanNodePtr node);

// Joins that are written one after the other in an order in which each, as far as there is one, has
// an equality with those before. Where that is so already they stay as they are.
PlanNodePtr AvoidCrossJoins(PlanNodePtr node);

// Makes keys of the equalities in the conditions of joins; where a side of one is computed, it
// becomes a column of the join's input.
PlanNodePtr FindJoinKeys(PlanNodePtr node);

// Makes window joins and interval joins of those joins over input that does not end whose keys and
// conditions say so.
void ChooseJoins(PlanNode& node, bool every_input_is_bounded);

// Over input that does not end: LIMIT, with or without an order, is Top-N of all rows; ORDER BY the
// event time gives rows as the watermark reaches them, ORDER BY PROCTIME() as they come. Other
// orders stay, for CheckStream to refuse.
PlanNodePtr SortStreams(PlanNodePtr node, bool every_input_is_bounded);

// Makes a condition on a ROW_NUMBER() right below it the rows with the first numbers: Top-N.
PlanNodePtr RanksToTopN(PlanNodePtr node);

// Joins projections that meet into one where nothing is then computed twice, and drops those that
// change nothing but names.
PlanNodePtr MergeProjects(PlanNodePtr node);

struct ExchangeOptions {
  bool every_input_is_bounded = false;
  bool pre_aggregates = true;  // 'table.optimizer.agg-phase-strategy' is not ONE_PHASE
};

// Puts exchanges below whatever needs all rows of a group, of a plan over Kafka: where these may
// lie in several tasks. 'source.partitioned-by' and exchanges further down are taken into account;
// how many partitions there are is not known here. Where aggregates allow it, rows are aggregated
// before they travel.
PlanNodePtr InsertExchanges(PlanNodePtr root, const ExchangeOptions& options);

// Drops the columns nobody reads; above all, scans then read only what is needed (computed columns
// and the watermark included).
PlanNodePtr PruneColumns(PlanNodePtr root);

// Of the ROWs of tables in JSON, reads only the fields that the queries name, which are those of
// one job: a table that several of them read stays one. The output keeps its columns.
void NarrowRows(std::span<PlanNode* const> queries);

}  // namespace slipstream::sql
