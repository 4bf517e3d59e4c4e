#pragma once

#include <memory>
#include <vector>

#include "common/status/status.h"
#include "processor/operators/join_rows.h"
#include "processor/operators/operator.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// The operators that nodes of a plan stand for.

// Before an operator of windows is made. kInvalidArgument: there would be too many, or none.
Status CheckWindow(const WindowSpec& window);

// `calls`: the node's aggregates, or what stands for them. `merges`: what comes in are partial rows
// (partial_rows.h).
std::unique_ptr<const Operator> MakeAggregate(const PlanNode& node,
                                              std::vector<AggregateCall> calls,
                                              bool is_bounded,
                                              bool merges);
std::unique_ptr<const Operator> MakeWindowAggregate(const PlanNode& node,
                                                    std::vector<AggregateCall> calls,
                                                    bool merges);
std::unique_ptr<const Operator> MakeSessionRows(const PlanNode& node);
std::unique_ptr<const Operator> MakeTopN(const PlanNode& node, bool is_bounded);
std::unique_ptr<const Operator> MakeSort(const PlanNode& node);
// LIMIT over rows that are kept, by their number, until the end.
std::unique_ptr<const Operator> MakeSavedLimit(const PlanNode& node);
std::unique_ptr<const Operator> MakeOver(const PlanNode& node);
// Any join but a lookup.
std::unique_ptr<const Operator> MakeStreamingJoin(const PlanNode& node,
                                                  JoinDescription description);

}  // namespace slipstream::sql
