#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "processor/engine/operator_graph.h"

namespace slipstream::sql {

struct CompiledSource;

// LateRoutes: by input of every operator, which tables its rows come from: what rows that come too
// late there are counted for, and whose 'late-rows.topic' they go to. Immutable.
class LateRoutes {
 public:
  struct Route {
    std::string table;  // "a"; of several "a+b"
    // The program's, of the first of them that has a topic for late rows.
    std::optional<size_t> source;
  };

  LateRoutes() = default;
  LateRoutes(const OperatorGraph& graph, const std::vector<CompiledSource>& sources);

  const Route& Of(size_t node, size_t input) const { return routes_[node][input]; }
  // Of rows that are known to be of that table, by its number.
  const Route& OfTable(size_t table) const { return by_table_[table]; }

 private:
  std::vector<std::vector<Route>> routes_;  // by operator and input
  std::vector<Route> by_table_;
};

}  // namespace slipstream::sql
