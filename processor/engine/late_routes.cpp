#include "processor/engine/late_routes.h"

#include <utility>

#include "processor/engine/compiled_job.h"

namespace slipstream::sql {
namespace {

// Adds the source to what is known of an input.
void AddSource(const LateRoutes::Route& source, LateRoutes::Route& input) {
  const std::string whole = "+" + input.table + "+";
  if (whole.find("+" + source.table + "+") == std::string::npos) {
    input.table += (input.table.empty() ? "" : "+") + source.table;
  }
  if (!input.source) input.source = source.source;
}

}  // namespace

LateRoutes::LateRoutes(const OperatorGraph& graph, const std::vector<CompiledSource>& sources) {
  for (const OperatorGraph::Node& node : graph.nodes())
    routes_.emplace_back(node.inputs.size());
  for (size_t i = 0; i < sources.size(); ++i) {
    Route& route = by_table_.emplace_back();
    route.table = sources[i].layout->table().name;
    if (!sources[i].table.source.late_rows_topic.empty()) route.source = sources[i].group;
    for (const OperatorGraph::Scan& scan : graph.scans()) {
      if (scan.table != sources[i].layout->table_ptr()) continue;
      OperatorGraph::Target target = scan.next;
      while (!target.is_sink) {
        if (target.is_node()) AddSource(route, routes_[target.index][target.input]);
        target = target.is_exchange ? graph.exchanges()[target.index].next
                                    : graph.nodes()[target.index].next;
      }
    }
  }
}

}  // namespace slipstream::sql
