#pragma once

#include <vector>

#include "processor/engine/operator_graph.h"
#include "processor/types/value.h"

namespace slipstream::sql {

// PartitionFilter: which files of a table need not be read, since no query wants rows with the
// values that their folders stand for: WHERE carrier = 'AA' over a table PARTITIONED BY (carrier).
// Ownership  borrows the graph. Threads: immutable.
class PartitionFilter {
 public:
  // `columns`: of the table, those that are read from folders.
  PartitionFilter(const OperatorGraph& graph, const TablePtr& table, std::vector<size_t> columns);

  // Whether some scan may want rows of a file that lies in the folders of these values, one for
  // each of the columns.
  bool Wants(const std::vector<Value>& values) const;

 private:
  struct Scan {
    std::vector<ExpressionPtr> conditions;  // over the scan's columns; all have to be TRUE
    std::vector<size_t> reads;              // the scan's columns, of the table
    Schema schema;
  };

  bool Wants(const Scan& scan, const std::vector<Value>& values) const;

  const std::vector<size_t> columns_;
  std::vector<Scan> scans_;
};

}  // namespace slipstream::sql
