#include "processor/formats/raw_decoder.h"

#include "processor/types/utf8.h"

namespace slipstream::sql {

Result<std::unique_ptr<RawDecoder>> RawDecoder::Create(Schema fields) {
  if (fields.size() > 1) return InvalidArgument("'format' = 'raw' is for one column");
  for (const Field& field : fields) {
    if (field.type.is_string() || field.type.is_binary()) continue;
    return Unimplemented("column " + field.name + ": reading " + field.type.ToString() +
                         " as 'raw' is not supported yet; STRING and BYTES are");
  }
  return std::unique_ptr<RawDecoder>(new RawDecoder(std::move(fields)));
}

DecodedRows RawDecoder::Decode(std::span<const std::optional<std::string_view>> records) {
  DecodedRows rows;
  rows.batch = MakeBatch(fields_);
  Arena& arena = rows.batch.NewArena();
  for (size_t i = 0; i < records.size(); ++i) {
    const auto& record = records[i];
    if (!fields_.empty()) {
      Column& column = rows.batch.columns.front();
      if (record && column.type.is_string() && !IsValidUtf8(*record)) {
        rows.failures.push_back(
            {.record = static_cast<uint32_t>(i), .message = "the record is not UTF-8"});
        continue;
      }
      if (record) {
        if (column.has_nulls()) column.valid.push_back(1);
        column.strings.push_back(arena.Copy(*record));
      } else {
        column.AppendNull();
      }
    }
    rows.origins.push_back(static_cast<uint32_t>(i));
    ++rows.batch.rows;
  }
  return rows;
}

}  // namespace slipstream::sql
