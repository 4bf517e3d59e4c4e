#include "processor/planner/plan_properties.h"

#include <algorithm>

namespace slipstream::sql {

bool IsBounded(const TableDefinition& table) {
  const std::string& connector = table.connector();
  const auto option = [&](const char* key) {
    const auto found = table.options.find(key);
    return found == table.options.end() ? "" : found->second;
  };
  if (connector == "filesystem") return !IsWatched(table);
  if (connector == "datagen") return !option("number-of-rows").empty();
  const std::string mode = option("scan.bounded.mode");
  return !mode.empty() && mode != "unbounded";
}

bool IsBounded(const PlanNode& node, bool every_input_is_bounded) {
  if (every_input_is_bounded) return true;
  if (node.kind == PlanNode::Kind::kScan) return IsBounded(*node.table);
  const auto inputs = StreamingInputs(node);
  return std::all_of(inputs.begin(), inputs.end(), [](const PlanNodePtr& input) {
    return IsBounded(*input, false);
  });
}

bool IsWatched(const TableDefinition& table) {
  return table.connector() == "filesystem" && table.options.contains("source.monitor-interval");
}

bool IsReadByTasks(const TableDefinition& table, bool every_input_is_bounded) {
  return table.connector() == "kafka" || table.connector() == "upsert-kafka" ||
         (IsWatched(table) && !every_input_is_bounded);
}

bool IsReadByTasks(const PlanNode& node, bool every_input_is_bounded) {
  if (node.kind == PlanNode::Kind::kScan) {
    return IsReadByTasks(*node.table, every_input_is_bounded);
  }
  const auto inputs = StreamingInputs(node);
  return std::any_of(inputs.begin(), inputs.end(), [&](const PlanNodePtr& input) {
    return IsReadByTasks(*input, every_input_is_bounded);
  });
}

bool IsUpdateSource(const TableDefinition& table) {
  if (table.connector() == "upsert-kafka") return true;
  for (const char* const option : {"format", "value.format"}) {
    const auto found = table.options.find(option);
    if (found != table.options.end() && found->second == "debezium-json") return true;
  }
  return false;
}

bool IsUpdateStream(const PlanNode& node, bool every_input_is_bounded) {
  if (node.kind == PlanNode::Kind::kScan) return IsUpdateSource(*node.table);
  auto inputs = StreamingInputs(node);
  // What a version of the right side replaces is what its rows stand for.
  const bool has_versions =
      node.kind == PlanNode::Kind::kJoin && node.join.variant == JoinSpec::Variant::kTemporal;
  if (has_versions) inputs = inputs.first(1);
  const bool input_is = std::any_of(inputs.begin(), inputs.end(), [&](const PlanNodePtr& input) {
    return IsUpdateStream(*input, every_input_is_bounded);
  });
  if (input_is) return true;
  const bool is_final = node.kind == PlanNode::Kind::kTopN &&
                        (node.window_end || IsFirstRow(node) || node.sort_keys.empty());
  const JoinSpec& join = node.join;
  const bool takes_rows_back =
      node.kind == PlanNode::Kind::kJoin && join.variant == JoinSpec::Variant::kRegular &&
      join.type != JoinSpec::Type::kInner && join.type != JoinSpec::Type::kSemi;
  const bool makes_updates = node.kind == PlanNode::Kind::kAggregate || takes_rows_back ||
                             node.early_us > 0 || (node.kind == PlanNode::Kind::kTopN && !is_final);
  return makes_updates && !IsBounded(node, every_input_is_bounded);
}

bool IsFirstRow(const PlanNode& node) {
  return node.kind == PlanNode::Kind::kTopN && node.rank_last == 1 && !node.window_end &&
         (node.order_is_time || node.order_is_arrival) && !node.sort_keys.front().descending;
}

namespace {

using ColumnSet = std::set<size_t>;

// The keys whose columns all pass the projection as they are.
std::vector<ColumnSet> ProjectKeys(const PlanNode& node) {
  std::vector<ColumnSet> keys;
  for (const ColumnSet& key : UniqueKeys(*node.inputs.front())) {
    ColumnSet projected;
    bool is_whole = true;
    for (const size_t column : key) {
      const auto found = std::find_if(
          node.expressions.begin(), node.expressions.end(), [column](const ExpressionPtr& given) {
            const bool is_cast = given->kind == Expression::Kind::kCast && !given->is_try;
            const Expression& source = is_cast ? *given->args.front() : *given;
            return source.kind == Expression::Kind::kColumn && source.column == column;
          });
      is_whole = is_whole && found != node.expressions.end();
      projected.insert(static_cast<size_t>(found - node.expressions.begin()));
    }
    if (is_whole) keys.push_back(std::move(projected));
  }
  return keys;
}

bool HoldsAny(const ColumnSet& columns, const std::vector<ColumnSet>& keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const ColumnSet& key) {
    return std::includes(columns.begin(), columns.end(), key.begin(), key.end());
  });
}

