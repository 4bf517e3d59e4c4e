#include "processor/engine/record_metadata.h"

#include <algorithm>
#include <string>

#include "processor/types/date_time.h"
#include "processor/types/utf8.h"

namespace slipstream::sql {
namespace {

bool IsText(const DataType& type) {
  return type.is_string() || type.is_binary();
}

Status CheckType(const TableDefinition& table, const TableDefinition::MetadataColumn& metadata) {
  const DataType& type = table.schema[metadata.column].type;
  bool fits = false;
  if (metadata.key == "topic" || metadata.key == "timestamp-type") {
    fits = type.is_string();
  } else if (metadata.key == "partition" || metadata.key == "offset") {
    fits = type.is_integer();
  } else if (metadata.key == "timestamp") {
    fits = type.is_timestamp();
  } else if (metadata.key == "headers") {
    fits = type.kind == TypeKind::kMap && IsText((*type.children)[0].type) &&
           IsText((*type.children)[1].type);
  } else if (metadata.key == "leader-epoch") {
    return Unimplemented("table " + table.name +
                         ": the metadata 'leader-epoch' is not supported: librdkafka 2.0 does not "
                         "tell it");
  } else {
    return InvalidArgument("table " + table.name + ": no metadata '" + metadata.key +
                           "'; there are topic, partition, offset, timestamp, timestamp-type and "
                           "headers");
  }
  if (fits) return {};
  return InvalidArgument("table " + table.name + ": the metadata '" + metadata.key +
                         "' does not fit " + type.ToString());
}

void AppendText(std::string_view text, Arena& arena, Column& to) {
  if (to.type.is_string() && !IsValidUtf8(text)) {
    to.AppendNull();
    return;
  }
  if (to.has_nulls()) to.valid.push_back(1);
  to.strings.push_back(arena.Copy(text));
}

// Of headers with one name the last counts, as in Flink's maps.
void AppendHeaders(std::span<const runtime::Header> headers, Arena& arena, Column& to) {
  for (size_t i = 0; i < headers.size(); ++i) {
    const bool comes_again =
        std::any_of(headers.begin() + static_cast<ptrdiff_t>(i) + 1,
                    headers.end(),
                    [&](const runtime::Header& later) { return later.name == headers[i].name; });
    if (comes_again) continue;
    AppendText(headers[i].name, arena, to.children[0]);
    AppendText(headers[i].value, arena, to.children[1]);
  }
  to.offsets.push_back(static_cast<uint32_t>(to.children[0].size()));
}

std::string_view NameOf(runtime::InputRecord::TimestampType type) {
  switch (type) {
    case runtime::InputRecord::TimestampType::kCreateTime:
      return "CreateTime";
    case runtime::InputRecord::TimestampType::kLogAppendTime:
      return "LogAppendTime";
    case runtime::InputRecord::TimestampType::kNone:
      break;
  }
  return "NoTimestampType";
}

}  // namespace

Status CheckReadable(const TableDefinition& table,
                     const TableDefinition::MetadataColumn& metadata) {
  return CheckType(table, metadata);
}

Status CheckWritable(const TableDefinition& table,
                     const TableDefinition::MetadataColumn& metadata) {
  RETURN_IF_ERROR(CheckType(table, metadata));
  if (metadata.key == "timestamp" || metadata.key == "headers") return {};
  return InvalidArgument("table " + table.name + ": the metadata '" + metadata.key +
                         "' cannot be written; declare the column " +
                         table.schema[metadata.column].name + " VIRTUAL");
}

void AppendMetadata(const TableDefinition::MetadataColumn& metadata,
                    const DataType& type,
                    const RecordPartition& from,
                    std::span<const runtime::InputRecord> records,
                    const std::vector<uint32_t>& origins,
                    Batch& batch) {
  Arena& arena = batch.NewArena();
  Column& column = batch.columns.emplace_back(type);
  column.Reserve(origins.size());
  if (metadata.key == "topic") {
    column.strings.assign(origins.size(), arena.Copy(from.topic));
  } else if (metadata.key == "partition") {
    column.ints.assign(origins.size(), from.partition);
  } else if (metadata.key == "timestamp-type") {
    for (uint32_t origin : origins)
      column.strings.push_back(NameOf(records[origin].timestamp_type));
  } else if (metadata.key == "headers") {
    column.offsets.push_back(0);
    for (uint32_t origin : origins)
      AppendHeaders(records[origin].headers, arena, column);
  } else {
    const bool is_offset = metadata.key == "offset";
    for (uint32_t origin : origins) {
      const runtime::InputRecord& record = records[origin];
      column.ints.push_back(is_offset ? record.offset : record.timestamp_ms * kMicrosPerMilli);
    }
  }
}

}  // namespace slipstream::sql
