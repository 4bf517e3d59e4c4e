#pragma once

#include <optional>
#include <set>

#include "processor/planner/plan.h"

namespace slipstream::sql {

// What a plan says about the times of its rows. Private to planner/.

// The output columns that the watermark is about.
std::set<size_t> EventTimes(const PlanNode& node);
// Those that are PROCTIME().
std::set<size_t> ArrivalTimes(const PlanNode& node);

// The windows that a node's rows lie in: the output columns that hold their starts and ends.
struct RowWindows {
  WindowSpec spec;  // how they were assigned; time_column means nothing here
  std::set<size_t> starts;
  std::set<size_t> ends;
};
// nullopt: they lie in none, or in windows of different kinds.
std::optional<RowWindows> RowWindowsOf(const PlanNode& node);

bool AreSameWindows(const WindowSpec& a, const WindowSpec& b);

}  // namespace slipstream::sql
