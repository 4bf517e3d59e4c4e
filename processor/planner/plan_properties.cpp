#include "processor/planner/plan_properties.h"

#include <algorithm>

namespace slipstream::sql {

bool IsBounded(const TableDefinition& table) {
  const std::string& connector = table.connector();
  const auto option = [&](const char* key) {
    const auto found = table.options.find(key);
    return found == table.options.end() ? "" : found->second;
  };
  if (connector == "filesystem") return option("source.monitor-interval").empty();
  if (connector == "datagen") return !option("number-of-rows").empty();
  const std::string mode = option("scan.bounded.mode");
  return !mode.empty() && mode != "unbounded";
}

bool IsBounded(const PlanNode& node, bool every_input_is_bounded) {
  if (every_input_is_bounded) return true;
  if (node.kind == PlanNode::Kind::kScan) return IsBounded(*node.table);
  return std::all_of(node.inputs.begin(), node.inputs.end(), [](const PlanNodePtr& input) {
    return IsBounded(*input, false);
  });
}

bool IsUpdateStream(const PlanNode& node, bool every_input_is_bounded) {
  if (node.kind == PlanNode::Kind::kAggregate && !IsBounded(node, every_input_is_bounded)) {
    return true;
  }
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](const PlanNodePtr& input) {
    return IsUpdateStream(*input, every_input_is_bounded);
  });
}

}  // namespace slipstream::sql
