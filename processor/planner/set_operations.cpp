#include <utility>

#include <fmt/format.h>

#include "common/check/check.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/query_planner.h"

// UNION, INTERSECT and EXCEPT.

namespace slipstream::sql {
namespace {

using Operator = ast::QueryTerm::Operator;

Span SpanOf(const ast::QueryTerm& term) {
  if (const auto* const select = std::get_if<ast::Select>(&term.body)) return select->at;
  if (const auto* const values = std::get_if<ast::Values>(&term.body)) return values->at;
  return std::get<ast::QueryPtr>(term.body)->at;
}

// The relation's columns cast to the union's, in order.
PlanNodePtr CastColumns(Relation relation, const Schema& output) {
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  for (size_t i = 0; i < output.size(); ++i) {
    const ScopeColumn& column = relation.columns[i];
    expressions.push_back(MakeCast(MakeColumn(column.column, column.type), output[i].type, false));
    names.push_back(output[i].name);
  }
  return MakeProject(std::move(relation.node), std::move(expressions), std::move(names));
}

// The rows of `left`, each once, that `right` has too, or those that it has not.
PlanNodePtr Match(PlanNodePtr left, PlanNodePtr right, JoinSpec::Type type) {
  PlanNodePtr join = MakeJoin(MakeDistinct(std::move(left)), std::move(right), type, nullptr);
  for (size_t i = 0; i < join->output.size(); ++i)
    join->join.keys.push_back({.left = i, .right = i, .matches_null = true});
  return join;
}

// `columns` of the node as they stand, for a projection.
std::vector<ExpressionPtr> FirstColumns(const PlanNode& node, size_t columns) {
  std::vector<ExpressionPtr> expressions;
  for (size_t i = 0; i < columns; ++i)
    expressions.push_back(MakeColumn(i, node.output[i].type));
  return expressions;
}

std::vector<std::string> NamesOf(const Schema& schema, std::vector<std::string> more) {
  std::vector<std::string> names;
  for (const Field& field : schema)
    names.push_back(field.name);
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

ExpressionPtr Call(const char* name, std::vector<ExpressionPtr> args) {
  Result<ExpressionPtr> call = MakeCall(name, std::move(args));
  SLIPSTREAM_CHECK(call.ok(), "{}", call.status().message());
  return *std::move(call);
}

// How often each row is on either side: the columns, then the two numbers.
PlanNodePtr CountSides(PlanNodePtr left, PlanNodePtr right) {
  const Schema columns = left->output;
  const size_t width = columns.size();
  std::vector<PlanNodePtr> sides;
  for (PlanNodePtr* side : {&left, &right}) {
    std::vector<ExpressionPtr> expressions = FirstColumns(**side, width);
    for (const PlanNodePtr* counted : {&left, &right}) {
      expressions.push_back(MakeLiteral(int64_t{counted == side ? 1 : 0}, DataType::BigInt()));
    }
    sides.push_back(MakeProject(
        std::move(*side), std::move(expressions), NamesOf(columns, {"on_left", "on_right"})));
  }
  // Columns of the union may be NULL if those of one side may.
  Schema both = sides.front()->output;
  for (size_t i = 0; i < both.size(); ++i)
    both[i].type.nullable = both[i].type.nullable || sides.back()->output[i].type.nullable;
  auto counts = std::make_unique<PlanNode>();
  counts->kind = PlanNode::Kind::kAggregate;
  counts->inputs.push_back(MakeUnion(std::move(both), std::move(sides)));
  const Schema& input = counts->inputs.front()->output;
  for (size_t i = 0; i < width; ++i) {
    counts->group_columns.push_back(i);
    counts->output.push_back(input[i]);
  }
  for (size_t i = width; i < width + 2; ++i) {
    Result<AggregateCall> sum =
        MakeAggregate("SUM", {MakeColumn(i, input[i].type)}, false, nullptr);
    SLIPSTREAM_CHECK(sum.ok(), "{}", sum.status().message());
    counts->output.push_back({input[i].name, sum->type});
    counts->aggregates.push_back(*std::move(sum));
  }
  return counts;
}

// INTERSECT ALL and EXCEPT ALL: each row as often as the sides have it together, or as often as the
// left one has it more.
PlanNodePtr MatchAll(PlanNodePtr left, PlanNodePtr right, Operator op) {
  const Schema columns = left->output;
  const size_t width = columns.size();
  PlanNodePtr counts = CountSides(std::move(left), std::move(right));
  std::vector<ExpressionPtr> expressions = FirstColumns(*counts, width);
  const ExpressionPtr on_left = MakeColumn(width, counts->output[width].type);
  const ExpressionPtr on_right = MakeColumn(width + 1, counts->output[width + 1].type);
  expressions.push_back(Call(op == Operator::kIntersectAll ? "LEAST" : "-", {on_left, on_right}));
  PlanNodePtr times =
      MakeProject(std::move(counts), std::move(expressions), NamesOf(columns, {"times"}));
  auto repeated = std::make_unique<PlanNode>();
  repeated->kind = PlanNode::Kind::kUnnest;
  repeated->unnested = Call("ROW TIMES", {MakeColumn(width, times->output[width].type)});
  repeated->output = times->output;
  repeated->output.push_back({"one", (*repeated->unnested->type.children)[0].type});
  repeated->inputs.push_back(std::move(times));
  expressions = FirstColumns(*repeated, width);
  return MakeProject(std::move(repeated), std::move(expressions), NamesOf(columns, {}));
}

}  // namespace

Relation QueryPlanner::PlanSetOperations(const ast::Query& query) {
  std::vector<Relation> terms;
  for (const ast::QueryTerm& term : query.terms) {
    terms.push_back(PlanTerm(term, {}));
    const size_t width = terms.front().columns.size();
    if (terms.back().columns.size() != width) {
      context_.Fail(
          SpanOf(term),
          fmt::format(
              "this query gives {} columns, the first one {}", terms.back().columns.size(), width));
    }
  }
  Relation result;
  Schema output;
  for (size_t i = 0; i < terms.front().columns.size(); ++i) {
    std::vector<DataType> types;
    bool is_rowtime = true;
    for (const Relation& term : terms) {
      types.push_back(term.columns[i].type);
      is_rowtime = is_rowtime && term.columns[i].is_rowtime;
    }
    const Result<DataType> type = CommonType(types);
    if (!type.ok()) {
      context_.Fail(query.at,
                    fmt::format("column {} of this UNION: {}", i + 1, type.error().message()));
    }
    output.push_back({terms.front().columns[i].name, *type});
    result.columns.push_back({.name = output.back().name,
                              .type = output.back().type,
                              .column = i,
                              .is_rowtime = is_rowtime});
  }
  for (size_t i = 1; i < terms.size(); ++i) {
    if (query.terms[i].op == Operator::kUnionAll || query.terms[i].op == Operator::kUnion) continue;
    for (ScopeColumn& column : result.columns)
      column.is_rowtime = false;
  }
  result.node = CombineTerms(query, std::move(terms), output);
  return result;
}

// INTERSECT is before the others, which go from left to right.
PlanNodePtr QueryPlanner::CombineTerms(const ast::Query& query,
                                       std::vector<Relation> terms,
                                       const Schema& output) {
  std::vector<std::pair<Operator, PlanNodePtr>> parts;
  for (size_t i = 0; i < terms.size(); ++i) {
    PlanNodePtr node = CastColumns(std::move(terms[i]), output);
    if (query.terms[i].op == Operator::kIntersect) {
      PlanNodePtr& left = parts.back().second;
      left = Match(std::move(left), std::move(node), JoinSpec::Type::kSemi);
    } else if (query.terms[i].op == Operator::kIntersectAll) {
      PlanNodePtr& left = parts.back().second;
      left = MatchAll(std::move(left), std::move(node), Operator::kIntersectAll);
    } else {
      parts.emplace_back(query.terms[i].op, std::move(node));
    }
  }
  std::vector<PlanNodePtr> inputs;
  for (auto& [op, node] : parts) {
    PlanNodePtr so_far;
    if (op == Operator::kExcept) {
      so_far = Match(MakeUnion(output, std::move(inputs)), std::move(node), JoinSpec::Type::kAnti);
    } else if (op == Operator::kExceptAll) {
      so_far = MatchAll(MakeUnion(output, std::move(inputs)), std::move(node), op);
    } else {
      inputs.push_back(std::move(node));
      if (op != Operator::kUnion) continue;
      // UNION takes repeated rows out of all that stands before it.
      so_far = MakeDistinct(MakeUnion(output, std::move(inputs)));
    }
    inputs.clear();
    inputs.push_back(std::move(so_far));
  }
  return MakeUnion(output, std::move(inputs));
}

}  // namespace slipstream::sql
