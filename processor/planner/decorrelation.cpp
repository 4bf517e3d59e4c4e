#include "processor/planner/decorrelation.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "common/check/check.h"
#include "processor/expr/function_registry.h"
#include "processor/expr/type_rules.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/relation.h"

namespace slipstream::sql {
namespace {

using Replace = std::function<ExpressionPtr(const ExpressionPtr&)>;

void CollectOuter(const Expression& expression, size_t level, std::set<size_t>& columns) {
  const bool is_outer = expression.kind == Expression::Kind::kOuter;
  if (is_outer && expression.column / kVirtualColumns == level) {
    columns.insert(expression.column % kVirtualColumns);
  }
  for (const ExpressionPtr& arg : expression.args)
    CollectOuter(*arg, level, columns);
}

ExpressionPtr ReplaceOuter(const ExpressionPtr& expression, const Replace& replace) {
  if (expression->kind == Expression::Kind::kOuter) return replace(expression);
  if (expression->args.empty()) return expression;
  auto copy = std::make_shared<Expression>(*expression);
  for (ExpressionPtr& arg : copy->args)
    arg = ReplaceOuter(arg, replace);
  return copy;
}

ExpressionPtr ColumnOf(const PlanNode& node, size_t column) {
  return MakeColumn(column, node.output[column].type);
}

std::vector<size_t> Range(size_t first, size_t count) {
  std::vector<size_t> range(count);
  for (size_t i = 0; i < count; ++i)
    range[i] = first + i;
  return range;
}

PlanNodePtr Select(PlanNodePtr node, const std::vector<size_t>& columns) {
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  for (size_t column : columns) {
    expressions.push_back(ColumnOf(*node, column));
    names.push_back(node->output[column].name);
  }
  return MakeProject(std::move(node), std::move(expressions), std::move(names));
}

// Decorrelator: one query at a time. What it makes of a node gives that node's columns, then the
// values of the outer ones.
class Decorrelator {
 public:
  Decorrelator(const PlanNode& around,
               size_t level,
               std::vector<size_t> outer,
               const PlanContext& context,
               Span at)
      : around_(around), level_(level), outer_(std::move(outer)), context_(context), at_(at) {}

  PlanNodePtr Run(PlanNodePtr node) {
    using Kind = PlanNode::Kind;
    if (OuterColumnsOf(*node, level_).empty()) {
      return MakeJoin(std::move(node), Values(), JoinSpec::Type::kInner, nullptr);
    }
    switch (node->kind) {
      case Kind::kFilter:
      case Kind::kSort:
        return PassOn(std::move(node));
      case Kind::kProject:
      case Kind::kExpand:
        return Project(std::move(node));
      case Kind::kUnnest:
        return PassOn(std::move(node));
      case Kind::kOver:
      case Kind::kTopN:
        return Partition(std::move(node));
      case Kind::kLimit:
        return Limit(std::move(node));
      case Kind::kAggregate:
        return Aggregate(std::move(node));
      case Kind::kUnionAll:
        return Union(std::move(node));
      case Kind::kJoin:
        return Join(std::move(node));
      default:
        Refuse();
    }
  }

 private:
  size_t count() const { return outer_.size(); }

  [[noreturn]] void Refuse() const {
    context_.Unsupported(
        at_, "windows and joins by time in a query that depends on the one around it are");
  }

  // What the outer columns are, each combination once.
  PlanNodePtr Values() const { return MakeDistinct(Select(Clone(around_), outer_)); }

  // The outer column's place among them, for an expression that names it.
  size_t PlaceOf(const Expression& outer) const {
    const auto place = std::find(outer_.begin(), outer_.end(), outer.column % kVirtualColumns);
    return static_cast<size_t>(place - outer_.begin());
  }

  // Outer columns of this level become those from `first` on.
  ExpressionPtr Bound(const ExpressionPtr& expression, size_t first) const {
    return ReplaceOuter(expression, [&](const ExpressionPtr& outer) {
      if (outer->column / kVirtualColumns != level_) return outer;
      return MakeColumn(first + PlaceOf(*outer), outer->type);
    });
  }

  void Bind(PlanNode& node, size_t first) const {
    ForEachExpression(node,
                      [&](ExpressionPtr& expression) { expression = Bound(expression, first); });
  }

  // Puts the only input's decorrelated plan in its place; gives the number of columns it had.
  size_t RunInput(PlanNode& node) {
    const size_t width = node.inputs.front()->output.size();
    node.inputs.front() = Run(std::move(node.inputs.front()));
    Bind(node, width);
    return width;
  }

