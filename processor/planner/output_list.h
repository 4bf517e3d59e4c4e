#pragma once

#include <optional>
#include <string>
#include <vector>

#include "processor/planner/aggregate_collector.h"
#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// One column of a query's output, over the columns of the node below.
struct OutputItem {
  ExpressionPtr expression;
  std::string name;
  bool is_rowtime = false;
  std::optional<WindowProperty> window = std::nullopt;  // as of a ScopeColumn
  bool is_proctime = false;
};

// The sort keys of ORDER BY: an item's name, its number from 1, or an expression over `scope`; the
// latter is appended to `items` unless it is one of them. Throws SqlError.
std::vector<SortKey> BindOrder(const PlanContext& context,
                               const std::vector<ast::OrderItem>& order_by,
                               const std::vector<ScopeColumn>& scope,
                               AggregateCollector* collector,
                               std::vector<OutputItem>& items);

// Projects `node` to the items, sorts, and drops all but the first `visible` of them.
Relation BuildOutput(PlanNodePtr node,
                     const std::vector<OutputItem>& items,
                     size_t visible,
                     std::vector<SortKey> sort_keys);

}  // namespace slipstream::sql
