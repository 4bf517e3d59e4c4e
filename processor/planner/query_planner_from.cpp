#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_properties.h"
#include "processor/planner/query_planner.h"
#include "processor/planner/window_functions.h"
#include "processor/sql/nearest_name.h"

namespace slipstream::sql {
Relation QueryPlanner::PlanFrom(const ast::TableRef& table) {
  Relation relation;
  std::string alias;
  if (const auto* const named = std::get_if<ast::NamedTable>(&table.node)) {
    if (named->as_of) {
      context_.Unsupported(table.at, "FOR SYSTEM_TIME AS OF other than on the right of a JOIN is");
    }
    relation = PlanNamed(*named, table.at);
    alias = named->name.back().text;
  } else if (const auto* const derived = std::get_if<ast::DerivedTable>(&table.node)) {
    relation = Plan(*derived->query);
  } else if (const auto* const function = std::get_if<ast::TableFunction>(&table.node)) {
    relation = PlanTableFunction(*function, table.at);
  } else if (std::holds_alternative<ast::Unnest>(table.node)) {
    Relation one_row;
    one_row.node = MakeValues({}, {{}});
    return UnnestBehind(std::move(one_row), table, false);
  } else {
    const auto& join = std::get<ast::Join>(table.node);
    if (std::holds_alternative<ast::Unnest>(join.right->node)) {
      return PlanUnnest(join, *join.right);
    }
    const auto* const right = std::get_if<ast::DerivedTable>(&join.right->node);
    if (right != nullptr && right->is_lateral) return PlanLateral(join, table.at);
    return PlanJoin(join, table.at);
  }
  if (table.alias) alias = table.alias->text;
  Rename(relation, alias, table.columns);
  return relation;
}

void QueryPlanner::Rename(Relation& relation,
                          const std::string& alias,
                          const std::vector<ast::Name>& columns) const {
  if (!columns.empty() && columns.size() != relation.columns.size()) {
    context_.Fail(columns.front().at,
                  fmt::format("{} names for {} columns", columns.size(), relation.columns.size()));
  }
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    relation.columns[i].table = alias;
    if (!columns.empty()) relation.columns[i].name = columns[i].text;
  }
}

// ---- Tables and views ----

const Catalog::Entry& QueryPlanner::FindEntry(const ast::QualifiedName& name) const {
  const Span at = Join(name.front().at, name.back().at);
  const bool is_default =
      name.size() == 1 || (name.size() == 2 && name[0].text == "default_database") ||
      (name.size() == 3 && name[0].text == "default_catalog" && name[1].text == "default_database");
  if (!is_default) {
    context_.Unsupported(at, "other catalogs and databases than the default are");
  }
  const Catalog::Entry* const entry = context_.catalog().Find(name.back().text);
  if (entry == nullptr) {
    const std::vector<std::string> names = context_.catalog().Names();
    std::string hint = DidYouMean(name.back().text, names);
    if (hint.empty() && names.empty()) hint = "CREATE TABLE declares one";
    context_.Fail(at, fmt::format("no table \"{}\"", ast::ToString(name)), std::move(hint));
  }
  return *entry;
}

TablePtr QueryPlanner::FindTable(const ast::QualifiedName& name,
                                 const std::vector<ast::Option>& hints) const {
  const auto* const table = std::get_if<TablePtr>(&FindEntry(name));
  if (table == nullptr) {
    context_.Fail(name.front().at, fmt::format("\"{}\" is a view", ast::ToString(name)));
  }
  if (hints.empty()) return *table;
  Options changed = (*table)->options;
  for (const ast::Option& hint : hints) {
    if (hint.key.text == "connector") {
      context_.Fail(hint.key.at, "a hint cannot change the connector");
    }
    changed[hint.key.text] = hint.value;
  }
  return context_.WithOptions(*table, std::move(changed));
}

