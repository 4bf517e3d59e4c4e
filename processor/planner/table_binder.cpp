#include "processor/planner/table_binder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "processor/expr/evaluator.h"
#include "processor/planner/expression_binder.h"
#include "processor/planner/expression_rewrite.h"
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

  TablePtr Bind(const TableDefinition* base) {
    table_->name = create_.name.back().text;
    if (base != nullptr) TakeFrom(*base);
    first_column_ = table_->schema.size();
    for (const ast::Option& option : create_.options) {
      if (!table_->options.try_emplace(option.key.text, option.value).second && create_.like &&
          create_.like->options == ast::TableLike::Take::kIncluding) {
        context_.Fail(
            option.key.at,
            fmt::format(
                "'{}' is an option of {} too", option.key.text, ast::ToString(create_.like->table)),
            "OVERWRITING OPTIONS lets this one count");
      }
      table_->options[option.key.text] = option.value;
    }
    if (table_->connector().empty()) {
      context_.Fail(create_.name.front().at,
                    fmt::format("{} has no 'connector'", table_->name),
                    "WITH ('connector' = 'kafka' | 'upsert-kafka' | 'filesystem' | 'print', …)");
    }
    BindColumns();
    BindComputed();
    if (create_.watermark) BindWatermark(*create_.watermark);
    if (!create_.primary_key.empty() && !table_->primary_key.empty()) {
      context_.Fail(create_.primary_key.front().at,
                    "the other table has a PRIMARY KEY already",
                    "LIKE … (EXCLUDING CONSTRAINTS) leaves it out");
    }
    for (const ast::Name& name : create_.primary_key)
      table_->primary_key.push_back(Find(name));
    if (!create_.partitioned_by.empty() && !table_->partition_columns.empty()) {
      context_.Fail(create_.partitioned_by.front().at,
                    "the other table is partitioned already",
                    "LIKE … (EXCLUDING PARTITIONS) leaves that out");
    }
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
  // The columns and all else that LIKE takes of another table, or AS of its query.
  void TakeFrom(const TableDefinition& base) {
    using Take = ast::TableLike::Take;
    const ast::TableLike like = create_.like ? *create_.like : ast::TableLike();
    std::vector<std::optional<size_t>> places(base.schema.size());  // of its columns, here
    const auto is_left_out = [&](size_t i) {
      const auto is_of = [i](const auto& special) { return special.column == i; };
      return (like.generated == Take::kExcluding &&
              std::any_of(base.computed.begin(), base.computed.end(), is_of)) ||
             (like.metadata == Take::kExcluding &&
              std::any_of(base.metadata.begin(), base.metadata.end(), is_of)) ||
             IsDeclaredAnew(base, i, like);
    };
    for (size_t i = 0; i < base.schema.size(); ++i) {
      if (is_left_out(i)) continue;
      places[i] = table_->schema.size();
      table_->schema.push_back(base.schema[i]);
    }
    const auto replace = [&](const ExpressionPtr& expression) {
      return ReplaceColumns(expression, [&](const ExpressionPtr& column) -> ExpressionPtr {
        if (!places[column->column]) {
          context_.Fail(create_.name.front().at,
                        fmt::format("\"{}\" is left out, but another column or the WATERMARK of "
                                    "the other table is computed of it",
                                    base.schema[column->column].name));
        }
        return MakeColumn(*places[column->column], column->type);
      });
    };
    for (const size_t column : base.physical)
      table_->physical.push_back(*places[column]);
    for (const TableDefinition::MetadataColumn& metadata : base.metadata) {
      if (!places[metadata.column]) continue;
      table_->metadata.push_back({*places[metadata.column], metadata.key, metadata.is_virtual});
    }
    for (const TableDefinition::ComputedColumn& computed : base.computed) {
      if (!places[computed.column]) continue;
      table_->computed.push_back({*places[computed.column], replace(computed.expression)});
    }
    const bool has_own_watermark =
        like.watermarks == Take::kOverwriting && create_.watermark.has_value();
    if (base.watermark && like.watermarks != Take::kExcluding && !has_own_watermark) {
      if (create_.watermark) {
        context_.Fail(create_.watermark->column.at,
                      "the other table has a WATERMARK already",
                      "LIKE … (OVERWRITING WATERMARKS) lets this one count");
      }
      const ExpressionPtr column =
          replace(MakeColumn(base.watermark->column, base.schema[base.watermark->column].type));
      table_->watermark =
          TableDefinition::Watermark{.column = column->column,
                                     .expression = replace(base.watermark->expression),
                                     .text = base.watermark->text};
    }
    if (like.constraints != Take::kExcluding) {
      for (const size_t column : base.primary_key)
        table_->primary_key.push_back(*places[column]);
    }
    if (like.partitions != Take::kExcluding) {
      for (const size_t column : base.partition_columns)
        table_->partition_columns.push_back(*places[column]);
    }
    if (like.options != Take::kExcluding) table_->options = base.options;
  }

  // OVERWRITING: a computed or metadata column that this table declares too.
  bool IsDeclaredAnew(const TableDefinition& base, size_t i, const ast::TableLike& like) const {
    using Take = ast::TableLike::Take;
    const auto is_of = [i](const auto& special) { return special.column == i; };
    const bool is_computed = std::any_of(base.computed.begin(), base.computed.end(), is_of);
    const bool is_metadata = std::any_of(base.metadata.begin(), base.metadata.end(), is_of);
    const bool may_be = (is_computed && like.generated == Take::kOverwriting) ||
                        (is_metadata && like.metadata == Take::kOverwriting);
    return may_be && std::any_of(create_.columns.begin(),
                                 create_.columns.end(),
                                 [&](const ast::ColumnDefinition& column) {
                                   return column.name.text == base.schema[i].name;
                                 });
  }

  void BindColumns() {
    for (size_t i = 0; i < create_.columns.size(); ++i) {
      const ast::ColumnDefinition& column = create_.columns[i];
      const size_t place = first_column_ + i;
      for (const Field& field : table_->schema) {
        if (field.name != column.name.text) continue;
        context_.Fail(column.name.at, fmt::format("two columns \"{}\"", field.name));
      }
      table_->schema.push_back({column.name.text, column.type});
      if (column.computed) continue;
      if (column.metadata) {
        table_->metadata.push_back({place, *column.metadata, column.is_virtual});
      } else {
        table_->physical.push_back(place);
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
    for (size_t i = 0; i < first_column_; ++i)
      add(i);
    for (size_t i = 0; i < create_.columns.size(); ++i) {
      if (!create_.columns[i].computed) add(first_column_ + i);
    }
    for (size_t i = 0; i < create_.columns.size(); ++i) {
      const ast::ColumnDefinition& column = create_.columns[i];
      if (!column.computed) continue;
      const size_t place = first_column_ + i;
      ExpressionPtr value = FoldConstants(
          ExpressionBinder(context_, scope, "a computed column").Bind(*column.computed));
      table_->schema[place].type = value->type;
      table_->computed.push_back({place, std::move(value)});
      add(place);
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
  size_t first_column_ = 0;  // of those declared here; before it are another table's
  std::vector<ScopeColumn> scope_;
};

}  // namespace

TablePtr BindTable(const PlanContext& context,
                   const ast::CreateTable& create,
                   const TableDefinition* base) {
  return TableBinder(context, create).Bind(base);
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
