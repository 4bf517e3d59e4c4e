#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/connector_options.h"
#include "processor/engine/row_lines.h"
#include "processor/formats/row_encoder.h"
#include "processor/operators/row_batch.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// SinkWriter: encodes rows for one sink and hands them to the task's output. The rows' columns are
// the table's physical ones, in order, then the metadata that is not VIRTUAL. Immutable; shared by
// the tasks of a job.
class SinkWriter {
 public:
  virtual ~SinkWriter() = default;
  virtual Status Write(const RowBatch& rows, runtime::TaskOutput& out) const = 0;
};

// A record for each row, with the key the table asks for; upsert-kafka likewise. Of an update
// stream a record for each key that the rows change: its new value, or none if it has gone.
Result<std::unique_ptr<SinkWriter>> MakeKafkaWriter(const TableDefinition& table,
                                                    const KafkaTable& options,
                                                    size_t sink);

// A line for each row, in the folders of PARTITIONED BY (see PartitionPath), whose columns are not
// written into the rows.
Result<std::unique_ptr<SinkWriter>> MakeFileWriter(const TableDefinition& table,
                                                   const FileTable& options,
                                                   size_t sink);

// "+I[a, b]", as Flink prints rows; in update streams also "-U[…]", "+U[…]" and "-D[…]".
std::unique_ptr<SinkWriter> MakePrintWriter(size_t sink);

// The lines of a table; its header is for the caller to print.
std::unique_ptr<SinkWriter> MakeTableWriter(RowLines lines, size_t sink);

// Takes rows and does nothing.
std::unique_ptr<SinkWriter> MakeBlackholeWriter();

// "carrier=AA/": one folder of a partition, escaped as Hive and Flink do ("a/b" is "a%2Fb"); NULL
// and the empty text are __HIVE_DEFAULT_PARTITION__.
void AppendPartitionFolder(const std::string& column,
                           const Value& value,
                           const DataType& type,
                           std::string& to);
// The reverse for one folder name without its slash; nullopt: not of this column.
std::optional<Value> ReadPartitionFolder(std::string_view folder, const std::string& column);

}  // namespace slipstream::sql
