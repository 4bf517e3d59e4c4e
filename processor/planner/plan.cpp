#include "processor/planner/plan.h"

namespace slipstream::sql {

const std::string& TableDefinition::connector() const {
  static const std::string none;
  const auto found = options.find("connector");
  return found == options.end() ? none : found->second;
}

std::span<const PlanNodePtr> StreamingInputs(const PlanNode& node) {
  const std::span<const PlanNodePtr> inputs(node.inputs);
  const bool is_lookup =
      node.kind == PlanNode::Kind::kJoin && node.join.variant == JoinSpec::Variant::kLookup;
  return is_lookup ? inputs.first(1) : inputs;
}

}  // namespace slipstream::sql
