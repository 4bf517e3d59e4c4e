#include <utility>

#include "processor/planner/optimizer.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_properties.h"

namespace slipstream::sql {
namespace {

// The sort right below, through projections; null: there is none.
PlanNode* SortBelow(PlanNode& node) {
  if (node.kind == PlanNode::Kind::kSort) return &node;
  if (node.kind != PlanNode::Kind::kProject) return nullptr;
  return SortBelow(*node.inputs.front());
}

void BecomeTopN(PlanNode& node, const PlanNode& limit) {
  node.kind = PlanNode::Kind::kTopN;
  node.rank_first = limit.offset + 1;
  node.rank_last = limit.offset + *limit.limit;
  node.has_rank = false;
  node.order_is_time = false;
  node.order_is_arrival = false;
}

}  // namespace

PlanNodePtr SortStreams(PlanNodePtr node, bool every_input_is_bounded) {
  if (!IsBounded(*node, every_input_is_bounded)) {
    const bool has_limit = node->kind == PlanNode::Kind::kLimit && node->limit && *node->limit > 0;
    if (has_limit) {
      PlanNodePtr below = std::move(node->inputs.front());
      if (PlanNode* const sort = SortBelow(*below)) {
        BecomeTopN(*sort, *node);
        node = std::move(below);
      } else {
        node->inputs.front() = std::move(below);
        BecomeTopN(*node, *node);
      }
    } else if (node->kind == PlanNode::Kind::kSort && node->order_is_time) {
      node->kind = PlanNode::Kind::kOver;
    } else if (node->kind == PlanNode::Kind::kSort && node->order_is_arrival) {
      return SortStreams(std::move(node->inputs.front()), every_input_is_bounded);
    }
  }
  for (PlanNodePtr& input : node->inputs)
    input = SortStreams(std::move(input), every_input_is_bounded);
  return node;
}

}  // namespace slipstream::sql