Relation QueryPlanner::PlanNamed(const ast::NamedTable& table, Span at) {
  if (table.name.size() == 1) {
    for (size_t i = common_tables_.size(); i > 0; --i) {
      if (common_tables_[i - 1]->name.text == table.name.front().text) {
        return PlanCommonTable(i - 1);
      }
    }
  }
  if (const auto* const view = std::get_if<ViewPtr>(&FindEntry(table.name))) {
    if (!table.options.empty()) context_.Fail(at, "a view takes no OPTIONS");
    const ViewPtr held = *view;
    return PlanView(*held);
  }
  const TablePtr definition = FindTable(table.name, table.options);
  Relation relation;
  relation.node = MakeScan(definition);
  for (size_t i = 0; i < definition->schema.size(); ++i) {
    const bool is_rowtime = definition->watermark && definition->watermark->column == i;
    relation.columns.push_back({.name = definition->schema[i].name,
                                .type = definition->schema[i].type,
                                .column = i,
                                .is_rowtime = is_rowtime});
  }
  for (const TableDefinition::ComputedColumn& computed : definition->computed)
    relation.columns[computed.column].is_proctime = IsProcessingTime(*computed.expression);
  return relation;
}

Relation QueryPlanner::PlanView(const ViewDefinition& view) {
  const PlanContext::SourceScope scope(context_, view.source);
  const PlanContext::NoOuterScope no_outer(context_);
  // A view sees none of the WITH around its use.
  std::vector<const ast::CommonTable*> outer = std::exchange(common_tables_, {});
  Relation relation = Plan(*view.query);
  common_tables_ = std::move(outer);
  Rename(relation, view.name, view.columns);
  return relation;
}

Relation QueryPlanner::PlanCommonTable(size_t index) {
  const ast::CommonTable& table = *common_tables_[index];
  // It sees those before it only.
  std::vector<const ast::CommonTable*> all = common_tables_;
  common_tables_.resize(index);
  Relation relation = Plan(*table.query);
  common_tables_ = std::move(all);
  Rename(relation, table.name.text, table.columns);
  return relation;
}

// ---- Table functions ----

Relation QueryPlanner::PlanTableFunction(const ast::TableFunction& function, Span at) {
  const std::string name = ToUpper(function.call.function.text);
  if (function.is_lateral) context_.Unsupported(at, "LATERAL TABLE(…) is");
  if (!IsWindowFunction(name)) {
    context_.Fail(function.call.function.at,
                  fmt::format("no table function {}", name),
                  "there are TUMBLE, HOP, CUMULATE and SESSION");
  }
  const WindowCall call = BindWindowCall(context_, function.call);
  Relation relation = call.data->query ? Plan(*call.data->query)
                                       : PlanNamed({.name = call.data->table}, call.data_at);
  if (relation.window) context_.Unsupported(at, "a window over a window is");
  if (IsUpdateStream(*relation.node, context_.every_input_is_bounded())) {
    context_.Unsupported(at, "a window over a stream of updates is");
  }
  ExpressionBinder binder(context_, relation.columns, "DESCRIPTOR");
  const ast::Name& time_name = std::get<ast::Descriptor>(call.time->node).columns.front();
  const ScopeColumn time = binder.Resolve({.parts = {time_name}}, time_name.at);
  CheckTimeColumn(
      context_, time, IsBounded(*relation.node, context_.every_input_is_bounded()), time_name.at);

  Relation::AssignedWindow window{.spec = call.spec, .at = at, .function = name};
  window.spec.time_column = time.column;
  window.spec.is_by_arrival = time.is_proctime;
  if (time.type.kind == TypeKind::kTimestampLtz) window.spec.zone = context_.zone();
  for (const ast::ExprPtr& key : call.data->partition_by) {
    const auto* const column = std::get_if<ast::ColumnRef>(&key->node);
    if (column == nullptr) context_.Fail(key->at, "SESSION is partitioned by columns");
    window.partition_keys.push_back(binder.Resolve(*column, key->at).column);
  }
  relation.window = std::move(window);
  // From here on window_time is what the watermark is about.
  for (ScopeColumn& column : relation.columns)
    column.is_rowtime = false;
  const DataType local_time = DataType::Timestamp(time.type.precision);
  const auto add = [&](const char* column, WindowProperty property, DataType type) {
    relation.columns.push_back(
        {.name = column,
         .type = std::move(type),
         .column = VirtualColumn(property),
         .is_rowtime = property == WindowProperty::kTime && !time.is_proctime,
         .is_proctime = property == WindowProperty::kTime && time.is_proctime,
         .window = property});
  };
  add("window_start", WindowProperty::kStart, local_time);
  add("window_end", WindowProperty::kEnd, local_time);
  add("window_time", WindowProperty::kTime, time.type);
  return relation;
}

}  // namespace slipstream::sql
