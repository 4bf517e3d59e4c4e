#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "processor/planner/expression_rewrite.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_properties.h"

namespace slipstream::sql {
namespace {

using ColumnSet = std::set<size_t>;
using ColumnMap = std::map<size_t, size_t>;  // from the old number to the new one

struct Pruned {
  PlanNodePtr node;
  ColumnMap columns;  // at least those that were asked for
};

Pruned Prune(PlanNodePtr node, const ColumnSet& needed);

ExpressionPtr Renumber(const ExpressionPtr& expression, const ColumnMap& columns) {
  if (!expression) return nullptr;
  return ReplaceColumns(expression, [&](const ExpressionPtr& column) {
    return MakeColumn(columns.at(column->column), column->type);
  });
}

// Reads what is asked for and, so that it can be computed, what that and the watermark rest on.
Pruned PruneScan(PlanNodePtr node, const ColumnSet& needed) {
  const TableDefinition& table = *node->table;
  ColumnSet wanted;
  for (const size_t column : needed)
    wanted.insert(node->reads[column]);
  // Which row a record replaces is told by its key.
  if (IsUpdateSource(table)) wanted.insert(table.primary_key.begin(), table.primary_key.end());
  if (table.watermark) {
    wanted.insert(table.watermark->column);
    CollectColumns(*table.watermark->expression, wanted);
  }
  // A computed column reads earlier computed ones at most.
  for (auto computed = table.computed.rbegin(); computed != table.computed.rend(); ++computed) {
    if (wanted.contains(computed->column)) CollectColumns(*computed->expression, wanted);
  }
  Pruned pruned;
  ColumnMap position;
  Schema output;
  std::vector<size_t> reads;
  for (const size_t column : wanted) {
    position[column] = reads.size();
    reads.push_back(column);
    output.push_back(table.schema[column]);
  }
  for (const size_t column : needed)
    pruned.columns[column] = position.at(node->reads[column]);
  node->reads = std::move(reads);
  node->output = std::move(output);
  pruned.node = std::move(node);
  return pruned;
}

Pruned PruneValues(PlanNodePtr node, const ColumnSet& needed) {
  Pruned pruned;
  Schema output;
  for (const size_t column : needed) {
    pruned.columns[column] = output.size();
    output.push_back(node->output[column]);
  }
  for (std::vector<Value>& row : node->rows) {
    std::vector<Value> kept;
    for (const size_t column : needed)
      kept.push_back(std::move(row[column]));
    row = std::move(kept);
  }
  node->output = std::move(output);
  pruned.node = std::move(node);
  return pruned;
}

Pruned PruneProject(PlanNodePtr node, const ColumnSet& needed) {
  ColumnSet below;
  for (const size_t column : needed)
    CollectColumns(*node->expressions[column], below);
  Pruned input = Prune(std::move(node->inputs.front()), below);
  Pruned pruned;
  Schema output;
  std::vector<ExpressionPtr> expressions;
  for (const size_t column : needed) {
    pruned.columns[column] = output.size();
    output.push_back(node->output[column]);
    expressions.push_back(Renumber(node->expressions[column], input.columns));
  }
  node->output = std::move(output);
  node->expressions = std::move(expressions);
  node->inputs.front() = std::move(input.node);
  pruned.node = std::move(node);
  return pruned;
}

// Filter, sort and limit pass all columns of their input on.
Pruned PrunePassing(PlanNodePtr node, const ColumnSet& needed) {
  ColumnSet below = needed;
  if (node->condition) CollectColumns(*node->condition, below);
  for (const SortKey& key : node->sort_keys)
    below.insert(key.column);
  Pruned input = Prune(std::move(node->inputs.front()), below);
  node->condition = Renumber(node->condition, input.columns);
  for (SortKey& key : node->sort_keys)
    key.column = input.columns.at(key.column);
  node->output = input.node->output;
  node->inputs.front() = std::move(input.node);
  return {std::move(node), std::move(input.columns)};
}

// Groups are kept, since they say what a row is; aggregates and properties nobody reads go.
Pruned PruneAggregate(PlanNodePtr node, const ColumnSet& needed) {
  const size_t groups = node->group_columns.size();
  const size_t aggregates = node->aggregates.size();
  Pruned pruned;
  Schema output;
  std::vector<AggregateCall> calls;
  std::vector<WindowProperty> properties;
  for (size_t i = 0; i < node->output.size(); ++i) {
    if (i >= groups && !needed.contains(i)) continue;
    pruned.columns[i] = output.size();
    output.push_back(std::move(node->output[i]));
    if (i >= groups + aggregates) {
      properties.push_back(node->window_properties[i - groups - aggregates]);
    } else if (i >= groups) {
      calls.push_back(std::move(node->aggregates[i - groups]));
    }
  }
  const bool has_window = node->kind == PlanNode::Kind::kWindowAggregate;
  ColumnSet below(node->group_columns.begin(), node->group_columns.end());
  if (has_window) below.insert(node->window.time_column);
  for (const AggregateCall& call : calls) {
    for (const ExpressionPtr& arg : call.args)
      CollectColumns(*arg, below);
    if (call.filter) CollectColumns(*call.filter, below);
  }
  Pruned input = Prune(std::move(node->inputs.front()), below);
  for (size_t& column : node->group_columns)
    column = input.columns.at(column);
  if (has_window) node->window.time_column = input.columns.at(node->window.time_column);
  for (AggregateCall& call : calls) {
    for (ExpressionPtr& arg : call.args)
      arg = Renumber(arg, input.columns);
    call.filter = Renumber(call.filter, input.columns);
  }
  node->output = std::move(output);
  node->aggregates = std::move(calls);
  node->window_properties = std::move(properties);
  node->inputs.front() = std::move(input.node);
  pruned.node = std::move(node);
  return pruned;
}

void RenumberKeys(PlanNode& node, const ColumnMap& columns) {
  for (size_t& column : node.group_columns)
    column = columns.at(column);
  for (SortKey& key : node.sort_keys)
    key.column = columns.at(key.column);
  if (node.window_end) node.window_end = columns.at(*node.window_end);
}

// Pass their input's columns on and add some of their own: windows, OVER, ranks. `own` says which
// of these are kept; they follow the input's.
Pruned FinishAdding(PlanNodePtr node, Pruned input, const std::vector<size_t>& own) {
  Schema output = input.node->output;
  for (const size_t column : own) {
    input.columns[column] = output.size();
    output.push_back(std::move(node->output[column]));
  }
  node->output = std::move(output);
  node->inputs.front() = std::move(input.node);
  return {std::move(node), std::move(input.columns)};
}

// Windows are added whole.
Pruned PruneWindow(PlanNodePtr node, const ColumnSet& needed) {
  const size_t width = node->inputs.front()->output.size();
  ColumnSet below(node->group_columns.begin(), node->group_columns.end());
  below.insert(node->window.time_column);
  for (const size_t column : needed) {
    if (column < width) below.insert(column);
  }
  Pruned input = Prune(std::move(node->inputs.front()), below);
  RenumberKeys(*node, input.columns);
  node->window.time_column = input.columns.at(node->window.time_column);
  return FinishAdding(std::move(node), std::move(input), {width, width + 1, width + 2});
}

Pruned PruneExpand(PlanNodePtr node, const ColumnSet& needed) {
  ColumnSet below;
  for (const std::vector<ExpressionPtr>& expansion : node->expansions) {
    for (const size_t column : needed)
      CollectColumns(*expansion[column], below);
  }
  Pruned input = Prune(std::move(node->inputs.front()), below);
  Pruned pruned;
  Schema output;
  for (const size_t column : needed) {
    pruned.columns[column] = output.size();
    output.push_back(node->output[column]);
  }
  for (std::vector<ExpressionPtr>& expansion : node->expansions) {
    std::vector<ExpressionPtr> kept;
    for (const size_t column : needed)
      kept.push_back(Renumber(expansion[column], input.columns));
    expansion = std::move(kept);
  }
  node->output = std::move(output);
  node->inputs.front() = std::move(input.node);
  pruned.node = std::move(node);
  return pruned;
}

// What an element gives is kept whole.
Pruned PruneUnnest(PlanNodePtr node, const ColumnSet& needed) {
  const size_t width = node->inputs.front()->output.size();
  ColumnSet below;
  CollectColumns(*node->unnested, below);
  for (const size_t column : needed) {
    if (column < width) below.insert(column);
  }
  std::vector<size_t> own;
  for (size_t column = width; column < node->output.size(); ++column)
    own.push_back(column);
  Pruned input = Prune(std::move(node->inputs.front()), below);
  node->unnested = Renumber(node->unnested, input.columns);
  return FinishAdding(std::move(node), std::move(input), own);
}

Pruned PruneOver(PlanNodePtr node, const ColumnSet& needed) {
  const size_t width = node->inputs.front()->output.size();
  const size_t lags = width + node->aggregates.size();
  ColumnSet below(node->group_columns.begin(), node->group_columns.end());
  for (const SortKey& key : node->sort_keys)
    below.insert(key.column);
  std::vector<size_t> own;
  std::vector<AggregateCall> kept_calls;
  std::vector<LagCall> kept_lags;
  for (const size_t column : needed) {
    if (column < width) {
      below.insert(column);
      continue;
    }
    own.push_back(column);
    if (column >= lags) {
      kept_lags.push_back(std::move(node->lags[column - lags]));
      CollectColumns(*kept_lags.back().value, below);
      CollectColumns(*kept_lags.back().fallback, below);
      continue;
    }
    kept_calls.push_back(std::move(node->aggregates[column - width]));
    for (const ExpressionPtr& arg : kept_calls.back().args)
      CollectColumns(*arg, below);
    if (kept_calls.back().filter) CollectColumns(*kept_calls.back().filter, below);
  }
  // Without results it is nothing but an order; one that nobody asks for goes.
  const bool had_results = node->output.size() > width;
  if (own.empty() && had_results) {
    return Prune(std::move(node->inputs.front()), below);
  }
  Pruned input = Prune(std::move(node->inputs.front()), below);
  RenumberKeys(*node, input.columns);
  for (AggregateCall& call : kept_calls) {
    for (ExpressionPtr& arg : call.args)
      arg = Renumber(arg, input.columns);
    call.filter = Renumber(call.filter, input.columns);
  }
  for (LagCall& lag : kept_lags) {
    lag.value = Renumber(lag.value, input.columns);
    lag.fallback = Renumber(lag.fallback, input.columns);
  }
  node->aggregates = std::move(kept_calls);
  node->lags = std::move(kept_lags);
  return FinishAdding(std::move(node), std::move(input), own);
}

Pruned PruneTopN(PlanNodePtr node, const ColumnSet& needed) {
  const size_t rank = node->output.size() - 1;
  ColumnSet below(node->group_columns.begin(), node->group_columns.end());
  for (const SortKey& key : node->sort_keys)
    below.insert(key.column);
  for (const size_t column : needed) {
    if (column < node->inputs.front()->output.size()) below.insert(column);
  }
  Pruned input = Prune(std::move(node->inputs.front()), below);
  RenumberKeys(*node, input.columns);
  node->has_rank = node->has_rank && needed.contains(rank);
  const std::vector<size_t> own(node->has_rank ? 1 : 0, rank);
  return FinishAdding(std::move(node), std::move(input), own);
}

Pruned PruneJoin(PlanNodePtr node, const ColumnSet& needed) {
  const size_t width = node->inputs[0]->output.size();
  ColumnSet both = needed;
  if (node->condition) CollectColumns(*node->condition, both);
  ColumnSet left;
  ColumnSet right;
  for (const size_t column : both) {
    if (column < width) left.insert(column);
    if (column >= width) right.insert(column - width);
  }
  JoinSpec& join = node->join;
  for (const JoinSpec::Key& key : join.keys) {
    left.insert(key.left);
    right.insert(key.right);
  }
  const bool has_times = join.has_times();
  if (has_times) {
    left.insert(join.left_time);
    right.insert(join.right_time);
  }
  Pruned left_input = Prune(std::move(node->inputs[0]), left);
  Pruned right_input = Prune(std::move(node->inputs[1]), right);
  for (JoinSpec::Key& key : join.keys) {
    key.left = left_input.columns.at(key.left);
    key.right = right_input.columns.at(key.right);
  }
  if (has_times) {
    join.left_time = left_input.columns.at(join.left_time);
    join.right_time = right_input.columns.at(join.right_time);
  }
  Pruned pruned;
  pruned.columns = std::move(left_input.columns);
  const size_t new_width = left_input.node->output.size();
  for (const auto& [before, now] : right_input.columns)
    pruned.columns[before + width] = now + new_width;
  node->condition = Renumber(node->condition, pruned.columns);
  node->output = JoinOutput(left_input.node->output, right_input.node->output, join);
  node->inputs[0] = std::move(left_input.node);
  node->inputs[1] = std::move(right_input.node);
  pruned.node = std::move(node);
  return pruned;
}

// Exactly the columns of `wanted`, in order.
PlanNodePtr Narrow(Pruned pruned, const ColumnSet& wanted) {
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  bool is_exact = pruned.node->output.size() == wanted.size();
  for (const size_t column : wanted) {
    const size_t position = pruned.columns.at(column);
    is_exact = is_exact && position == expressions.size();
    names.push_back(pruned.node->output[position].name);
    expressions.push_back(MakeColumn(position, pruned.node->output[position].type));
  }
  if (is_exact) return std::move(pruned.node);
  return MakeProject(std::move(pruned.node), std::move(expressions), std::move(names));
}

Pruned PruneUnion(PlanNodePtr node, const ColumnSet& needed) {
  Pruned pruned;
  Schema output;
  for (const size_t column : needed) {
    pruned.columns[column] = output.size();
    output.push_back(node->output[column]);
  }
  for (PlanNodePtr& input : node->inputs)
    input = Narrow(Prune(std::move(input), needed), needed);
  node->output = std::move(output);
  pruned.node = std::move(node);
  return pruned;
}

Pruned Prune(PlanNodePtr node, const ColumnSet& needed) {
  switch (node->kind) {
    case PlanNode::Kind::kScan:
      return PruneScan(std::move(node), needed);
    case PlanNode::Kind::kValues:
      return PruneValues(std::move(node), needed);
    case PlanNode::Kind::kProject:
      return PruneProject(std::move(node), needed);
    case PlanNode::Kind::kWindowAggregate:
    case PlanNode::Kind::kAggregate:
      return PruneAggregate(std::move(node), needed);
    case PlanNode::Kind::kWindow:
    case PlanNode::Kind::kSessionRows:
      return PruneWindow(std::move(node), needed);
    case PlanNode::Kind::kExpand:
      return PruneExpand(std::move(node), needed);
    case PlanNode::Kind::kUnnest:
      return PruneUnnest(std::move(node), needed);
    case PlanNode::Kind::kOver:
      return PruneOver(std::move(node), needed);
    case PlanNode::Kind::kTopN:
      return PruneTopN(std::move(node), needed);
    case PlanNode::Kind::kUnionAll:
      return PruneUnion(std::move(node), needed);
    case PlanNode::Kind::kJoin:
      return PruneJoin(std::move(node), needed);
    default:
      return PrunePassing(std::move(node), needed);
  }
}

}  // namespace

PlanNodePtr PruneColumns(PlanNodePtr root) {
  ColumnSet all;
  for (size_t i = 0; i < root->output.size(); ++i)
    all.insert(i);
  return Narrow(Prune(std::move(root), all), all);
}

}  // namespace slipstream::sql
