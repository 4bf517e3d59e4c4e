#pragma once

#include <functional>

#include "processor/planner/plan.h"
#include "processor/types/time_zone.h"

namespace slipstream::sql {

// What 'table.local-time-zone' means: where an instant (TIMESTAMP_LTZ) is used as the time that
// clocks show, or the other way round, the zone is written into the plan: in casts, DATE_FORMAT,
// EXTRACT and its kin, FLOOR and CEIL, FROM_UNIXTIME, UNIX_TIMESTAMP, LOCALTIMESTAMP and its kin.
// Arithmetic with instants is that of UTC, as in Flink. Windows know their zone (WindowSpec::zone).
// Private to planner/.

// A table with its computed columns and its watermark; itself if they have nothing to do with it.
TablePtr TableInZone(const TablePtr& table, const TimeZone& zone);

// All expressions of the plan. `table_in_zone` gives the table that is read for one.
void PutInZone(PlanNode& node,
               const TimeZone& zone,
               const std::function<TablePtr(const TablePtr&)>& table_in_zone);

// The plan with its instants as the times that clocks in the zone show.
PlanNodePtr ShowInZone(PlanNodePtr root, const TimeZone& zone);

}  // namespace slipstream::sql
