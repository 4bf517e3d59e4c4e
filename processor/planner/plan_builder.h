#pragma once

#include <string>
#include <vector>

#include "processor/planner/plan.h"

namespace slipstream::sql {

// The whole tree once more.
PlanNodePtr Clone(const PlanNode& node);

// Nodes with their outputs filled in.
PlanNodePtr MakeScan(TablePtr table);  // of all columns; pruned later
PlanNodePtr MakeValues(Schema output, std::vector<std::vector<Value>> rows);
PlanNodePtr MakeFilter(PlanNodePtr input, ExpressionPtr condition);
PlanNodePtr MakeProject(PlanNodePtr input,
                        std::vector<ExpressionPtr> expressions,
                        std::vector<std::string> names);
// Each row once: an aggregate by all columns.
PlanNodePtr MakeDistinct(PlanNodePtr input);
PlanNodePtr MakeUnion(Schema output, std::vector<PlanNodePtr> inputs);  // one input: itself
// Each row once for every window it lies in; `output`: the input's columns and the window's three.
PlanNodePtr MakeSessionRows(PlanNodePtr input,
                            const WindowSpec& window,
                            std::vector<size_t> partition_columns,
                            Schema output);
PlanNodePtr MakeWindow(PlanNodePtr input, const WindowSpec& window, Schema output);
// `names` are those of the outputs; types are those of the first list, nullable.
PlanNodePtr MakeExpand(PlanNodePtr input,
                       std::vector<std::vector<ExpressionPtr>> expansions,
                       std::vector<std::string> names);
// `condition` may be null.
PlanNodePtr MakeJoin(PlanNodePtr left,
                     PlanNodePtr right,
                     JoinSpec::Type type,
                     ExpressionPtr condition);
// What a join of these inputs gives: columns of a side that may be missing are nullable.
Schema JoinOutput(const Schema& left, const Schema& right, const JoinSpec& join);
PlanNodePtr MakeSort(PlanNodePtr input, std::vector<SortKey> keys);
PlanNodePtr MakeLimit(PlanNodePtr input, std::optional<uint64_t> limit, uint64_t offset);

}  // namespace slipstream::sql
