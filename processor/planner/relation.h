#pragma once

#include <optional>
#include <string>
#include <vector>

#include "processor/planner/plan.h"
#include "processor/sql/diagnostic.h"

namespace slipstream::sql {

// Columns that no node gives yet stand in expressions under numbers beyond any real one, until the
// aggregate that makes them is built: the window's properties, then the aggregates' results.
inline constexpr size_t kVirtualColumns = size_t{1} << 32;
inline constexpr size_t kFirstAggregateColumn = kVirtualColumns + 3;

// Which grouping set a row is of: bit n - 1 - i is set if group i of n is left out.
inline constexpr size_t kGroupingIdColumn = kVirtualColumns * 2 - 1;

// The results of OVER calls, until their operator is built.
inline constexpr size_t kFirstOverColumn = kVirtualColumns * 2;

inline size_t VirtualColumn(WindowProperty property) {
  return kVirtualColumns + static_cast<size_t>(property);
}

// The number of an outer column: that it has in the query around, and how deep that query is.
inline size_t OuterColumn(size_t level, size_t column) {
  return level * kVirtualColumns + column;
}

// A column that names may refer to.
struct ScopeColumn {
  std::string table;  // the alias it is qualified with; empty: none
  std::string name;
  DataType type;
  size_t column = 0;         // of the relation's node, or a virtual one
  bool is_rowtime = false;   // the watermark is about it
  bool is_proctime = false;  // PROCTIME(): in the order of arrival
  // It is the start, end or time of a window that the relation's rows lie in.
  std::optional<WindowProperty> window = std::nullopt;
  // Its name has to be given with the table's: USING made one column of two of that name.
  bool is_qualified = false;
};

// Relation: what FROM, a subquery or a whole query gives: a plan and the names of its columns.
struct Relation {
  // A window table function's windows, which an aggregate takes up, or else an operator of their
  // own.
  struct AssignedWindow {
    WindowSpec spec;
    Span at;
    std::string function;                // "TUMBLE"
    std::vector<size_t> partition_keys;  // SESSION … PARTITION BY
  };

  PlanNodePtr node;
  std::vector<ScopeColumn> columns;
  std::optional<AssignedWindow> window;
  // What is known of the rows' times depends on what WHERE makes of the joins in the node.
  bool has_join = false;
};

}  // namespace slipstream::sql
