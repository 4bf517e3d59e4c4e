#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "processor/formats/value_format.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// Where the columns of a table lie in its records.
struct RecordColumns {
  std::vector<size_t> value;    // of the table; in the order of the value's fields
  std::vector<size_t> key;      // of the table; in the order of the key's fields
  size_t key_prefix_bytes = 0;  // what the names of key columns have before those of the fields
  // A record is the newest row of its key, or without a value says that the key has none; so the
  // key's columns are always the key's.
  bool is_upsert = false;
};

// The columns that are stored in the rows themselves, all in the value: all but PARTITIONED BY.
RecordColumns StoredColumns(const TableDefinition& table);

// ScanLayout: which columns of a table a job reads, in which order the source makes them, and the
// computed ones' expressions over that order. Immutable; shared by the tasks of a job.
class ScanLayout {
 public:
  // `reads`: columns of the table that the job's scans want; what computed columns and the
  // watermark need is added.
  ScanLayout(TablePtr table,
             const std::vector<size_t>& reads,
             bool needs_watermark,
             const RecordColumns& records);

  struct Computed {
    ExpressionPtr expression;  // over the source's columns before it
    DataType type;
    std::string name;
  };

  const TableDefinition& table() const { return *table_; }
  const TablePtr& table_ptr() const { return table_; }
  // What is decoded of values, then of keys (columns that both have are the value's); then path
  // columns (PARTITIONED BY), then metadata, then computed.
  const RecordFields& value_fields() const { return value_fields_; }
  const RecordFields& key_fields() const { return key_fields_; }
  bool is_upsert() const { return is_upsert_; }
  const std::vector<size_t>& partition_columns() const { return partition_columns_; }
  const std::vector<TableDefinition::MetadataColumn>& metadata() const { return metadata_; }
  const std::vector<Computed>& computed() const { return computed_; }
  const Schema& schema() const { return schema_; }  // all of them, in the source's order

  // Where the source puts the table's column `column`, which is one of those it makes.
  size_t PositionOf(size_t column) const { return *positions_[column]; }
  // Over the source's columns; null without one.
  const ExpressionPtr& watermark() const { return watermark_; }
  size_t time_position() const { return time_position_; }

 private:
  RecordFields PlaceFields(const std::vector<size_t>& columns,
                           size_t prefix_bytes,
                           const std::vector<bool>& wanted);
  void Place(size_t column);

  TablePtr table_;
  bool is_upsert_;
  RecordFields value_fields_;
  RecordFields key_fields_;
  std::vector<size_t> partition_columns_;  // of the table
  std::vector<TableDefinition::MetadataColumn> metadata_;
  std::vector<Computed> computed_;
  Schema schema_;
  std::vector<std::optional<size_t>> positions_;
  ExpressionPtr watermark_;
  size_t time_position_ = 0;
};

// `expression` with every column c replaced by positions[c].
ExpressionPtr Remap(const ExpressionPtr& expression,
                    const std::vector<std::optional<size_t>>& positions);

}  // namespace slipstream::sql