// Of windows that are shown early: the groups and what tells their windows apart.
std::vector<ColumnSet> WindowKeys(const PlanNode& node) {
  if (node.early_us == 0) return {};
  ColumnSet groups;
  for (size_t i = 0; i < node.group_columns.size(); ++i)
    groups.insert(i);
  if (node.window.kind == WindowSpec::Kind::kAttached) return {groups};
  std::vector<ColumnSet> keys;
  const size_t first = groups.size() + node.aggregates.size();
  for (size_t i = 0; i < node.window_properties.size(); ++i) {
    // Cumulating windows begin together.
    const bool is_shared = node.window.kind == WindowSpec::Kind::kCumulate &&
                           node.window_properties[i] == WindowProperty::kStart;
    if (is_shared) continue;
    keys.push_back(groups);
    keys.back().insert(first + i);
  }
  return keys;
}

std::vector<ColumnSet> JoinUniqueKeys(const PlanNode& node) {
  std::vector<ColumnSet> left = UniqueKeys(*node.inputs[0]);
  if (!node.join.gives_right()) return left;
  const size_t width = node.inputs[0]->output.size();
  ColumnSet left_columns;
  ColumnSet right_columns;
  for (const JoinSpec::Key& key : node.join.keys) {
    left_columns.insert(key.left);
    right_columns.insert(key.right + width);
  }
  std::vector<ColumnSet> right;
  for (const ColumnSet& key : UniqueKeys(*node.inputs[1])) {
    ColumnSet& shifted = right.emplace_back();
    for (const size_t column : key)
      shifted.insert(column + width);
  }
  std::vector<ColumnSet> keys;
  // Where a row has one partner at most it is told apart by what told it apart before; unless NULL
  // stands for the partners of many.
  if (HoldsAny(right_columns, right) && !node.join.keeps_right()) keys = left;
  if (HoldsAny(left_columns, left) && !node.join.keeps_left()) {
    keys.insert(keys.end(), right.begin(), right.end());
  }
  for (const ColumnSet& one : left) {
    for (ColumnSet both : right) {
      both.insert(one.begin(), one.end());
      keys.push_back(std::move(both));
    }
  }
  return keys;
}

}  // namespace

std::vector<std::set<size_t>> UniqueKeys(const PlanNode& node) {
  std::vector<ColumnSet> keys;
  switch (node.kind) {
    case PlanNode::Kind::kScan: {
      if (!IsUpdateSource(*node.table) || node.table->primary_key.empty()) return {};
      ColumnSet key;
      for (const size_t column : node.table->primary_key) {
        const auto found = std::find(node.reads.begin(), node.reads.end(), column);
        if (found == node.reads.end()) return {};
        key.insert(static_cast<size_t>(found - node.reads.begin()));
      }
      return {key};
    }
    case PlanNode::Kind::kAggregate: {
      ColumnSet groups;
      for (size_t i = 0; i < node.group_columns.size(); ++i)
        groups.insert(i);
      return {groups};
    }
    case PlanNode::Kind::kWindowAggregate:
      return WindowKeys(node);
    case PlanNode::Kind::kProject:
      return ProjectKeys(node);
    case PlanNode::Kind::kJoin:
      return JoinUniqueKeys(node);
    case PlanNode::Kind::kTopN: {
      keys = UniqueKeys(*node.inputs.front());
      ColumnSet ranked(node.group_columns.begin(), node.group_columns.end());
      if (node.rank_first < node.rank_last) {
        if (!node.has_rank) return keys;
        ranked.insert(node.output.size() - 1);
      }
      keys.push_back(std::move(ranked));
      return keys;
    }
    case PlanNode::Kind::kFilter:
    case PlanNode::Kind::kSort:
    case PlanNode::Kind::kLimit:
    case PlanNode::Kind::kOver:
    case PlanNode::Kind::kExchange:
      return UniqueKeys(*node.inputs.front());
    default:
      return keys;
  }
}

}  // namespace slipstream::sql
