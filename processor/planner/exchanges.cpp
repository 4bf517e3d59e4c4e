#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "processor/expr/aggregate_function.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/plan_properties.h"

namespace slipstream::sql {
namespace {

// How the rows of a node are spread over tasks.
struct Spread {
  // Rows that agree in these columns of the node are in one task; empty: all rows are. Nothing:
  // rows that agree may be anywhere.
  std::optional<std::set<size_t>> columns;
  // The table or exchange whose tasks they are in: rows of two origins never share a task. Null:
  // several.
  const void* origin = nullptr;
};

// The columns that 'source.partitioned-by' names, by place in the scan's output.
std::optional<std::set<size_t>> PartitionedBy(const PlanNode& scan) {
  const auto option = scan.table->options.find("source.partitioned-by");
  if (option == scan.table->options.end()) return std::nullopt;
  std::set<size_t> columns;
  std::string_view rest = option->second;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view name = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (name.empty()) continue;
    const auto found = std::find_if(scan.output.begin(),
                                    scan.output.end(),
                                    [&](const Field& field) { return field.name == name; });
    if (found == scan.output.end()) return std::nullopt;
    columns.insert(static_cast<size_t>(found - scan.output.begin()));
  }
  if (columns.empty()) return std::nullopt;
  return columns;
}

// The spread behind a node whose output column i is the input's column `from(i)`, or none of them.
template <class From>
Spread Renumbered(const Spread& input, size_t width, const From& from) {
  if (!input.columns) return input;
  std::set<size_t> columns;
  for (const size_t wanted : *input.columns) {
    size_t column = 0;
    while (column < width && from(column) != wanted)
      ++column;
    if (column == width) return {.columns = std::nullopt, .origin = input.origin};
    columns.insert(column);
  }
  return {.columns = std::move(columns), .origin = input.origin};
}

std::optional<size_t> ColumnOf(const Expression& expression) {
  if (expression.kind != Expression::Kind::kColumn) return std::nullopt;
  return expression.column;
}

// What an expansion leaves out in one of its lists is another column.
std::optional<size_t> ExpandedColumn(const PlanNode& node, size_t column) {
  std::optional<size_t> same;
  for (const std::vector<ExpressionPtr>& expansion : node.expansions) {
    const std::optional<size_t> here = ColumnOf(*expansion[column]);
    if (!here || (same && *same != *here)) return std::nullopt;
    same = here;
  }
  return same;
}

bool AreAtHome(const Spread& spread, const std::vector<size_t>& keys) {
  if (!spread.columns || spread.origin == nullptr) return false;
  return std::all_of(spread.columns->begin(), spread.columns->end(), [&](size_t column) {
    return std::find(keys.begin(), keys.end(), column) != keys.end();
  });
}

bool WantsLateRows(const PlanNode& node) {
  if (node.kind == PlanNode::Kind::kScan) return node.table->options.contains("late-rows.topic");
  const auto inputs = StreamingInputs(node);
  return std::any_of(
      inputs.begin(), inputs.end(), [](const PlanNodePtr& input) { return WantsLateRows(*input); });
}

// Whether each row is made of one record of a source.
bool KeepsRecords(const PlanNode& node) {
  switch (node.kind) {
    case PlanNode::Kind::kScan:
      return IsReadByTasks(*node.table, false);
    case PlanNode::Kind::kFilter:
    case PlanNode::Kind::kProject:
    case PlanNode::Kind::kWindow:
    case PlanNode::Kind::kExpand:
    case PlanNode::Kind::kUnnest:
    case PlanNode::Kind::kUnionAll:
      return std::all_of(node.inputs.begin(), node.inputs.end(), [](const PlanNodePtr& input) {
        return KeepsRecords(*input);
      });
    default:
      return false;
  }
}

// Puts an exchange where rows of one group may not be in one task yet.
class Exchanger {
 public:
  explicit Exchanger(const ExchangeOptions& options) : options_(options) {}

  Spread Visit(PlanNode& node) {
    if (node.kind == PlanNode::Kind::kScan) return {PartitionedBy(node), node.table.get()};
    std::vector<Spread> spreads;
    for (size_t i = 0; i < StreamingInputs(node).size(); ++i)
      spreads.push_back(Visit(*node.inputs[i]));
    if (spreads.empty()) return {};
    switch (node.kind) {
      case PlanNode::Kind::kWindowAggregate:
      case PlanNode::Kind::kAggregate: {
        const bool can_split = CanSplit(node);
        const Spread spread = Gathered(node, spreads.front(), node.group_columns);
        node.has_two_phases = can_split && node.inputs.front()->kind == PlanNode::Kind::kExchange;
        return Renumbered(spread, node.group_columns.size(), [&](size_t column) {
          return std::optional(node.group_columns[column]);
        });
      }
      case PlanNode::Kind::kSessionRows:
      case PlanNode::Kind::kOver:
      case PlanNode::Kind::kTopN:
        return Gathered(node, spreads.front(), node.group_columns);
      case PlanNode::Kind::kSort:
      case PlanNode::Kind::kLimit:
        return Gathered(node, spreads.front(), {});
      case PlanNode::Kind::kProject:
        return Renumbered(spreads.front(), node.expressions.size(), [&](size_t column) {
          return ColumnOf(*node.expressions[column]);
        });
      case PlanNode::Kind::kExpand:
        return Renumbered(spreads.front(), node.output.size(), [&](size_t column) {
          return ExpandedColumn(node, column);
        });
      case PlanNode::Kind::kUnionAll:
        return United(spreads);
      case PlanNode::Kind::kJoin:
        return spreads.size() == 1 ? spreads.front() : Joined(node, spreads);
      default:
        return spreads.size() == 1 ? spreads.front() : Spread();
    }
  }

