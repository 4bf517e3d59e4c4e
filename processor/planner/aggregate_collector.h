#pragma once

#include <map>
#include <string>
#include <vector>

#include "processor/planner/plan_context.h"
#include "processor/planner/relation.h"

namespace slipstream::sql {

// AggregateCollector: the aggregate calls of one SELECT, gathered while its expressions are bound.
// In those, the result of call i is the column kFirstAggregateColumn + i, and TUMBLE_START and the
// like are VirtualColumn(…). Private to planner/.
class AggregateCollector {
 public:
  // GROUP BY TUMBLE(ts, size): an older group window, which TUMBLE_START(ts, size) refers to.
  struct GroupWindow {
    std::string function;  // "TUMBLE"
    std::vector<ExpressionPtr> arguments;
    WindowSpec spec;
  };

  // The column of the call's result; equal calls share one.
  ExpressionPtr Add(AggregateCall call);
  const std::vector<AggregateCall>& calls() const { return calls_; }

  void set_group_window(GroupWindow window) { group_window_ = std::move(window); }
  const std::optional<GroupWindow>& group_window() const { return group_window_; }

  // The expressions of GROUP BY, if it has grouping sets: what GROUPING(…) asks about.
  void set_grouping(std::vector<ExpressionPtr> groups) { grouping_ = std::move(groups); }
  const std::vector<ExpressionPtr>& grouping() const { return grouping_; }

  // The first place where a column of the input was named, for "neither grouped nor aggregated".
  void NoteColumn(size_t column, const ScopeColumn& named, Span at);
  struct Use {
    std::string name;
    Span at;
  };
  const Use* FindUse(size_t column) const;

 private:
  std::vector<AggregateCall> calls_;
  std::optional<GroupWindow> group_window_;
  std::vector<ExpressionPtr> grouping_;
  std::map<size_t, Use> uses_;
};

}  // namespace slipstream::sql
