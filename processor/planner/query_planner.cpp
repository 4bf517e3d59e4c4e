#include "processor/planner/query_planner.h"

#include <utility>

#include <fmt/format.h>

#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/output_list.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_properties.h"
#include "processor/planner/select_planner.h"

namespace slipstream::sql {
namespace {

constexpr size_t kQueryDepthMax = 120;

std::vector<std::string> NamesOf(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema)
    names.push_back(field.name);
  return names;
}

}  // namespace

Relation QueryPlanner::Plan(const ast::Query& query) {
  // A view may be dropped and made anew over one that reads it, so this need not end by itself.
  if (++depth_ > kQueryDepthMax) {
    context_.Fail(query.at,
                  fmt::format("queries within queries, more than {} deep with all views unfolded",
                              kQueryDepthMax));
  }
  const size_t outer_tables = common_tables_.size();
  for (const ast::CommonTable& table : query.common_tables)
    common_tables_.push_back(&table);
  Relation relation = query.terms.size() == 1 ? PlanTerm(query.terms.front(), query.order_by)
                                              : AddOrder(PlanSetOperations(query), query.order_by);
  common_tables_.resize(outer_tables);
  context_.CountQuery(query.at, relation.columns.size());
  --depth_;
  if (query.limit || query.offset > 0) {
    relation.node = MakeLimit(std::move(relation.node), query.limit, query.offset);
  }
  return relation;
}

Relation QueryPlanner::PlanTerm(const ast::QueryTerm& term,
                                const std::vector<ast::OrderItem>& order_by) {
  if (const auto* const values = std::get_if<ast::Values>(&term.body)) {
    return AddOrder(PlanValues(*values), order_by);
  }
  if (const auto* const query = std::get_if<ast::QueryPtr>(&term.body)) {
    return AddOrder(Plan(**query), order_by);
  }
  const auto& select = std::get<ast::Select>(term.body);
  Relation input;
  if (select.from) {
    const auto* const outer = std::exchange(state_ttls_, &select.state_ttls);
    input = PlanFrom(*select.from);
    state_ttls_ = outer;
  } else {
    input.node = MakeValues({}, {{}});  // one row without columns
  }
  return SelectPlanner(context_, *this, select, std::move(input)).Plan(order_by);
}

// Rows of plain literals are kept as such; one that computes is a projection of one empty row.
Relation QueryPlanner::PlanValues(const ast::Values& values) {
  const std::vector<ScopeColumn> nothing;
  ExpressionBinder binder(context_, nothing, "VALUES");
  const size_t width = values.rows.front().size();
  std::vector<std::vector<ExpressionPtr>> rows;
  std::vector<std::vector<DataType>> types(width);
  for (const std::vector<ast::ExprPtr>& row : values.rows) {
    rows.emplace_back();
    for (size_t i = 0; i < width; ++i) {
      rows.back().push_back(binder.Bind(*row[i]));
      types[i].push_back(rows.back().back()->type);
    }
  }
  Relation relation;
  Schema output;
  for (size_t i = 0; i < width; ++i) {
    output.push_back({fmt::format("EXPR${}", i), context_.Check(CommonType(types[i]), values.at)});
    relation.columns.push_back(
        {.name = output.back().name, .type = output.back().type, .column = i});
  }
  std::vector<PlanNodePtr> parts;
  for (std::vector<ExpressionPtr>& row : rows) {
    std::vector<Value> literals;
    for (size_t i = 0; i < width; ++i) {
      row[i] = CastTo(row[i], output[i].type);
      if (row[i]->kind == Expression::Kind::kLiteral) literals.push_back(row[i]->literal);
    }
    if (literals.size() < width) {
      parts.push_back(MakeProject(MakeValues({}, {{}}), std::move(row), NamesOf(output)));
    } else if (!parts.empty() && parts.back()->kind == PlanNode::Kind::kValues) {
      parts.back()->rows.push_back(std::move(literals));
    } else {
      parts.push_back(MakeValues(output, {std::move(literals)}));
    }
  }
  relation.node = MakeUnion(output, std::move(parts));
  return relation;
}

// ORDER BY of something that is not a SELECT: only its own columns can be named.
Relation QueryPlanner::AddOrder(Relation relation,
                                const std::vector<ast::OrderItem>& order_by) const {
  if (order_by.empty()) return relation;
  std::vector<OutputItem> items;
  for (const ScopeColumn& column : relation.columns) {
    items.push_back(
        {MakeColumn(column.column, column.type), column.name, column.is_rowtime, column.window});
  }
  const size_t visible = items.size();
  std::vector<SortKey> keys = BindOrder(context_, order_by, relation.columns, nullptr, items);
  return BuildOutput(std::move(relation.node), items, visible, std::move(keys));
}

}  // namespace slipstream::sql
