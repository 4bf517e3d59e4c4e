#include <string>
#include <utility>

#include <fmt/format.h>

#include "processor/expr/scalar_function.h"
#include "processor/expr/type_rules.h"
#include "processor/planner/aggregate_collector.h"
#include "processor/planner/conjuncts.h"
#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/outer_keys.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/relation.h"
#include "processor/planner/subquery_planner.h"

// Queries that stand for values; those that are conditions are in subquery_planner.cpp.

namespace slipstream::sql {

ExpressionPtr SubqueryPlanner::BindScalar(const ast::Query& query, Span at) {
  std::optional<Plain> plain = PlanPlain(query);
  if (plain && !plain->correlated.empty() && AreKeys(plain->correlated) && plain->is_aggregate) {
    return BindCorrelatedAggregate(*std::move(plain), at);
  }
  Inner inner = PlanWhole(query);
  if (inner.values.size() != 1) {
    context_.Fail(at,
                  fmt::format("a query that stands for a value gives one column, not {}",
                              inner.values.size()));
  }
  if (!inner.gives_one_row && context_.every_input_is_bounded()) {
    KeepSingleValue(inner, at);
  } else if (!inner.gives_one_row) {
    context_.Unsupported(at,
                         "a query that stands for a value and may give many rows is",
                         "aggregate them: MAX(…), or LIMIT 1");
  }
  const ExpressionPtr& value = inner.values.front();
  const size_t first = JoinLeft(std::move(inner.node), inner.correlated, at);
  return MakeColumn(first + value->column, AsNullable(value->type));
}

// The value of the only row, or NULL: an aggregate, of which more rows are an error. By the values
// of the outer columns, which stand last.
void SubqueryPlanner::KeepSingleValue(Inner& inner, Span at) const {
  const size_t keys = inner.correlated.size();
  const size_t first_key = inner.node->output.size() - keys;
  auto aggregate = std::make_unique<PlanNode>();
  aggregate->kind = PlanNode::Kind::kAggregate;
  for (size_t i = 0; i < keys; ++i) {
    aggregate->group_columns.push_back(first_key + i);
    aggregate->output.push_back(inner.node->output[first_key + i]);
  }
  for (std::vector<ExpressionPtr> args :
       {std::vector<ExpressionPtr>{}, std::vector<ExpressionPtr>{inner.values.front()}}) {
    const std::string_view name = args.empty() ? "COUNT" : "FIRST_VALUE";
    aggregate->aggregates.push_back(
        context_.Check(MakeAggregate(name, std::move(args), false, nullptr), at));
    aggregate->output.push_back({std::string(name), aggregate->aggregates.back().type});
  }
  aggregate->inputs.push_back(std::move(inner.node));
  const auto result = [&](size_t i) { return MakeColumn(i, aggregate->output[i].type); };
  const ExpressionPtr is_single = context_.Check(MakeCall("IS SINGLE", {result(keys)}), at);
  std::vector<ExpressionPtr> expressions = {context_.Check(
      MakeCall("CASE",
               {is_single, result(keys + 1), MakeLiteral({}, AsNullable(result(keys + 1)->type))}),
      at)};
  std::vector<std::string> names = {"EXPR$0"};
  for (size_t i = 0; i < keys; ++i) {
    const ExpressionPtr& part = inner.correlated[i];
    inner.correlated[i] = context_.Check(
        MakeCall(part->function->name, {part->args[0], MakeColumn(1 + i, part->args[1]->type)}),
        at);
    expressions.push_back(result(i));
    names.push_back(aggregate->output[i].name);
  }
  inner.values = {MakeColumn(0, expressions.front()->type)};
  inner.node = MakeProject(std::move(aggregate), std::move(expressions), std::move(names));
}

size_t SubqueryPlanner::JoinLeft(PlanNodePtr right,
                                 std::vector<ExpressionPtr> correlated,
                                 Span at) {
  if (puts_off_) {
    const size_t first = kFirstScalarColumn + put_off_columns_;
    put_off_columns_ += right->output.size();
    put_off_.push_back({std::move(right), std::move(correlated), at});
    return first;
  }
  const size_t first = input_.node->output.size();
  ExpressionPtr condition = AllSideBySide(correlated);
  Join(std::move(right), JoinSpec::Type::kLeft, std::move(condition));
  return first;
}

std::vector<SubqueryPlanner::Use> SubqueryPlanner::Uses() const {
  std::vector<Use> uses;
  for (const PutOffJoin& join : put_off_) {
    for (const ExpressionPtr& part : join.correlated)
      uses.push_back({OuterValue(*part), join.at});
  }
  return uses;
}

void SubqueryPlanner::JoinValues(
    const std::function<ExpressionPtr(const ExpressionPtr&)>& rewrite) {
  for (PutOffJoin& join : put_off_) {
    const size_t first = input_.node->output.size();
    ExpressionPtr condition;
    for (const ExpressionPtr& part : join.correlated) {
      const ExpressionPtr outer = Settle(rewrite(OuterValue(*part)));
      condition =
          And(std::move(condition),
              context_.Check(MakeCall(part->function->name, {outer, SideBySide(OwnSide(*part))}),
                             join.at));
    }
    for (size_t i = 0; i < join.right->output.size(); ++i)
      settled_.push_back(first + i);
    Join(std::move(join.right), JoinSpec::Type::kLeft, std::move(condition));
  }
  put_off_.clear();
}

ExpressionPtr SubqueryPlanner::Settle(const ExpressionPtr& expression) const {
  return ReplaceColumns(expression, [&](const ExpressionPtr& column) {
    const bool is_put_off =
        column->column >= kFirstScalarColumn && column->column < kFirstOuterColumn;
    return is_put_off ? MakeColumn(settled_[column->column - kFirstScalarColumn], column->type)
                      : column;
  });
}

ExpressionPtr SubqueryPlanner::BindOneLeft(const ast::InQuery& in,
                                           size_t width,
                                           ExpressionBinder& binder,
                                           Span at) const {
  const std::vector<ExpressionPtr> left = BindLeft(*in.value, width, binder);
  if (left.size() > 1) {
    context_.Unsupported(at, "IN of several columns other than as a condition of WHERE is");
  }
  return left.front();
}

ExpressionPtr SubqueryPlanner::OrUnknown(ExpressionPtr holds,
                                         const ExpressionPtr& left,
                                         const std::vector<ExpressionPtr>& counts,
                                         Span at) const {
  const auto call = [&](std::string_view name, std::vector<ExpressionPtr> args) {
    return context_.Check(MakeCall(name, std::move(args)), at);
  };
  const DataType verdict = AsNullable(DataType::Boolean(), false);
  const ExpressionPtr none = MakeLiteral(int64_t{0}, AsNullable(DataType::BigInt(), false));
  const ExpressionPtr has_null =
      call("OR", {call("IS NULL", {left}), call(">", {counts[0], counts[1]})});
  return call("CASE",
              {std::move(holds),
               MakeLiteral(true, verdict),
               call("AND", {call(">", {counts[0], none}), has_null}),
               MakeLiteral(std::monostate{}, DataType::Boolean()),
               MakeLiteral(false, verdict)});
}

ExpressionPtr SubqueryPlanner::BindIn(const ast::InQuery& in, ExpressionBinder& binder, Span at) {
  if (in.op != "=") return BindAny(in, binder, at);
  const auto call = [&](std::string_view name, std::vector<ExpressionPtr> args) {
    return context_.Check(MakeCall(name, std::move(args)), at);
  };
  const auto count = [&](std::vector<ExpressionPtr> args) {
    return context_.Check(MakeAggregate("COUNT", std::move(args), false, nullptr), at);
  };
  const ExpressionPtr none = MakeLiteral(int64_t{0}, AsNullable(DataType::BigInt(), false));
  Inner equal = PlanKeyed(*in.query);
  const ExpressionPtr left = BindOneLeft(in, equal.values.size(), binder, at);
  const ExpressionPtr outer = ReplaceColumns(left, [](const ExpressionPtr& column) {
    return MakeColumn(kFirstOuterColumn + column->column, column->type);
  });
  const ExpressionPtr is_same = call("=", {outer, equal.values.front()});
  if (IsCorrelated(*outer)) {
    equal.correlated.push_back(is_same);
  } else {
    equal.node = MakeFilter(std::move(equal.node), is_same);
  }
  const bool is_nullable = left->type.nullable || equal.values.front()->type.nullable;
  ExpressionPtr result = call(
      ">",
      {JoinAggregates(std::move(equal.node), equal.correlated, {count({})}, at).front(), none});
  if (is_nullable) {
    Inner all = PlanKeyed(*in.query);
    const std::vector<AggregateCall> calls = {count({}), count({all.values.front()})};
    const std::vector<ExpressionPtr> counts =
        JoinAggregates(std::move(all.node), all.correlated, calls, at);
    result = OrUnknown(std::move(result), left, counts, at);
  }
  return in.is_negated ? call("NOT", {std::move(result)}) : result;
}

ExpressionPtr SubqueryPlanner::BindAny(const ast::InQuery& in, ExpressionBinder& binder, Span at) {
  const auto call = [&](std::string_view name, std::vector<ExpressionPtr> args) {
    return context_.Check(MakeCall(name, std::move(args)), at);
  };
  Inner rows = PlanKeyed(*in.query);
  const ExpressionPtr left = BindOneLeft(in, rows.values.size(), binder, at);
  std::vector<AggregateCall> calls;
  for (const std::string_view name : {"COUNT", "COUNT", "MIN", "MAX"}) {
    std::vector<ExpressionPtr> args;
    if (!calls.empty()) args.push_back(rows.values.front());
    calls.push_back(context_.Check(MakeAggregate(name, std::move(args), false, nullptr), at));
  }
  const std::vector<ExpressionPtr> results =
      JoinAggregates(std::move(rows.node), rows.correlated, calls, at);
  const ExpressionPtr& least = results[2];
  const ExpressionPtr& greatest = results[3];
  ExpressionPtr holds = in.op == "<>"
                            ? call("OR", {call("<>", {left, least}), call("<>", {left, greatest})})
                            : call(in.op, {left, in.op[0] == '<' ? greatest : least});
  ExpressionPtr result = OrUnknown(std::move(holds), left, results, at);
  return in.is_negated ? call("NOT", {std::move(result)}) : result;
}

ExpressionPtr SubqueryPlanner::BindExists(const ast::Query& query, Span at) {
  Inner inner = PlanKeyed(query);
  const AggregateCall count = context_.Check(MakeAggregate("COUNT", {}, false, nullptr), at);
  return context_.Check(
      MakeCall(">",
               {JoinAggregates(std::move(inner.node), inner.correlated, {count}, at).front(),
                MakeLiteral(int64_t{0}, AsNullable(DataType::BigInt(), false))}),
      at);
}

// (SELECT MAX(x) FROM t WHERE t.k = outer.k): the aggregates of all keys, joined by key.
ExpressionPtr SubqueryPlanner::BindCorrelatedAggregate(Plain plain, Span at) {
  if (plain.select->items.size() != 1) {
    context_.Fail(at, "a query that stands for a value gives one column");
  }
  AggregateCollector collector;
  ExpressionBinder binder(context_, plain.relation.columns, "SELECT", &collector);
  const ExpressionPtr value = binder.Bind(*plain.select->items.front().value);
  const std::vector<ExpressionPtr> results =
      JoinAggregates(std::move(plain.relation.node), plain.correlated, collector.calls(), at);
  return ReplaceColumns(value, [&](const ExpressionPtr& column) {
    if (column->column < kFirstAggregateColumn) {
      context_.Fail(at, "a column beside an aggregate function is neither grouped nor aggregated");
    }
    return results[column->column - kFirstAggregateColumn];
  });
}

std::vector<ExpressionPtr> SubqueryPlanner::JoinAggregates(
    PlanNodePtr node,
    const std::vector<ExpressionPtr>& correlated,
    const std::vector<AggregateCall>& calls,
    Span at) {
  PlanNodePtr aggregate = AggregateByKeys(std::move(node), correlated, calls);
  std::vector<ExpressionPtr> keys;
  for (size_t i = 0; i < correlated.size(); ++i) {
    const Expression& part = *correlated[i];
    keys.push_back(context_.Check(
        MakeCall(part.function->name, {OuterSide(part), MakeColumn(i, aggregate->output[i].type)}),
        at));
  }
  const Schema output = aggregate->output;
  const size_t first = JoinLeft(std::move(aggregate), std::move(keys), at);
  std::vector<ExpressionPtr> results;
  for (size_t i = 0; i < calls.size(); ++i) {
    const size_t column = correlated.size() + i;
    results.push_back(MakeColumn(first + column, AsNullable(output[column].type)));
    if (calls[i].name != "COUNT") continue;
    // Of no rows there is no group, but their number is 0.
    results.back() = context_.Check(
        MakeCall("COALESCE",
                 {results.back(), MakeLiteral(int64_t{0}, AsNullable(DataType::BigInt(), false))}),
        at);
  }
  return results;
}

// By what the query equates with outer columns.
PlanNodePtr SubqueryPlanner::AggregateByKeys(PlanNodePtr node,
                                             const std::vector<ExpressionPtr>& correlated,
                                             const std::vector<AggregateCall>& calls) const {
  auto aggregate = std::make_unique<PlanNode>();
  aggregate->kind = PlanNode::Kind::kAggregate;
  const Schema& input = node->output;
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  for (size_t i = 0; i < input.size(); ++i) {
    expressions.push_back(MakeColumn(i, input[i].type));
    names.push_back(input[i].name);
  }
  for (const ExpressionPtr& part : correlated) {
    names.push_back(fmt::format("KEY${}", aggregate->group_columns.size()));
    aggregate->group_columns.push_back(expressions.size());
    expressions.push_back(OwnSide(*part));
    aggregate->output.push_back({names.back(), expressions.back()->type});
  }
  for (const AggregateCall& call : calls) {
    aggregate->output.push_back({fmt::format("AGG${}", aggregate->aggregates.size()), call.type});
    aggregate->aggregates.push_back(call);
  }
  aggregate->inputs.push_back(
      MakeProject(std::move(node), std::move(expressions), std::move(names)));
  return aggregate;
}

}  // namespace slipstream::sql