  // The values stand behind the input's columns; so they go behind all.
  PlanNodePtr ValuesLast(PlanNodePtr node, size_t width) const {
    const size_t added = node->output.size() - width;
    Schema output = node->inputs.front()->output;
    output.insert(
        output.end(), node->output.begin() + static_cast<ptrdiff_t>(width), node->output.end());
    node->output = std::move(output);
    if (added == 0) return node;
    std::vector<size_t> order = Range(0, width);
    for (const std::vector<size_t>& part : {Range(width + count(), added), Range(width, count())})
      order.insert(order.end(), part.begin(), part.end());
    return Select(std::move(node), order);
  }

  // Of a node that gives its input's columns, then maybe others.
  PlanNodePtr PassOn(PlanNodePtr node) {
    const size_t width = RunInput(*node);
    return ValuesLast(std::move(node), width);
  }

  // The same, by partitions.
  PlanNodePtr Partition(PlanNodePtr node) {
    const bool is_by_time = node->order_is_time || node->order_is_arrival || node->window_end;
    if (is_by_time && !context_.every_input_is_bounded()) Refuse();
    const size_t width = RunInput(*node);
    for (size_t column : Range(width, count()))
      node->group_columns.push_back(column);
    return ValuesLast(std::move(node), width);
  }

  PlanNodePtr Project(PlanNodePtr node) {
    const size_t width = RunInput(*node);
    const PlanNode& input = *node->inputs.front();
    for (size_t column : Range(width, count())) {
      if (node->kind == PlanNode::Kind::kProject) {
        node->expressions.push_back(ColumnOf(input, column));
      }
      for (std::vector<ExpressionPtr>& expansion : node->expansions)
        expansion.push_back(ColumnOf(input, column));
      node->output.push_back(input.output[column]);
    }
    return node;
  }

  // The first rows for each of the values.
  PlanNodePtr Limit(PlanNodePtr node) {
    PlanNodePtr input = std::move(node->inputs.front());
    auto top = std::make_unique<PlanNode>();
    top->kind = PlanNode::Kind::kTopN;
    if (input->kind == PlanNode::Kind::kSort) {
      top->sort_keys = input->sort_keys;
      input = std::move(input->inputs.front());
    }
    if (node->limit && *node->limit == 0) {
      input = MakeFilter(std::move(input), MakeLiteral(false, DataType::Boolean()));
      return Run(std::move(input));
    }
    top->output = input->output;
    top->inputs.push_back(std::move(input));
    top->rank_first = node->offset + 1;
    top->rank_last = node->limit ? node->offset + *node->limit
                                 : static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    return Partition(std::move(top));
  }

  PlanNodePtr Aggregate(PlanNodePtr node) {
    const size_t groups = node->group_columns.size();
    const size_t width = RunInput(*node);
    const Schema& input = node->inputs.front()->output;
    Schema output(node->output.begin(), node->output.begin() + static_cast<ptrdiff_t>(groups));
    for (size_t column : Range(width, count())) {
      node->group_columns.push_back(column);
      output.push_back(input[column]);
    }
    const size_t results = node->output.size() - groups;
    for (size_t i = groups; i < groups + results; ++i)
      output.push_back(node->output[i]);
    node->output = std::move(output);
    if (groups == 0) return WithEmptyGroups(std::move(node));
    std::vector<size_t> order = Range(0, groups);
    for (const std::vector<size_t>& part :
         {Range(groups + count(), results), Range(groups, count())})
      order.insert(order.end(), part.begin(), part.end());
    return Select(std::move(node), order);
  }

  // An aggregate of all rows is there even if they are not: a number of rows is 0 then, all else is
  // NULL.
  PlanNodePtr WithEmptyGroups(PlanNodePtr aggregate) {
    const std::vector<AggregateCall> calls = aggregate->aggregates;
    PlanNodePtr join = MakeJoin(Values(), std::move(aggregate), JoinSpec::Type::kLeft, nullptr);
    for (size_t i = 0; i < count(); ++i)
      join->join.keys.push_back({.left = i, .right = i, .matches_null = true});
    std::vector<ExpressionPtr> expressions;
    std::vector<std::string> names;
    for (size_t i = 0; i < calls.size(); ++i) {
      const size_t column = 2 * count() + i;
      expressions.push_back(ColumnOf(*join, column));
      names.push_back(join->output[column].name);
      if (calls[i].name != "COUNT") continue;
      const ExpressionPtr none = MakeLiteral(int64_t{0}, AsNullable(DataType::BigInt(), false));
      expressions.back() = context_.Check(MakeCall("COALESCE", {expressions.back(), none}), at_);
    }
    for (size_t i = 0; i < count(); ++i) {
      expressions.push_back(ColumnOf(*join, i));
      names.push_back(join->output[i].name);
    }
    return MakeProject(std::move(join), std::move(expressions), std::move(names));
  }

  PlanNodePtr Union(PlanNodePtr node) {
    Schema output = node->output;
    for (PlanNodePtr& input : node->inputs) {
      input = Run(std::move(input));
      if (output.size() > node->output.size()) continue;
      output.insert(
          output.end(), input->output.end() - static_cast<ptrdiff_t>(count()), input->output.end());
    }
    return MakeUnion(std::move(output), std::move(node->inputs));
  }

