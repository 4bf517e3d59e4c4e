#include <utility>

#include <fmt/format.h>

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
    } else {
      parts.emplace_back(query.terms[i].op, std::move(node));
    }
  }
  std::vector<PlanNodePtr> inputs;
  for (auto& [op, node] : parts) {
    PlanNodePtr so_far;
    if (op == Operator::kExcept) {
      so_far = Match(MakeUnion(output, std::move(inputs)), std::move(node), JoinSpec::Type::kAnti);
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
