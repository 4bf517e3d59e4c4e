#include "processor/formats/row_decoder.h"

#include "processor/formats/column_rows.h"

namespace slipstream::sql {

DecodedRows RowDecoder::Decode(std::span<const std::optional<std::string_view>> records) {
  DecodedRows rows;
  rows.batch = MakeBatch(columns_);
  Arena& arena = rows.batch.NewArena();
  for (Column& column : rows.batch.columns)
    MakeRoom(column, records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    if (!records[i] || !IsRow(*records[i])) continue;
    const auto record = static_cast<uint32_t>(i);
    const Status status = records[i]->size() > kRecordBytesMax
                              ? InvalidArgument("record of more than 64 MiB")
                              : DecodeRecord(*records[i], rows.batch, arena);
    if (status.ok()) {
      rows.origins.push_back(record);
      ++rows.batch.rows;
      continue;
    }
    for (Column& column : rows.batch.columns)
      ForgetRow(column, rows.batch.rows);
    if (status.code() == Code::kUnavailable) {
      rows.error = status;
      break;
    }
    if (ignore_parse_errors_) {
      ++rows.skipped;
    } else {
      rows.failures.push_back({.record = record, .message = status.message()});
    }
  }
  for (Column& column : rows.batch.columns)
    FinishRows(column, rows.batch.rows);
  return rows;
}

}  // namespace slipstream::sql