  // Each side that names outer columns, or whose rows stay without a partner, has the values.
  PlanNodePtr Join(PlanNodePtr node) {
    using Type = JoinSpec::Type;
    if (node->join.variant != JoinSpec::Variant::kRegular) Refuse();
    PlanNodePtr& left = node->inputs[0];
    PlanNodePtr& right = node->inputs[1];
    const size_t left_width = left->output.size();
    const size_t right_width = node->join.gives_right() ? right->output.size() : 0;
    const bool is_inner = node->join.type == Type::kInner;
    const bool is_turned = node->join.type == Type::kRight;
    bool on_left = !OuterColumnsOf(*left, level_).empty();
    bool on_right = !OuterColumnsOf(*right, level_).empty();
    if (is_turned || node->join.type == Type::kFull) on_right = true;
    if (!is_turned && (!is_inner || !on_right)) on_left = true;
    if (on_left) left = Run(std::move(left));
    if (on_right) right = Run(std::move(right));

    const size_t shift = on_left ? count() : 0;
    const size_t right_values = left_width + shift + (node->inputs[1]->output.size() - count());
    const size_t values = on_left && !is_turned ? left_width : right_values;
    if (node->condition) {
      node->condition =
          Bound(ReplaceColumns(node->condition,
                               [&](const ExpressionPtr& column) {
                                 return column->column < left_width
                                            ? column
                                            : MakeColumn(column->column + shift, column->type);
                               }),
                values);
    }
    if (on_left && on_right) {
      const size_t first = right->output.size() - count();
      for (size_t i = 0; i < count(); ++i) {
        node->join.keys.push_back(
            {.left = left_width + i, .right = first + i, .matches_null = true});
      }
    }
    node->output = JoinOutput(left->output, right->output, node->join);
    std::vector<size_t> order = Range(0, left_width);
    for (size_t column : Range(left_width + shift, right_width))
      order.push_back(column);
    if (node->join.type == Type::kFull)
      return WithEitherValues(std::move(node), order, left_width, right_values);
    for (size_t column : Range(values, count()))
      order.push_back(column);
    return Select(std::move(node), order);
  }

  // Of a full join, the values of the side that is there.
  PlanNodePtr WithEitherValues(PlanNodePtr join,
                               const std::vector<size_t>& columns,
                               size_t left_values,
                               size_t right_values) const {
    std::vector<ExpressionPtr> expressions;
    std::vector<std::string> names;
    for (size_t column : columns) {
      expressions.push_back(ColumnOf(*join, column));
      names.push_back(join->output[column].name);
    }
    for (size_t i = 0; i < count(); ++i) {
      expressions.push_back(context_.Check(
          MakeCall("COALESCE",
                   {ColumnOf(*join, left_values + i), ColumnOf(*join, right_values + i)}),
          at_));
      names.push_back(join->output[left_values + i].name);
    }
    return MakeProject(std::move(join), std::move(expressions), std::move(names));
  }

  const PlanNode& around_;
  const size_t level_;
  const std::vector<size_t> outer_;
  const PlanContext& context_;
  const Span at_;
};

}  // namespace

std::set<size_t> OuterColumnsOf(const PlanNode& node, size_t level) {
  std::set<size_t> columns;
  PlanOperator copy = node;
  ForEachExpression(copy,
                    [&](ExpressionPtr& expression) { CollectOuter(*expression, level, columns); });
  for (const PlanNodePtr& input : node.inputs)
    columns.merge(OuterColumnsOf(*input, level));
  return columns;
}

DependentQuery Decorrelate(
    PlanNodePtr node, const PlanNode& around, size_t level, const PlanContext& context, Span at) {
  const std::set<size_t> outer = OuterColumnsOf(*node, level);
  if (outer.empty()) return {std::move(node), {}};
  std::vector<size_t> columns(outer.begin(), outer.end());
  node = Decorrelator(around, level, columns, context, at).Run(std::move(node));
  return {std::move(node), std::move(columns)};
}

std::vector<ExpressionPtr> SameOuter(const DependentQuery& query, size_t around, size_t own) {
  std::vector<ExpressionPtr> parts;
  const Schema& output = query.node->output;
  const size_t width = output.size() - query.outer.size();
  for (size_t i = 0; i < query.outer.size(); ++i) {
    const DataType& type = output[width + i].type;
    Result<ExpressionPtr> part =
        MakeCall("IS NOT DISTINCT FROM",
                 {MakeColumn(around + query.outer[i], type), MakeColumn(own + width + i, type)});
    SLIPSTREAM_CHECK(part.ok(), "{}", part.status().message());
    parts.push_back(*std::move(part));
  }
  return parts;
}

}  // namespace slipstream::sql
