#include "processor/planner/table_binder.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "processor/expr/evaluator.h"
#include "processor/planner/expression_binder.h"
#include "processor/planner/text_table.h"
#include "processor/sql/nearest_name.h"

namespace slipstream::sql {
namespace {

std::string Flat(std::string_view text) {
  std::string flat;
  for (const char c : text) {
    const bool is_space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (is_space && !flat.empty() && flat.back() == ' ') continue;
    flat += is_space ? ' ' : c;
  }
  return flat;
}

class TableBinder {
 public:
  TableBinder(const PlanContext& context, const ast::CreateTable& create)
      : context_(context), create_(create) {}

  TablePtr Bind() {
    table_->name = create_.name.back().text;
    for (const ast::Option& option : create_.options) {
      table_->options.emplace(option.key.text, option.value);
    }
    if (table_->connector().empty()) {
      context_.Fail(create_.name.front().at,
                    fmt::format("{} has no 'connector'", table_->name),
                    "WITH ('connector' = 'kafka' | 'upsert-kafka' | 'filesystem' | 'print', …)");
    }
    BindColumns();
    BindComputed();
    if (create_.watermark) BindWatermark(*create_.watermark);
    for (const ast::Name& name : create_.primary_key)
      table_->primary_key.push_back(Find(name));
    for (const ast::Name& name : create_.partitioned_by) {
      const size_t column = Find(name);
      if (!IsPhysical(column)) {
        context_.Fail(name.at,
                      fmt::format("\"{}\" is not stored, so it cannot partition", name.text));
      }
      table_->partition_columns.push_back(column);
    }
    return table_;
  }

 private:
  void BindColumns() {
    for (size_t i = 0; i < create_.columns.size(); ++i) {
      const ast::ColumnDefinition& column = create_.columns[i];
      for (const Field& field : table_->schema) {
        if (field.name != column.name.text) continue;
        context_.Fail(column.name.at, fmt::format("two columns \"{}\"", field.name));
      }
      table_->schema.push_back({column.name.text, column.type});
      if (column.computed) continue;
      if (column.metadata) {
        table_->metadata.push_back({i, *column.metadata, column.is_virtual});
      } else {
        table_->physical.push_back(i);
      }
    }
    if (table_->physical.empty()) {
      context_.Fail(create_.name.front().at,
                    fmt::format("{} has no column of its own", table_->name));
    }
  }

  bool IsPhysical(size_t column) const {
    return std::find(table_->physical.begin(), table_->physical.end(), column) !=
           table_->physical.end();
  }

  // A computed column may read all that are not computed, and the computed ones before it.
  void BindComputed() {
    std::vector<ScopeColumn> scope;
    const auto add = [&](size_t i) {
      scope.push_back({.table = table_->name,
                       .name = table_->schema[i].name,
                       .type = table_->schema[i].type,
                       .column = i});
    };
    for (size_t i = 0; i < create_.columns.size(); ++i) {
      if (!create_.columns[i].computed) add(i);
    }
    for (size_t i = 0; i < create_.columns.size(); ++i) {
      const ast::ColumnDefinition& column = create_.columns[i];
      if (!column.computed) continue;
      ExpressionPtr value = FoldConstants(
          ExpressionBinder(context_, scope, "a computed column").Bind(*column.computed));
      table_->schema[i].type = value->type;
      table_->computed.push_back({i, std::move(value)});
      add(i);
    }
    scope_ = std::move(scope);
  }

  void BindWatermark(const ast::WatermarkDefinition& definition) {
    const size_t column = Find(definition.column);
    const DataType& type = table_->schema[column].type;
    if (!type.is_timestamp()) {
      context_.Fail(definition.column.at,
                    fmt::format("an event time is TIMESTAMP or TIMESTAMP_LTZ; \"{}\" is {}",
                                definition.column.text,
                                type.ToString()),
                    "a computed column can make one: ts AS TO_TIMESTAMP(…)");
    }
    ExpressionPtr value = ExpressionBinder(context_, scope_, "WATERMARK").Bind(*definition.value);
    if (value->type.kind != type.kind) {
      context_.Fail(
          definition.value->at,
          fmt::format(
              "this watermark is {}, its column {}", value->type.ToString(), type.ToString()));
    }
    table_->watermark =
        TableDefinition::Watermark{.column = column,
                                   .expression = std::move(value),
                                   .text = Flat(context_.source()->Slice(definition.value->at))};
  }

  size_t Find(const ast::Name& name) const {
    std::vector<std::string> names;
    for (size_t i = 0; i < table_->schema.size(); ++i) {
      if (table_->schema[i].name == name.text) return i;
      names.push_back(table_->schema[i].name);
    }
    context_.Fail(name.at,
                  fmt::format("no column \"{}\" in {}", name.text, table_->name),
                  DidYouMean(name.text, names));
  }

  const PlanContext& context_;
  const ast::CreateTable& create_;
  std::shared_ptr<TableDefinition> table_ = std::make_shared<TableDefinition>();
  std::vector<ScopeColumn> scope_;
};

}  // namespace

TablePtr BindTable(const PlanContext& context, const ast::CreateTable& create) {
  return TableBinder(context, create).Bind();
}

std::vector<size_t> InsertableColumns(const TableDefinition& table) {
  std::vector<size_t> columns = table.physical;
  for (const TableDefinition::MetadataColumn& metadata : table.metadata) {
    if (!metadata.is_virtual) columns.push_back(metadata.column);
  }
  std::sort(columns.begin(), columns.end());
  return columns;
}

std::string DescribeTable(const TableDefinition& table) {
  TextTable text({"name", "type", "null", "key", "extras", "watermark"});
  for (size_t i = 0; i < table.schema.size(); ++i) {
    DataType type = table.schema[i].type;
    const std::string null = type.nullable ? "TRUE" : "FALSE";
    type.nullable = true;
    std::string extras;
    for (const TableDefinition::MetadataColumn& metadata : table.metadata) {
      if (metadata.column != i) continue;
      extras =
          fmt::format("METADATA FROM '{}'{}", metadata.key, metadata.is_virtual ? " VIRTUAL" : "");
    }
    for (const TableDefinition::ComputedColumn& computed : table.computed) {
      if (computed.column == i) extras = "AS " + computed.expression->ToString(table.schema);
    }
    const bool is_key =
        std::find(table.primary_key.begin(), table.primary_key.end(), i) != table.primary_key.end();
    const bool is_rowtime = table.watermark && table.watermark->column == i;
    text.AddRow({table.schema[i].name,
                 type.ToString(),
                 null,
                 is_key ? "PRI" : "",
                 extras,
                 is_rowtime ? table.watermark->text : ""});
  }
  return text.Render();
}

}  // namespace slipstream::sql