 private:
  // Whether parts of a group can be aggregated apart and put together afterwards. Rows that were
  // taken back are not put together with those that stay; sessions are not known before their rows
  // are; rows by processing time are of when they get there; and late rows that are wanted one by
  // one travel one by one. What depends on the order of
  // rows has to go in two phases, asked for or not: only where records come from is it known.
  bool CanSplit(const PlanNode& node) const {
    const PlanNode& input = *node.inputs.front();
    if (IsUpdateStream(input, options_.every_input_is_bounded)) return false;
    const bool has_window = node.kind == PlanNode::Kind::kWindowAggregate;
    if (has_window && (WantsLateRows(input) || node.window.is_by_arrival)) return false;
    bool orders_rows = false;
    for (const AggregateCall& call : node.aggregates) {
      if (!call.function->depends_on_order()) continue;
      if (call.is_distinct || call.function->ordered() == nullptr) return false;
      orders_rows = true;
    }
    if (orders_rows) return KeepsRecords(input);
    return options_.pre_aggregates &&
           !(has_window && node.window.kind == WindowSpec::Kind::kSession);
  }

  // The input of `node`, by `keys`: behind an exchange, unless rows of a key are in one task as it
  // is.
  static Spread Gathered(PlanNode& node, const Spread& spread, const std::vector<size_t>& keys) {
    if (AreAtHome(spread, keys)) return spread;
    Exchange(node.inputs.front(), keys);
    return {.columns = std::set<size_t>(keys.begin(), keys.end()),
            .origin = node.inputs.front().get()};
  }

  static void Exchange(PlanNodePtr& input, const std::vector<size_t>& keys) {
    auto exchange = std::make_unique<PlanNode>();
    exchange->kind = PlanNode::Kind::kExchange;
    exchange->output = input->output;
    exchange->group_columns = keys;
    exchange->inputs.push_back(std::move(input));
    input = std::move(exchange);
  }

  // Both inputs go by the keys, each in the keys' order, so that equal rows of both meet. Only rows
  // of one table by one column may be together as they are.
  static Spread Joined(PlanNode& node, const std::vector<Spread>& spreads) {
    std::vector<size_t> left;
    std::vector<size_t> right;
    for (const JoinSpec::Key& key : node.join.keys) {
      left.push_back(key.left);
      right.push_back(key.right);
    }
    if (!AreTogether(node, spreads[0], spreads[1])) {
      Exchange(node.inputs[0], left);
      Exchange(node.inputs[1], right);
    }
    // NULLs stand for the columns of the side that found no partner.
    if (!node.join.keeps_right()) return {std::set<size_t>(left.begin(), left.end()), &node};
    if (node.join.keeps_left()) return {};
    std::set<size_t> shifted;
    for (const size_t column : right)
      shifted.insert(node.inputs[0]->output.size() + column);
    return {std::move(shifted), &node};
  }

  static bool AreTogether(const PlanNode& node, const Spread& left, const Spread& right) {
    if (left.origin == nullptr || left.origin != right.origin) return false;
    if (!left.columns || !right.columns || left.columns->size() != right.columns->size()) {
      return false;
    }
    if (left.columns->empty()) return true;
    if (left.columns->size() > 1) return false;
    return std::any_of(node.join.keys.begin(), node.join.keys.end(), [&](const JoinSpec::Key& key) {
      return key.left == *left.columns->begin() && key.right == *right.columns->begin();
    });
  }

  static Spread United(const std::vector<Spread>& spreads) {
    const Spread& first = spreads.front();
    const bool are_alike = std::all_of(spreads.begin(), spreads.end(), [&](const Spread& spread) {
      return spread.columns == first.columns && spread.origin == first.origin;
    });
    return are_alike ? first : Spread();
  }

  const ExchangeOptions options_;
};

}  // namespace

PlanNodePtr InsertExchanges(PlanNodePtr root, const ExchangeOptions& options) {
  if (IsReadByTasks(*root, options.every_input_is_bounded)) Exchanger(options).Visit(*root);
  return root;
}

}  // namespace slipstream::sql
