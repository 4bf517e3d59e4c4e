#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/columns/batch.h"
#include "processor/planner/plan.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// METADATA columns of Kafka tables: what a record carries besides key and value. All can be read:
// topic, partition, offset, timestamp, timestamp-type, headers. 'timestamp' and 'headers' can be
// written, where the column is not VIRTUAL.
// Errors: kInvalidArgument (a type that does not fit, an unknown key), kUnimplemented
// ('leader-epoch', which librdkafka does not tell).
Status CheckReadable(const TableDefinition& table, const TableDefinition::MetadataColumn& metadata);
Status CheckWritable(const TableDefinition& table, const TableDefinition::MetadataColumn& metadata);

// Where records come from.
struct RecordPartition {
  std::string_view topic;
  int32_t partition = 0;
};

// Appends the metadata of the records at `origins` to `batch`, as a column of the type.
void AppendMetadata(const TableDefinition::MetadataColumn& metadata,
                    const DataType& type,
                    const RecordPartition& from,
                    std::span<const runtime::InputRecord> records,
                    const std::vector<uint32_t>& origins,
                    Batch& batch);

}  // namespace slipstream::sql
