#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "processor/planner/literal.h"
#include "processor/planner/plan.h"
#include "processor/planner/plan_properties.h"
#include "processor/types/time_zone.h"

namespace slipstream::sql {
namespace {

constexpr size_t kRowsShownMax = 10;

// The field as it is read: its name, or the paths of the fields that are left of it.
void AddPaths(const Field& read, const DataType& declared, std::vector<std::string>& paths) {
  if (read.type == declared) {
    paths.push_back(read.name);
    return;
  }
  std::vector<std::string> below;
  auto field = declared.children->begin();
  for (const Field& child : *read.type.children) {
    field = std::find_if(
        field, declared.children->end(), [&](const Field& one) { return one.name == child.name; });
    AddPaths(child, field->type, below);
  }
  for (const std::string& path : below)
    paths.push_back(read.name + "." + path);
}

std::string ScanText(const PlanNode& node) {
  const TableDefinition& table = *node.table;
  std::vector<std::string> columns;
  for (const size_t column : node.reads) {
    if (table.declared && !(table.schema[column] == table.declared->schema[column])) {
      AddPaths(table.schema[column], table.declared->schema[column].type, columns);
      continue;
    }
    std::string text = table.schema[column].name;
    for (const TableDefinition::ComputedColumn& computed : table.computed) {
      if (computed.column == column) text += " AS " + computed.expression->ToString(table.schema);
    }
    for (const TableDefinition::MetadataColumn& metadata : table.metadata) {
      if (metadata.column == column) text += fmt::format(" METADATA FROM '{}'", metadata.key);
    }
    columns.push_back(std::move(text));
  }
  std::string text = fmt::format("Scan {} [{}]", table.name, fmt::join(columns, ", "));
  if (table.watermark) {
    text += fmt::format(
        ", watermark {} AS {}", table.schema[table.watermark->column].name, table.watermark->text);
  }
  if (IsWatched(table)) {
    text += fmt::format(", watched every {}", table.options.at("source.monitor-interval"));
  }
  return text;
}

std::string ValuesText(const PlanNode& node) {
  std::vector<std::string> rows;
  for (size_t i = 0; i < std::min(node.rows.size(), kRowsShownMax); ++i) {
    std::vector<std::string> cells;
    for (size_t c = 0; c < node.output.size(); ++c) {
      cells.push_back(MakeLiteral(node.rows[i][c], node.output[c].type)->ToString({}));
    }
    rows.push_back(fmt::format("({})", fmt::join(cells, ", ")));
  }
  if (node.rows.size() > kRowsShownMax) {
    rows.push_back(fmt::format("… {} more", node.rows.size() - kRowsShownMax));
  }
  return fmt::format("Values {}", fmt::join(rows, ", "));
}

std::string ProjectText(const PlanNode& node) {
  const Schema& input = node.inputs.front()->output;
  std::vector<std::string> items;
  for (size_t i = 0; i < node.expressions.size(); ++i) {
    const std::string text = node.expressions[i]->ToString(input);
    const std::string& name = node.output[i].name;
    items.push_back(text == name ? text : text + " AS " + name);
  }
  return fmt::format("Project {}", fmt::join(items, ", "));
}

std::string WindowText(const WindowSpec& window, const Schema& input) {
  const std::string& column = input[window.time_column].name;
  std::string time = window.is_by_arrival ? column + " as it comes" : column;
  if (window.zone) time += " in " + window.zone->name();
  const std::string size = DurationText(window.size_us);
  const std::string slide = DurationText(window.slide_us);
  std::string offset;
  if (window.offset_us != 0) offset = ", offset " + DurationText(window.offset_us);
  switch (window.kind) {
    case WindowSpec::Kind::kTumble:
      return fmt::format("TUMBLE({}, size {}{})", time, size, offset);
    case WindowSpec::Kind::kHop:
      return fmt::format("HOP({}, slide {}, size {}{})", time, slide, size, offset);
    case WindowSpec::Kind::kCumulate:
      return fmt::format("CUMULATE({}, step {}, size {}{})", time, slide, size, offset);
    case WindowSpec::Kind::kSession:
      return fmt::format("SESSION({}, gap {})", time, size);
    case WindowSpec::Kind::kAttached:
      return fmt::format("to {}", time);
  }
  return "";
}

std::string CallText(const AggregateCall& call, const Schema& input) {
  std::vector<std::string> args;
  for (const ExpressionPtr& arg : call.args)
    args.push_back(arg->ToString(input));
  std::string text = fmt::format("{}({}{})",
                                 call.name,
                                 call.is_distinct ? "DISTINCT " : "",
                                 args.empty() ? "*" : fmt::format("{}", fmt::join(args, ", ")));
  if (call.filter) text += fmt::format(" FILTER (WHERE {})", call.filter->ToString(input));
  return text;
}

std::string_view PropertyText(WindowProperty property) {
  switch (property) {
    case WindowProperty::kStart:
      return "window_start";
    case WindowProperty::kEnd:
      return "window_end";
    case WindowProperty::kTime:
      return "window_time";
  }
  return "";
}

std::string AggregateText(const PlanNode& node) {
  const Schema& input = node.inputs.front()->output;
  const bool has_window = node.kind == PlanNode::Kind::kWindowAggregate;
  std::string text = node.has_two_phases ? "Global" : "";
  text += has_window ? "WindowAggregate " + WindowText(node.window, input) : "Aggregate";
  std::vector<std::string> groups;
  for (const size_t column : node.group_columns)
    groups.push_back(input[column].name);
  if (!groups.empty()) text += fmt::format(" by {}", fmt::join(groups, ", "));
  std::vector<std::string> results;
  const auto add = [&](const std::string& result) {
    const std::string& name = node.output[groups.size() + results.size()].name;
    results.push_back(result == name ? result : result + " AS " + name);
  };
  for (const AggregateCall& call : node.aggregates)
    add(CallText(call, input));
  for (const WindowProperty property : node.window_properties) {
    add(std::string(PropertyText(property)));
  }
  if (node.early_us > 0) text += ", shown every " + DurationText(node.early_us);
  return results.empty() ? text : fmt::format("{}: {}", text, fmt::join(results, ", "));
}

// What each task aggregates of its own rows before they go through the exchange.
std::string LocalAggregateText(const PlanNode& node) {
  const Schema& input = node.inputs.front()->output;
  std::string text = "LocalAggregate";
  if (node.kind == PlanNode::Kind::kWindowAggregate) {
    text = "LocalWindowAggregate " + WindowText(node.window, input);
  }
  std::vector<std::string> groups;
  for (const size_t column : node.group_columns)
    groups.push_back(input[column].name);
  if (!groups.empty()) text += fmt::format(" by {}", fmt::join(groups, ", "));
  std::vector<std::string> calls;
  for (const AggregateCall& call : node.aggregates)
    calls.push_back(CallText(call, input));
  return calls.empty() ? text : fmt::format("{}: {}", text, fmt::join(calls, ", "));
}

std::string OrderText(const PlanNode& node) {
  std::vector<std::string> keys;
  for (const SortKey& key : node.sort_keys) {
    std::string text = node.output[key.column].name;
    if (key.descending) text += " DESC";
    if (key.nulls_first == key.descending) text += key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    keys.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(keys, ", "));
}

// " by a, b order c DESC"
std::string PartitionText(const PlanNode& node) {
  std::vector<std::string> columns;
  for (const size_t column : node.group_columns)
    columns.push_back(node.output[column].name);
  std::string text;
  if (!columns.empty()) text += fmt::format(" by {}", fmt::join(columns, ", "));
  if (!node.sort_keys.empty()) text += " order " + OrderText(node);
  return text;
}

// What the grouping sets leave out shows as NULL.
std::string ExpandText(const PlanNode& node) {
  std::vector<std::string> rows;
  for (const std::vector<ExpressionPtr>& expansion : node.expansions) {
    std::vector<std::string> items;
    items.reserve(expansion.size());
    for (const ExpressionPtr& expression : expansion)
      items.push_back(expression->ToString(node.inputs.front()->output));
    rows.push_back(fmt::format("({})", fmt::join(items, ", ")));
  }
  std::vector<std::string> names;
  for (const Field& field : node.output)
    names.push_back(field.name);
  return fmt::format("Expand {} AS ({})", fmt::join(rows, ", "), fmt::join(names, ", "));
}

std::string UnnestText(const PlanNode& node) {
  const Schema& input = node.inputs.front()->output;
  std::vector<std::string> names;
  for (size_t i = input.size(); i < node.output.size(); ++i)
    names.push_back(node.output[i].name);
  return fmt::format("{} {} AS {}",
                     node.is_outer ? "OuterUnnest" : "Unnest",
                     node.unnested->ToString(input),
                     fmt::join(names, ", "));
}

std::string TopNText(const PlanNode& node) {
  std::string text = IsFirstRow(node) ? "FirstRow" : node.window_end ? "WindowTopN" : "TopN";
  if (node.rank_first > 1) {
    text += fmt::format(" {} to {}", node.rank_first, node.rank_last);
  } else if (!IsFirstRow(node)) {
    text += fmt::format(" {}", node.rank_last);
  }
  text += PartitionText(node);
  if (node.has_rank) text += ": rank AS " + node.output.back().name;
  return text;
}

std::string LagText(const LagCall& lag, const Schema& input) {
  using Kind = LagCall::Kind;
  switch (lag.kind) {
    case Kind::kRank:
      return "RANK()";
    case Kind::kDenseRank:
      return "DENSE_RANK()";
    case Kind::kPercentRank:
      return "PERCENT_RANK()";
    case Kind::kCumeDist:
      return "CUME_DIST()";
    case Kind::kNtile:
      return fmt::format("NTILE({})", lag.rows);
    case Kind::kLag:
    case Kind::kLead:
      break;
  }
  return fmt::format("{}({}, {}, {})",
                     lag.kind == Kind::kLag ? "LAG" : "LEAD",
                     lag.value->ToString(input),
                     lag.rows,
                     lag.fallback->ToString(input));
}

std::string OverText(const PlanNode& node) {
  const Schema& input = node.inputs.front()->output;
  if (node.aggregates.empty() && node.lags.empty()) return "SortByTime " + OrderText(node);
  std::string text = "Over" + PartitionText(node) + (node.frame.is_rows ? " rows" : " range");
  if (!node.frame.preceding) {
    text += " unbounded";
  } else {
    const int64_t preceding = *node.frame.preceding;
    text += " " + (node.frame.is_rows ? std::to_string(preceding) : DurationText(preceding));
  }
  std::vector<std::string> results;
  for (const AggregateCall& call : node.aggregates)
    results.push_back(CallText(call, input));
  for (const LagCall& lag : node.lags)
    results.push_back(LagText(lag, input));
  for (size_t i = 0; i < results.size(); ++i)
    results[i] += " AS " + node.output[input.size() + i].name;
  return fmt::format("{}: {}", text, fmt::join(results, ", "));
}

std::string LimitText(const PlanNode& node) {
  std::string text = "Limit";
  if (node.limit) text += fmt::format(" {}", *node.limit);
  if (node.offset > 0) text += fmt::format(" offset {}", node.offset);
  return text;
}

std::string_view JoinTypeText(JoinSpec::Type type) {
  switch (type) {
    case JoinSpec::Type::kInner:
      return "Inner";
    case JoinSpec::Type::kLeft:
      return "Left";
    case JoinSpec::Type::kRight:
      return "Right";
    case JoinSpec::Type::kFull:
      return "Full";
    case JoinSpec::Type::kSemi:
      return "Semi";
    case JoinSpec::Type::kAnti:
      return "Anti";
  }
  return "";
}

std::string_view VariantText(JoinSpec::Variant variant) {
  switch (variant) {
    case JoinSpec::Variant::kRegular:
      return "";
    case JoinSpec::Variant::kWindow:
      return "Window";
    case JoinSpec::Variant::kInterval:
      return "Interval";
    case JoinSpec::Variant::kLookup:
      return "Lookup";
    case JoinSpec::Variant::kTemporal:
      return "Temporal";
  }
  return "";
}

// "LeftIntervalJoin on id = order_id, bidtime - ts from -1 h to 0 s where (…)"
std::string JoinText(const PlanNode& node) {
  const JoinSpec& join = node.join;
  const Schema& left = node.inputs[0]->output;
  const Schema& right = node.inputs[1]->output;
  const bool is_interval = join.variant == JoinSpec::Variant::kInterval;
  std::string text = fmt::format("{}{}Join", JoinTypeText(join.type), VariantText(join.variant));
  std::vector<std::string> keys;
  for (const JoinSpec::Key& key : join.keys) {
    keys.push_back(fmt::format("{} {} {}",
                               left[key.left].name,
                               key.matches_null ? "IS NOT DISTINCT FROM" : "=",
                               right[key.right].name));
  }
  if (is_interval) {
    keys.push_back(fmt::format("{} - {}{} from {} to {}",
                               left[join.left_time].name,
                               right[join.right_time].name,
                               join.is_by_arrival ? " as they come" : "",
                               DurationText(join.lower_us),
                               DurationText(join.upper_us)));
  }
  if (!keys.empty()) text += fmt::format(" on {}", fmt::join(keys, ", "));
  if (join.variant == JoinSpec::Variant::kTemporal) {
    text += fmt::format(", at {} of {}", left[join.left_time].name, right[join.right_time].name);
  }
  if (join.left_ttl_us) text += fmt::format(", left for {}", DurationText(*join.left_ttl_us));
  if (join.right_ttl_us) text += fmt::format(", right for {}", DurationText(*join.right_ttl_us));
  if (node.condition) {
    Schema both = left;
    both.insert(both.end(), right.begin(), right.end());
    text += " where " + node.condition->ToString(both);
  }
  return text;
}

std::string NodeText(const PlanNode& node) {
  switch (node.kind) {
    case PlanNode::Kind::kScan:
      return ScanText(node);
    case PlanNode::Kind::kValues:
      return ValuesText(node);
    case PlanNode::Kind::kFilter:
      return "Filter " + node.condition->ToString(node.inputs.front()->output);
    case PlanNode::Kind::kProject:
      return ProjectText(node);
    case PlanNode::Kind::kWindowAggregate:
    case PlanNode::Kind::kAggregate:
      return AggregateText(node);
    case PlanNode::Kind::kWindow:
      return "Window " + WindowText(node.window, node.inputs.front()->output);
    case PlanNode::Kind::kSessionRows:
      return "SessionRows " + WindowText(node.window, node.inputs.front()->output) +
             PartitionText(node);
    case PlanNode::Kind::kExpand:
      return ExpandText(node);
    case PlanNode::Kind::kUnnest:
      return UnnestText(node);
    case PlanNode::Kind::kOver:
      return OverText(node);
    case PlanNode::Kind::kTopN:
      return TopNText(node);
    case PlanNode::Kind::kSort:
      return "Sort " + OrderText(node);
    case PlanNode::Kind::kLimit:
      return LimitText(node);
    case PlanNode::Kind::kUnionAll:
      return "UnionAll";
    case PlanNode::Kind::kJoin:
      return JoinText(node);
    case PlanNode::Kind::kExchange:
      return "Exchange" + (node.group_columns.empty() ? " to one task" : PartitionText(node));
  }
  return "";
}

void AppendTree(const PlanNode& node, size_t depth, std::string& text) {
  const auto append = [&](const std::string& line) {
    text.append(depth * 2, ' ').append(line).append("\n");
    ++depth;
  };
  append(NodeText(node));
  const PlanNode* reads = &node;
  if (node.has_two_phases) {
    reads = node.inputs.front().get();
    append(NodeText(*reads));
    append(LocalAggregateText(node));
  }
  for (const PlanNodePtr& input : reads->inputs)
    AppendTree(*input, depth, text);
}

}  // namespace

std::string Explain(const PlanNode& node) {
  std::string text;
  AppendTree(node, 0, text);
  return text;
}

std::string Explain(const InsertPlan& insert) {
  std::vector<std::string> columns;
  for (const size_t column : insert.columns)
    columns.push_back(insert.table->schema[column].name);
  std::string text = fmt::format("Insert {} ({}) [{}]\n",
                                 insert.table->name,
                                 fmt::join(columns, ", "),
                                 insert.table->connector());
  AppendTree(*insert.query, 1, text);
  return text;
}

}  // namespace slipstream::sql
