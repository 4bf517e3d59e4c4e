#include "processor/planner/plan_builder.h"

#include <numeric>
#include <utility>

namespace slipstream::sql {
namespace {

PlanNodePtr MakeNode(PlanNode::Kind kind, Schema output, PlanNodePtr input) {
  auto node = std::make_unique<PlanNode>();
  node->kind = kind;
  node->output = std::move(output);
  if (input) node->inputs.push_back(std::move(input));
  return node;
}

}  // namespace

PlanNodePtr Clone(const PlanNode& node) {
  auto copy = std::make_unique<PlanNode>();
  static_cast<PlanOperator&>(*copy) = node;
  for (const PlanNodePtr& input : node.inputs)
    copy->inputs.push_back(Clone(*input));
  return copy;
}

PlanNodePtr MakeScan(TablePtr table) {
  PlanNodePtr node = MakeNode(PlanNode::Kind::kScan, table->schema, nullptr);
  node->reads.resize(table->schema.size());
  std::iota(node->reads.begin(), node->reads.end(), size_t{0});
  node->table = std::move(table);
  return node;
}

PlanNodePtr MakeValues(Schema output, std::vector<std::vector<Value>> rows) {
  PlanNodePtr node = MakeNode(PlanNode::Kind::kValues, std::move(output), nullptr);
  node->rows = std::move(rows);
  return node;
}

PlanNodePtr MakeFilter(PlanNodePtr input, ExpressionPtr condition) {
  Schema output = input->output;
  PlanNodePtr node = MakeNode(PlanNode::Kind::kFilter, std::move(output), std::move(input));
  node->condition = std::move(condition);
  return node;
}

PlanNodePtr MakeProject(PlanNodePtr input,
                        std::vector<ExpressionPtr> expressions,
                        std::vector<std::string> names) {
  Schema output;
  for (size_t i = 0; i < expressions.size(); ++i) {
    output.push_back({std::move(names[i]), expressions[i]->type});
  }
  PlanNodePtr node = MakeNode(PlanNode::Kind::kProject, std::move(output), std::move(input));
  node->expressions = std::move(expressions);
  return node;
}

PlanNodePtr MakeDistinct(PlanNodePtr input) {
  Schema output = input->output;
  PlanNodePtr node = MakeNode(PlanNode::Kind::kAggregate, std::move(output), std::move(input));
  node->group_columns.resize(node->output.size());
  std::iota(node->group_columns.begin(), node->group_columns.end(), size_t{0});
  return node;
}

PlanNodePtr MakeUnion(Schema output, std::vector<PlanNodePtr> inputs) {
  if (inputs.size() == 1) return std::move(inputs.front());
  PlanNodePtr node = MakeNode(PlanNode::Kind::kUnionAll, std::move(output), nullptr);
  node->inputs = std::move(inputs);
  return node;
}

PlanNodePtr MakeSessionRows(PlanNodePtr input,
                            const WindowSpec& window,
                            std::vector<size_t> partition_columns,
                            Schema output) {
  PlanNodePtr node = MakeNode(PlanNode::Kind::kSessionRows, std::move(output), std::move(input));
  node->window = window;
  node->group_columns = std::move(partition_columns);
  return node;
}

PlanNodePtr MakeWindow(PlanNodePtr input, const WindowSpec& window, Schema output) {
  PlanNodePtr node = MakeNode(PlanNode::Kind::kWindow, std::move(output), std::move(input));
  node->window = window;
  return node;
}

PlanNodePtr MakeExpand(PlanNodePtr input,
                       std::vector<std::vector<ExpressionPtr>> expansions,
                       std::vector<std::string> names) {
  Schema output;
  for (size_t i = 0; i < names.size(); ++i) {
    DataType type = expansions.front()[i]->type;
    for (const std::vector<ExpressionPtr>& expansion : expansions)
      type.nullable = type.nullable || expansion[i]->type.nullable;
    output.push_back({std::move(names[i]), std::move(type)});
  }
  PlanNodePtr node = MakeNode(PlanNode::Kind::kExpand, std::move(output), std::move(input));
  node->expansions = std::move(expansions);
  return node;
}

Schema JoinOutput(const Schema& left, const Schema& right, const JoinSpec& join) {
  Schema output = left;
  for (Field& field : output)
    field.type.nullable = field.type.nullable || join.keeps_right();
  if (!join.gives_right()) return output;
  for (Field field : right) {
    field.type.nullable = field.type.nullable || join.keeps_left();
    output.push_back(std::move(field));
  }
  return output;
}

PlanNodePtr MakeJoin(PlanNodePtr left,
                     PlanNodePtr right,
                     JoinSpec::Type type,
                     ExpressionPtr condition) {
  Schema output = JoinOutput(left->output, right->output, {.type = type});
  PlanNodePtr node = MakeNode(PlanNode::Kind::kJoin, std::move(output), std::move(left));
  node->inputs.push_back(std::move(right));
  node->join.type = type;
  node->condition = std::move(condition);
  return node;
}

PlanNodePtr MakeSort(PlanNodePtr input, std::vector<SortKey> keys) {
  Schema output = input->output;
  PlanNodePtr node = MakeNode(PlanNode::Kind::kSort, std::move(output), std::move(input));
  node->sort_keys = std::move(keys);
  return node;
}

PlanNodePtr MakeLimit(PlanNodePtr input, std::optional<uint64_t> limit, uint64_t offset) {
  Schema output = input->output;
  PlanNodePtr node = MakeNode(PlanNode::Kind::kLimit, std::move(output), std::move(input));
  node->limit = limit;
  node->offset = offset;
  return node;
}

}  // namespace slipstream::sql
