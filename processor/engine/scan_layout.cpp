#include "processor/engine/scan_layout.h"

#include <algorithm>
#include <utility>

#include "processor/expr/evaluator.h"
#include "processor/planner/plan_properties.h"

namespace slipstream::sql {

ExpressionPtr Remap(const ExpressionPtr& expression,
                    const std::vector<std::optional<size_t>>& positions) {
  auto remapped = std::make_shared<Expression>(*expression);
  if (remapped->kind == Expression::Kind::kColumn) {
    remapped->column = positions[remapped->column].value();
  }
  for (ExpressionPtr& arg : remapped->args)
    arg = Remap(arg, positions);
  return remapped;
}

RecordColumns StoredColumns(const TableDefinition& table) {
  RecordColumns records;
  for (size_t column : table.physical) {
    const bool is_partition =
        std::find(table.partition_columns.begin(), table.partition_columns.end(), column) !=
        table.partition_columns.end();
    if (!is_partition) records.value.push_back(column);
  }
  return records;
}

ScanLayout::ScanLayout(TablePtr table,
                       const std::vector<size_t>& reads,
                       bool needs_watermark,
                       const RecordColumns& records)
    : table_(std::move(table)), is_upsert_(records.is_upsert), positions_(table_->schema.size()) {
  std::vector<bool> wanted(table_->schema.size(), false);
  for (size_t column : reads)
    wanted[column] = true;
  // Rows that are replaced have no order in time that anything could wait for.
  const bool has_watermark =
      needs_watermark && table_->watermark.has_value() && !IsUpdateSource(*table_);
  if (has_watermark) {
    wanted[table_->watermark->column] = true;
    MarkColumns(*table_->watermark->expression, wanted);
  }
  // Computed columns read only columns before them or ones that are not computed.
  for (auto computed = table_->computed.rbegin(); computed != table_->computed.rend(); ++computed) {
    if (wanted[computed->column]) MarkColumns(*computed->expression, wanted);
  }
  std::vector<bool> wanted_of_values = wanted;
  if (is_upsert_) {
    for (size_t column : records.key)
      wanted_of_values[column] = false;
  }
  value_fields_ = PlaceFields(records.value, 0, wanted_of_values);
  key_fields_ = PlaceFields(records.key, records.key_prefix_bytes, wanted);
  for (size_t column : table_->physical) {
    if (!wanted[column] || positions_[column]) continue;
    Place(column);
    partition_columns_.push_back(column);
  }
  for (const TableDefinition::MetadataColumn& metadata : table_->metadata) {
    if (!wanted[metadata.column]) continue;
    Place(metadata.column);
    metadata_.push_back(metadata);
  }
  for (const TableDefinition::ComputedColumn& computed : table_->computed) {
    if (!wanted[computed.column]) continue;
    const Field& field = table_->schema[computed.column];
    computed_.push_back({.expression = FoldConstants(Remap(computed.expression, positions_)),
                         .type = field.type,
                         .name = field.name});
    Place(computed.column);
  }
  if (has_watermark) {
    watermark_ = FoldConstants(Remap(table_->watermark->expression, positions_));
    time_position_ = *positions_[table_->watermark->column];
  }
}

RecordFields ScanLayout::PlaceFields(const std::vector<size_t>& columns,
                                     size_t prefix_bytes,
                                     const std::vector<bool>& wanted) {
  RecordFields fields;
  for (size_t i = 0; i < columns.size(); ++i) {
    fields.all.push_back(table_->schema[columns[i]]);
    fields.all.back().name.erase(0, prefix_bytes);
    if (!wanted[columns[i]] || positions_[columns[i]]) continue;
    fields.wanted.push_back(i);
    Place(columns[i]);
  }
  return fields;
}

void ScanLayout::Place(size_t column) {
  positions_[column] = schema_.size();
  schema_.push_back(table_->schema[column]);
}

}  // namespace slipstream::sql
