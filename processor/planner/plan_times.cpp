#include "processor/planner/plan_times.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "processor/planner/expression_rewrite.h"
#include "processor/types/time_zone.h"

namespace slipstream::sql {
namespace {

using ColumnSet = std::set<size_t>;

// The output columns of a projection that are columns of `from`; casts between kinds of timestamps
// are seen through if `sees_casts`.
ColumnSet Projected(const std::vector<ExpressionPtr>& expressions,
                    const ColumnSet& from,
                    bool sees_casts) {
  ColumnSet found;
  for (size_t i = 0; i < expressions.size(); ++i) {
    const Expression* source = expressions[i].get();
    while (sees_casts && source->kind == Expression::Kind::kCast && source->type.is_timestamp())
      source = source->args.front().get();
    if (source->kind == Expression::Kind::kColumn && from.contains(source->column)) {
      found.insert(i);
    }
  }
  return found;
}

// Of the columns of an input those that a node passes on unchanged, in their places, at most
// `width`.
ColumnSet Passed(ColumnSet columns, size_t width) {
  std::erase_if(columns, [width](size_t column) { return column >= width; });
  return columns;
}

ColumnSet Grouped(const PlanNode& node, const ColumnSet& columns) {
  ColumnSet found;
  for (size_t i = 0; i < node.group_columns.size(); ++i) {
    if (columns.contains(node.group_columns[i])) found.insert(i);
  }
  return found;
}

ColumnSet Properties(const PlanNode& node, WindowProperty property) {
  ColumnSet found;
  const size_t first = node.group_columns.size() + node.aggregates.size();
  for (size_t i = 0; i < node.window_properties.size(); ++i) {
    if (node.window_properties[i] == property) found.insert(first + i);
  }
  return found;
}

ColumnSet Shifted(const ColumnSet& columns, size_t by) {
  ColumnSet shifted;
  for (const size_t column : columns)
    shifted.insert(column + by);
  return shifted;
}

ColumnSet JoinTimes(const PlanNode& node) {
  // Of rows that wait for processing time nobody knows how old they are when they are given.
  if (node.join.variant == JoinSpec::Variant::kRegular || node.join.is_by_arrival) return {};
  ColumnSet times = EventTimes(*node.inputs[0]);
  const bool is_versioned = node.join.variant == JoinSpec::Variant::kTemporal;
  if (node.join.has_times() && !is_versioned && node.join.gives_right()) {
    times.merge(Shifted(EventTimes(*node.inputs[1]), node.inputs[0]->output.size()));
  }
  return times;
}

}  // namespace

std::set<size_t> EventTimes(const PlanNode& node) {
  const auto input = [&node] { return EventTimes(*node.inputs.front()); };
  const auto width = [&node] { return node.inputs.front()->output.size(); };
  switch (node.kind) {
    case PlanNode::Kind::kScan: {
      if (!node.table->watermark) return {};
      const auto found =
          std::find(node.reads.begin(), node.reads.end(), node.table->watermark->column);
      if (found == node.reads.end()) return {};
      return {static_cast<size_t>(found - node.reads.begin())};
    }
    case PlanNode::Kind::kProject:
      return Projected(node.expressions, input(), false);
    case PlanNode::Kind::kWindow:
    case PlanNode::Kind::kSessionRows:
      return {width() + static_cast<size_t>(WindowProperty::kTime)};
    case PlanNode::Kind::kWindowAggregate: {
      if (node.window.is_by_arrival) return {};
      ColumnSet times = Properties(node, WindowProperty::kTime);
      times.merge(Grouped(node, input()));
      return times;
    }
    case PlanNode::Kind::kUnionAll: {
      ColumnSet times = input();
      for (const PlanNodePtr& other : node.inputs) {
        const ColumnSet theirs = EventTimes(*other);
        std::erase_if(times, [&](size_t column) { return !theirs.contains(column); });
      }
      return times;
    }
    case PlanNode::Kind::kJoin:
      return JoinTimes(node);
    case PlanNode::Kind::kValues:
    case PlanNode::Kind::kAggregate:
    case PlanNode::Kind::kExpand:
      return {};
    default:
      return Passed(input(), width());
  }
}

std::set<size_t> ArrivalTimes(const PlanNode& node) {
  ColumnSet times;
  switch (node.kind) {
    case PlanNode::Kind::kScan:
      for (const TableDefinition::ComputedColumn& computed : node.table->computed) {
        const auto found = std::find(node.reads.begin(), node.reads.end(), computed.column);
        if (found == node.reads.end() || !IsProcessingTime(*computed.expression)) continue;
        times.insert(static_cast<size_t>(found - node.reads.begin()));
      }
      return times;
    case PlanNode::Kind::kProject:
      times = Projected(node.expressions, ArrivalTimes(*node.inputs.front()), false);
      for (size_t i = 0; i < node.expressions.size(); ++i) {
        if (IsProcessingTime(*node.expressions[i])) times.insert(i);
      }
      return times;
    case PlanNode::Kind::kJoin:
      times = ArrivalTimes(*node.inputs[0]);
      if (node.join.gives_right()) {
        times.merge(Shifted(ArrivalTimes(*node.inputs[1]), node.inputs[0]->output.size()));
      }
      return times;
    case PlanNode::Kind::kValues:
    case PlanNode::Kind::kAggregate:
    case PlanNode::Kind::kWindowAggregate:
    case PlanNode::Kind::kUnionAll:
    case PlanNode::Kind::kExpand:
      return {};
    default:
      return Passed(ArrivalTimes(*node.inputs.front()), node.inputs.front()->output.size());
  }
}

namespace {

std::optional<RowWindows> JoinWindows(const PlanNode& node) {
  const JoinSpec::Variant variant = node.join.variant;
  if (variant == JoinSpec::Variant::kLookup || variant == JoinSpec::Variant::kTemporal) {
    return RowWindowsOf(*node.inputs[0]);
  }
  if (node.join.variant != JoinSpec::Variant::kWindow) return std::nullopt;
  std::optional<RowWindows> windows = RowWindowsOf(*node.inputs[0]);
  const std::optional<RowWindows> right = RowWindowsOf(*node.inputs[1]);
  if (!windows || !right || !node.join.gives_right()) return windows;
  const size_t width = node.inputs[0]->output.size();
  windows->starts.merge(Shifted(right->starts, width));
  windows->ends.merge(Shifted(right->ends, width));
  return windows;
}

std::optional<RowWindows> UnionWindows(const PlanNode& node) {
  std::optional<RowWindows> windows = RowWindowsOf(*node.inputs.front());
  for (const PlanNodePtr& other : node.inputs) {
    const std::optional<RowWindows> theirs = RowWindowsOf(*other);
    if (!windows || !theirs || !AreSameWindows(windows->spec, theirs->spec)) return std::nullopt;
    const auto keep = [](ColumnSet& columns, const ColumnSet& others) {
      std::erase_if(columns, [&](size_t column) { return !others.contains(column); });
    };
    keep(windows->starts, theirs->starts);
    keep(windows->ends, theirs->ends);
  }
  return windows;
}

}  // namespace

std::optional<RowWindows> RowWindowsOf(const PlanNode& node) {
  if (node.inputs.empty()) return std::nullopt;
  const PlanNode& input = *node.inputs.front();
  // Of the input's windows what `map` makes of their columns.
  const auto mapped = [&](const std::function<ColumnSet(const ColumnSet&)>& map) {
    std::optional<RowWindows> windows = RowWindowsOf(input);
    if (!windows) return windows;
    windows->starts = map(windows->starts);
    windows->ends = map(windows->ends);
    return windows;
  };
  switch (node.kind) {
    case PlanNode::Kind::kProject:
      return mapped([&](const ColumnSet& from) { return Projected(node.expressions, from, true); });
    case PlanNode::Kind::kWindow:
    case PlanNode::Kind::kSessionRows:
      return RowWindows{
          .spec = node.window, .starts = {input.output.size()}, .ends = {input.output.size() + 1}};
    case PlanNode::Kind::kWindowAggregate:
      if (node.window.kind == WindowSpec::Kind::kAttached) {
        return mapped([&](const ColumnSet& from) { return Grouped(node, from); });
      }
      return RowWindows{.spec = node.window,
                        .starts = Properties(node, WindowProperty::kStart),
                        .ends = Properties(node, WindowProperty::kEnd)};
    case PlanNode::Kind::kUnionAll:
      return UnionWindows(node);
    case PlanNode::Kind::kJoin:
      return JoinWindows(node);
    case PlanNode::Kind::kAggregate:
    case PlanNode::Kind::kExpand:
      return std::nullopt;
    default:
      return mapped([&](const ColumnSet& from) { return Passed(from, input.output.size()); });
  }
}

bool AreSameWindows(const WindowSpec& a, const WindowSpec& b) {
  return a.kind == b.kind && a.size_us == b.size_us && a.slide_us == b.slide_us &&
         a.offset_us == b.offset_us && a.is_by_arrival == b.is_by_arrival &&
         (a.zone ? a.zone->name() : "") == (b.zone ? b.zone->name() : "");
}

}  // namespace slipstream::sql
