#include "processor/planner/insert_planner.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "processor/planner/early_results.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/implicit_cast.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_properties.h"
#include "processor/planner/query_planner.h"
#include "processor/planner/stream_rules.h"
#include "processor/planner/table_binder.h"
#include "processor/sql/nearest_name.h"

namespace slipstream::sql {
namespace {

Span SpanOf(const ast::Insert& insert) {
  return Join(insert.table.front().at, insert.table.back().at);
}

std::vector<size_t> NamedColumns(const PlanContext& context,
                                 const ast::Insert& insert,
                                 const TableDefinition& table,
                                 const std::vector<size_t>& insertable) {
  std::vector<std::string> names;
  names.reserve(insertable.size());
  for (const size_t column : insertable)
    names.push_back(table.schema[column].name);
  std::vector<size_t> columns;
  for (const ast::Name& name : insert.columns) {
    const auto found = std::find(names.begin(), names.end(), name.text);
    if (found == names.end()) {
      const bool exists = std::any_of(table.schema.begin(),
                                      table.schema.end(),
                                      [&](const Field& field) { return field.name == name.text; });
      context.Fail(
          name.at,
          exists ? fmt::format("\"{}\" is computed or VIRTUAL, so it is not inserted", name.text)
                 : fmt::format("no column \"{}\" in {}", name.text, table.name),
          exists ? "" : DidYouMean(name.text, names));
    }
    const size_t column = insertable[static_cast<size_t>(found - names.begin())];
    if (std::find(columns.begin(), columns.end(), column) != columns.end()) {
      context.Fail(name.at, fmt::format("\"{}\" is named twice", name.text));
    }
    columns.push_back(column);
  }
  for (const size_t column : insertable) {
    const bool is_given = std::find(columns.begin(), columns.end(), column) != columns.end();
    const bool is_key = std::find(table.primary_key.begin(), table.primary_key.end(), column) !=
                        table.primary_key.end();
    if (!is_given && (is_key || !table.schema[column].type.nullable)) {
      context.Fail(
          SpanOf(insert),
          fmt::format("\"{}\" cannot be NULL, so it has to be given", table.schema[column].name));
    }
  }
  return columns;
}

PlanNodePtr CastToTable(const PlanContext& context,
                        const ast::Insert& insert,
                        const InsertPlan& plan,
                        Relation relation) {
  if (relation.columns.size() != plan.columns.size()) {
    std::vector<std::string> names;
    for (const size_t column : plan.columns)
      names.push_back(plan.table->schema[column].name);
    context.Fail(SpanOf(insert),
                 fmt::format("columns: {} from the query, {} of {}",
                             relation.columns.size(),
                             plan.columns.size(),
                             plan.table->name),
                 fmt::format("it takes {}", fmt::join(names, ", ")));
  }
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  for (size_t i = 0; i < plan.columns.size(); ++i) {
    const Field& target = plan.table->schema[plan.columns[i]];
    const ScopeColumn& column = relation.columns[i];
    if (!CanCastImplicitly(column.type, target.type)) {
      context.Fail(SpanOf(insert),
                   fmt::format("column {} of the query, \"{}\", is {}; \"{}\" of {} is {}",
                               i + 1,
                               column.name,
                               column.type.ToString(),
                               target.name,
                               plan.table->name,
                               target.type.ToString()),
                   "write a CAST if that is meant");
    }
    expressions.push_back(CastTo(MakeColumn(column.column, column.type), target.type));
    names.push_back(target.name);
  }
  return MakeProject(std::move(relation.node), std::move(expressions), std::move(names));
}

void CheckUpdates(const PlanContext& context, const ast::Insert& insert, const InsertPlan& plan) {
  const TableDefinition& table = *plan.table;
  if (table.connector() == "print" || table.connector() == "blackhole") return;
  if (table.connector() != "upsert-kafka") {
    context.Fail(SpanOf(insert),
                 fmt::format("the query gives updates of earlier rows (GROUP BY without a window, "
                             "Top-N, the last row of a key, an outer join); {} ('{}') takes new "
                             "rows only",
                             table.name,
                             table.connector()),
                 "group by a window (TUMBLE, HOP, …), insert into an 'upsert-kafka' table, or "
                 "bound the input");
  }
  std::set<size_t> primary_key;
  for (size_t i = 0; i < plan.columns.size(); ++i) {
    const auto& key = table.primary_key;
    if (std::find(key.begin(), key.end(), plan.columns[i]) != key.end()) primary_key.insert(i);
  }
  const std::vector<std::set<size_t>> keys = UniqueKeys(*plan.query);
  const bool has_key = std::any_of(keys.begin(), keys.end(), [&](const std::set<size_t>& key) {
    return std::includes(primary_key.begin(), primary_key.end(), key.begin(), key.end());
  });
  if (!has_key) {
    context.Unsupported(
        SpanOf(insert),
        fmt::format("updates of rows that the PRIMARY KEY of {} does not tell apart "
                    "are",
                    table.name),
        "a key holds the columns of GROUP BY, or those of PARTITION BY and the "
        "row number");
  }
}

}  // namespace

InsertPlan PlanInsert(PlanContext& context, const ast::Insert& insert) {
  QueryPlanner planner(context);
  InsertPlan plan{.table = planner.FindTable(insert.table, insert.options)};
  const std::vector<size_t> insertable = InsertableColumns(*plan.table);
  plan.columns =
      insert.columns.empty() ? insertable : NamedColumns(context, insert, *plan.table, insertable);
  plan.query = CastToTable(context, insert, plan, planner.Plan(*insert.query));
  plan.query = Optimize(context.InZone(std::move(plan.query)), context.every_input_is_bounded());
  AddEarlyResults(context, SpanOf(insert), *plan.table, *plan.query);
  CheckStream(context, SpanOf(insert), *plan.query);
  if (IsUpdateStream(*plan.query, context.every_input_is_bounded())) {
    CheckUpdates(context, insert, plan);
  }
  plan.query = InsertExchanges(std::move(plan.query), context.exchange_options());
  return plan;
}

}  // namespace slipstream::sql
