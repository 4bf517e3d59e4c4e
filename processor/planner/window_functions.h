#pragma once

#include <optional>
#include <string>

#include "processor/planner/aggregate_collector.h"
#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// The arguments of a window table function, sorted out by name or place. Private to planner/.
struct WindowCall {
  std::string function;  // TUMBLE, HOP, CUMULATE, SESSION
  const ast::TableArgument* data = nullptr;
  Span data_at;
  const ast::Expr* time = nullptr;  // a Descriptor
  WindowSpec spec;                  // but for time_column
};

// Gives each row of a relation with an assigned window once for every window it lies in; from then
// on the windows are columns like others. Throws SqlError: windows of processing time.
void AssignWindow(const PlanContext& context, Relation& relation);

bool IsWindowFunction(const std::string& upper_case_name);

// TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset]) and its kin. Throws SqlError.
WindowCall BindWindowCall(const PlanContext& context, const ast::Call& call);

// An item of GROUP BY that is TUMBLE(ts, size), HOP(ts, slide, size) or SESSION(ts, gap); nullopt:
// it is something else. Throws SqlError.
std::optional<AggregateCollector::GroupWindow> BindGroupWindow(
    const PlanContext& context,
    const std::vector<ScopeColumn>& scope,
    bool is_bounded,
    const ast::Expr& expr);

// Throws unless windows can be built over `column`: it is a timestamp and, on unbounded input, the
// one the watermark is about or PROCTIME().
void CheckTimeColumn(const PlanContext& context,
                     const ScopeColumn& column,
                     bool is_bounded,
                     Span at);

}  // namespace slipstream::sql
