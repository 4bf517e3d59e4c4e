#include "processor/planner/over_planner.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "processor/expr/evaluator.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"
#include "processor/sql/nearest_name.h"

namespace slipstream::sql {
namespace {

constexpr std::string_view kRowNumber = "ROW_NUMBER";
constexpr uint64_t kFrameRowsMax = 1'000'000;

// The functions that are about a row's place; nullopt: it is none of them.
std::optional<LagCall::Kind> PlaceFunction(std::string_view name) {
  using Kind = LagCall::Kind;
  constexpr std::array kFunctions =
      std::to_array<std::pair<std::string_view, Kind>>({{"LAG", Kind::kLag},
                                                        {"LEAD", Kind::kLead},
                                                        {"RANK", Kind::kRank},
                                                        {"DENSE_RANK", Kind::kDenseRank},
                                                        {"PERCENT_RANK", Kind::kPercentRank},
                                                        {"CUME_DIST", Kind::kCumeDist},
                                                        {"NTILE", Kind::kNtile}});
  for (const auto& [function, kind] : kFunctions) {
    if (function == name) return kind;
  }
  return std::nullopt;
}

bool IsSameFrame(const OverFrame& a, const OverFrame& b) {
  return a.is_rows == b.is_rows && a.preceding == b.preceding;
}

// The value of a literal that counts rows; nullopt: it is something else.
std::optional<int64_t> CountOf(const ExpressionPtr& expression) {
  const ExpressionPtr folded = FoldConstants(expression);
  const int64_t* const value = std::get_if<int64_t>(&folded->literal);
  if (!folded->type.is_integer() || value == nullptr || *value < 0 ||
      static_cast<uint64_t>(*value) > kFrameRowsMax) {
    return std::nullopt;
  }
  return *value;
}

}  // namespace

ExpressionPtr OverPlanner::Bind(ExpressionBinder& binder, const ast::Call& call, Span at) {
  const std::string name = ToUpper(call.function.text);
  if (name == "NTH_VALUE") context_.Unsupported(at, name + " is");
  Window window = BindWindow(binder, Definition(*call.over), at);
  Call bound;
  if (name == kRowNumber) {
    if (!call.arguments.empty()) context_.Fail(at, "ROW_NUMBER takes no argument");
    window.frame = {.is_rows = true, .preceding = std::nullopt};
    bound.aggregate = MakeAggregate("COUNT", {}, false, nullptr).value();
    bound.aggregate->name = kRowNumber;
  } else if (const std::optional<LagCall::Kind> place = PlaceFunction(name)) {
    window.frame = {.is_rows = true, .preceding = std::nullopt};
    if (window.order.empty()) context_.Fail(at, name + " needs ORDER BY in its OVER");
    bound.lag = BindLag(*place, binder.BindArguments(call), at);
  } else if (IsAggregateFunction(name)) {
    if (call.is_star && name != "COUNT") context_.Fail(at, "only COUNT takes *");
    ExpressionPtr filter = call.filter ? binder.BindCondition(*call.filter) : nullptr;
    bound.aggregate = context_.Check(
        MakeAggregate(name, binder.BindArguments(call), call.is_distinct, std::move(filter)), at);
  } else {
    context_.Fail(at, fmt::format("{} takes no OVER", name), "aggregates, ranks, LAG and LEAD do");
  }
  bound.type = bound.lag ? bound.lag->type : bound.aggregate->type;
  bound.window = FindWindow(window);
  for (size_t i = 0; i < calls_.size() && name == kRowNumber; ++i) {
    const bool is_same = calls_[i].window == bound.window && calls_[i].aggregate &&
                         calls_[i].aggregate->name == kRowNumber;
    if (is_same) return MakeColumn(kFirstOverColumn + i, calls_[i].type);
  }
  calls_.push_back(std::move(bound));
  return MakeColumn(kFirstOverColumn + calls_.size() - 1, calls_.back().type);
}

// OVER w names one of the WINDOW clause.
const ast::WindowDefinition& OverPlanner::Definition(const ast::WindowDefinition& over) const {
  if (!over.name) return over;
  if (!over.partition_by.empty() || !over.order_by.empty()) {
    context_.Unsupported(over.name->at, "a window that adds to a named one is");
  }
  for (const ast::WindowDefinition& named : named_) {
    if (named.name->text == over.name->text) return named;
  }
  std::vector<std::string> names;
  for (const ast::WindowDefinition& named : named_)
    names.push_back(named.name->text);
  context_.Fail(over.name->at,
                fmt::format("no window \"{}\"", over.name->text),
                DidYouMean(over.name->text, names));
}

OverPlanner::Window OverPlanner::BindWindow(ExpressionBinder& binder,
                                            const ast::WindowDefinition& definition,
                                            Span at) const {
  Window window;
  bool has_start = false;
  for (const ast::ExprPtr& key : definition.partition_by) {
    if (const auto* const name = std::get_if<ast::ColumnRef>(&key->node);
        name != nullptr && binder.IsColumn(*name, key->at)) {
      const ScopeColumn& column = binder.Resolve(*name, key->at);
      if (column.window == WindowProperty::kStart) has_start = true;
      if (column.window == WindowProperty::kEnd) window.window_end = window.partition.size();
    }
    window.partition.push_back(binder.Bind(*key));
  }
  if (!has_start) window.window_end.reset();
  for (const ast::OrderItem& item : definition.order_by) {
    window.order.push_back({.value = binder.Bind(*item.value),
                            .descending = item.is_descending,
                            .nulls_first = item.nulls_first.value_or(!item.is_descending)});
    const DataType& type = window.order.back().value->type;
    if (PhysicalKindOf(type.kind) == PhysicalKind::kNested) {
      context_.Fail(item.value->at, fmt::format("{} has no order", type.ToString()));
    }
    const auto* const name = std::get_if<ast::ColumnRef>(&item.value->node);
    if (definition.order_by.size() > 1) continue;
    window.order_is_arrival = IsProcessingTime(*window.order.back().value);
    if (name == nullptr || !binder.IsColumn(*name, item.value->at)) continue;
    const ScopeColumn& column = binder.Resolve(*name, item.value->at);
    window.order_is_time = column.is_rowtime;
    window.order_is_arrival = column.is_proctime;
  }
  window.frame = BindFrame(binder, definition, at);
  if (!window.frame.is_rows && window.frame.preceding &&
      (window.order.size() != 1 || !window.order.front().value->type.is_timestamp())) {
    context_.Fail(at, "a RANGE of time needs ORDER BY one column of time");
  }
  return window;
}

OverFrame OverPlanner::BindFrame(ExpressionBinder& binder,
                                 const ast::WindowDefinition& definition,
                                 Span at) const {
  using Kind = ast::FrameBound::Kind;
  OverFrame frame{.is_rows = definition.frame == ast::WindowDefinition::Frame::kRows};
  if (definition.frame == ast::WindowDefinition::Frame::kDefault) return frame;
  if (definition.frame_end.kind != Kind::kCurrentRow) {
    context_.Unsupported(at, "a frame that does not end with the CURRENT ROW is");
  }
  switch (definition.frame_start.kind) {
    case Kind::kUnboundedPreceding:
      return frame;
    case Kind::kCurrentRow:
      frame.preceding = 0;
      return frame;
    case Kind::kPreceding:
      break;
    default:
      context_.Fail(at, "a frame begins before it ends");
  }
  const ExpressionPtr distance = binder.Bind(*definition.frame_start.distance);
  const Span distance_at = definition.frame_start.distance->at;
  if (frame.is_rows) {
    frame.preceding = CountOf(distance);
    if (!frame.preceding) {
      context_.Fail(distance_at,
                    fmt::format("ROWS are counted with a literal up to {}", kFrameRowsMax));
    }
    return frame;
  }
  const int64_t* const length = std::get_if<int64_t>(&distance->literal);
  if (distance->type.kind != TypeKind::kIntervalDayTime || length == nullptr || *length < 0) {
    context_.Fail(distance_at, "a RANGE is an interval", "write INTERVAL '10' MINUTE PRECEDING");
  }
  frame.preceding = *length;
  return frame;
}

LagCall OverPlanner::BindLag(LagCall::Kind kind,
                             const std::vector<ExpressionPtr>& args,
                             Span at) const {
  using Kind = LagCall::Kind;
  if (kind != Kind::kLag && kind != Kind::kLead) {
    LagCall rank{.kind = kind, .type = DataType::BigInt()};
    if (kind == Kind::kPercentRank || kind == Kind::kCumeDist) rank.type = DataType::Double();
    if (args.size() != (kind == Kind::kNtile ? 1 : 0)) {
      context_.Fail(at, kind == Kind::kNtile ? "NTILE(parts)" : "a rank takes no argument");
    }
    if (kind == Kind::kNtile) {
      const std::optional<int64_t> parts = CountOf(args[0]);
      if (!parts || *parts == 0) context_.Fail(at, "NTILE counts its parts with a literal");
      rank.rows = static_cast<uint64_t>(*parts);
    }
    rank.type.nullable = false;
    rank.value = MakeLiteral(std::monostate{}, DataType::BigInt());
    rank.fallback = rank.value;
    return rank;
  }
  if (args.empty() || args.size() > 3) {
    context_.Fail(at, "LAG and LEAD take (value[, rows[, default]])");
  }
  LagCall lag{.kind = kind, .value = args[0], .type = args[0]->type};
  lag.type.nullable = true;
  if (args.size() > 1) {
    const std::optional<int64_t> rows = CountOf(args[1]);
    if (!rows) context_.Fail(at, "LAG and LEAD count rows with a literal");
    lag.rows = static_cast<uint64_t>(*rows);
  }
  lag.fallback = args.size() > 2 ? CastTo(args[2], lag.type) : MakeLiteral({}, lag.type);
  return lag;
}

size_t OverPlanner::FindWindow(const Window& window) {
  const auto same_expressions = [](const auto& a, const auto& b) { return IsEqual(*a, *b); };
  const auto same_order = [](const Order& a, const Order& b) {
    return IsEqual(*a.value, *b.value) && a.descending == b.descending &&
           a.nulls_first == b.nulls_first;
  };
  for (size_t i = 0; i < windows_.size(); ++i) {
    const Window& known = windows_[i];
    const bool is_same = std::equal(known.partition.begin(),
                                    known.partition.end(),
                                    window.partition.begin(),
                                    window.partition.end(),
                                    same_expressions) &&
                         std::equal(known.order.begin(),
                                    known.order.end(),
                                    window.order.begin(),
                                    window.order.end(),
                                    same_order) &&
                         IsSameFrame(known.frame, window.frame);
    if (is_same) return i;
  }
  windows_.push_back(window);
  return windows_.size() - 1;
}

void OverPlanner::Visit(const std::function<void(ExpressionPtr&)>& visit) {
  for (Window& window : windows_) {
    for (ExpressionPtr& key : window.partition)
      visit(key);
    for (Order& order : window.order)
      visit(order.value);
  }
  for (Call& call : calls_) {
    if (call.lag) {
      visit(call.lag->value);
      visit(call.lag->fallback);
      continue;
    }
    for (ExpressionPtr& arg : call.aggregate->args)
      visit(arg);
    if (call.aggregate->filter) visit(call.aggregate->filter);
  }
}

void OverPlanner::Build(Relation& input) {
  for (size_t window = 0; window < windows_.size(); ++window)
    BuildWindow(window, input);
}

void OverPlanner::BuildWindow(size_t index, Relation& input) {
  const Window& window = windows_[index];
  // Keys become columns.
  const size_t width = input.node->output.size();
  std::vector<ExpressionPtr> columns;
  std::vector<std::string> names;
  for (size_t i = 0; i < width; ++i) {
    columns.push_back(MakeColumn(i, input.node->output[i].type));
    names.push_back(input.node->output[i].name);
  }
  const auto column_of = [&](const ExpressionPtr& key) {
    if (key->kind == Expression::Kind::kColumn) return key->column;
    names.push_back(fmt::format("KEY${}", columns.size() - width));
    columns.push_back(key);
    return columns.size() - 1;
  };
  auto node = std::make_unique<PlanNode>();
  node->kind = PlanNode::Kind::kOver;
  for (const ExpressionPtr& key : window.partition)
    node->group_columns.push_back(column_of(key));
  if (window.window_end) node->window_end = node->group_columns[*window.window_end];
  for (const Order& order : window.order) {
    node->sort_keys.push_back({.column = column_of(order.value),
                               .descending = order.descending,
                               .nulls_first = order.nulls_first});
  }
  node->order_is_time = window.order_is_time;
  node->order_is_arrival = window.order_is_arrival;
  node->frame = window.frame;
  if (columns.size() > width) {
    input.node = MakeProject(std::move(input.node), std::move(columns), std::move(names));
  }
  node->output = input.node->output;
  for (const bool wants_lags : {false, true}) {
    for (size_t i = 0; i < calls_.size(); ++i) {
      Call& call = calls_[i];
      if (call.window != index || call.lag.has_value() != wants_lags) continue;
      call.column = node->output.size();
      node->output.push_back({fmt::format("OVER${}", i), call.type});
      if (call.lag) {
        node->lags.push_back(*call.lag);
      } else {
        node->aggregates.push_back(*call.aggregate);
      }
    }
  }
  node->inputs.push_back(std::move(input.node));
  input.node = std::move(node);
}

ExpressionPtr OverPlanner::Rewrite(const ExpressionPtr& expression) const {
  return ReplaceColumns(expression, [&](const ExpressionPtr& column) {
    if (column->column < kFirstOverColumn) return column;
    const Call& call = calls_[column->column - kFirstOverColumn];
    return MakeColumn(call.column, call.type);
  });
}

}  // namespace slipstream::sql
