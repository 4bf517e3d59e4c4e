#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "processor/planner/plan.h"

namespace slipstream::sql {

// ScanLayout: which columns of a table a job reads, in which order the source makes them, and the
// computed ones' expressions over that order. Immutable; shared by the tasks of a job.
class ScanLayout {
 public:
  // `reads`: columns of the table that the job's scans want; what computed columns and the
  // watermark need is added.
  ScanLayout(TablePtr table, const std::vector<size_t>& reads, bool needs_watermark);

  struct Computed {
    ExpressionPtr expression;  // over the source's columns before it
    DataType type;
    std::string name;
  };

  const TableDefinition& table() const { return *table_; }
  // The decoded columns, then path columns (PARTITIONED BY), then metadata, then computed.
  const Schema& decoded() const { return decoded_; }
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
  void Place(size_t column);

  TablePtr table_;
  Schema decoded_;
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
