#include "processor/planner/output_list.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/plan_builder.h"
#include "processor/planner/plan_properties.h"

namespace slipstream::sql {
namespace {

// ORDER BY 2, ORDER BY alias.
std::optional<size_t> FindItem(const PlanContext& context,
                               const ast::Expr& expr,
                               const std::vector<OutputItem>& items,
                               size_t visible) {
  if (const auto* const literal = std::get_if<ast::Literal>(&expr.node);
      literal != nullptr && literal->kind == ast::Literal::Kind::kNumber) {
    size_t number = 0;
    const char* const end = literal->text.data() + literal->text.size();
    const auto [parsed, error] = std::from_chars(literal->text.data(), end, number);
    if (error != std::errc() || parsed != end || number < 1 || number > visible) {
      context.Fail(expr.at, fmt::format("ORDER BY takes a column's number from 1 to {}", visible));
    }
    return number - 1;
  }
  const auto* const name = std::get_if<ast::ColumnRef>(&expr.node);
  if (name == nullptr || name->parts.size() != 1) return std::nullopt;
  std::optional<size_t> found;
  for (size_t i = 0; i < visible; ++i) {
    if (items[i].name != name->parts.front().text) continue;
    if (found && !IsEqual(*items[*found].expression, *items[i].expression)) {
      context.Fail(expr.at,
                   fmt::format("\"{}\" may be more than one column", items[i].name),
                   "give the columns different aliases");
    }
    if (!found) found = i;
  }
  return found;
}

}  // namespace

std::vector<SortKey> BindOrder(const PlanContext& context,
                               const std::vector<ast::OrderItem>& order_by,
                               const std::vector<ScopeColumn>& scope,
                               AggregateCollector* collector,
                               std::vector<OutputItem>& items) {
  const size_t visible = items.size();
  std::vector<SortKey> keys;
  for (const ast::OrderItem& order : order_by) {
    std::optional<size_t> item = FindItem(context, *order.value, items, visible);
    if (!item) {
      ExpressionPtr value =
          ExpressionBinder(context, scope, "ORDER BY", collector).Bind(*order.value);
      const auto same = std::find_if(items.begin(), items.end(), [&](const OutputItem& candidate) {
        return IsEqual(*candidate.expression, *value);
      });
      item = static_cast<size_t>(same - items.begin());
      if (same == items.end()) {
        const auto named = std::find_if(scope.begin(), scope.end(), [&](const ScopeColumn& column) {
          return value->kind == Expression::Kind::kColumn && column.column == value->column;
        });
        OutputItem& added = items.emplace_back();
        if (named != scope.end()) {
          added.is_rowtime = named->is_rowtime;
          added.is_proctime = named->is_proctime;
        }
        added.name = fmt::format("SORT${}", *item);
        added.expression = std::move(value);
      }
    }
    const DataType& type = items[*item].expression->type;
    if (PhysicalKindOf(type.kind) == PhysicalKind::kNested) {
      context.Fail(order.value->at, fmt::format("{} has no order", type.ToString()));
    }
    // NULL is the smallest value, as in Flink.
    keys.push_back({.column = *item,
                    .descending = order.is_descending,
                    .nulls_first = order.nulls_first.value_or(!order.is_descending)});
  }
  return keys;
}

Relation BuildOutput(PlanNodePtr node,
                     const std::vector<OutputItem>& items,
                     size_t visible,
                     std::vector<SortKey> sort_keys) {
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  for (const OutputItem& item : items) {
    expressions.push_back(item.expression);
    names.push_back(item.name);
  }
  Relation relation;
  relation.node = MakeProject(std::move(node), std::move(expressions), names);
  if (!sort_keys.empty()) {
    const SortKey first = sort_keys.front();
    const bool is_time = items[first.column].is_rowtime && !first.descending;
    const bool is_arrival =
        items[first.column].is_proctime && !first.descending && sort_keys.size() == 1;
    relation.node = MakeSort(std::move(relation.node), std::move(sort_keys));
    relation.node->order_is_time = is_time;
    relation.node->order_is_arrival = is_arrival;
  }
  if (items.size() > visible) {
    std::vector<ExpressionPtr> kept;
    for (size_t i = 0; i < visible; ++i) {
      kept.push_back(MakeColumn(i, relation.node->output[i].type));
    }
    names.resize(visible);
    relation.node = MakeProject(std::move(relation.node), std::move(kept), std::move(names));
  }
  for (size_t i = 0; i < visible; ++i) {
    relation.columns.push_back({.name = items[i].name,
                                .type = relation.node->output[i].type,
                                .column = i,
                                .is_rowtime = items[i].is_rowtime,
                                .is_proctime = items[i].is_proctime,
                                .window = items[i].window});
  }
  return relation;
}

}  // namespace slipstream::sql
