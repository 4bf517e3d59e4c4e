#include "processor/formats/csv_decoder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "processor/formats/column_rows.h"
#include "processor/formats/csv_record.h"
#include "processor/formats/text_value.h"
#include "processor/types/utf8.h"

namespace slipstream::sql {

bool IsCsvType(const DataType& type) {
  if (type.kind != TypeKind::kArray && type.kind != TypeKind::kRow) return IsTextType(type);
  return std::all_of(type.children->begin(), type.children->end(), [](const Field& child) {
    return IsTextType(child.type);
  });
}

Result<std::unique_ptr<CsvDecoder>> CsvDecoder::Create(Schema fields,
                                                       std::vector<size_t> wanted,
                                                       CsvOptions options) {
  for (const size_t field : wanted) {
    if (IsCsvType(fields[field].type)) continue;
    return Unimplemented("column " + fields[field].name + ": reading " +
                         fields[field].type.ToString() + " from CSV is not supported");
  }
  return std::unique_ptr<CsvDecoder>(
      new CsvDecoder(std::move(fields), std::move(wanted), std::move(options)));
}

CsvDecoder::CsvDecoder(Schema fields, std::vector<size_t> wanted, CsvOptions options)
    : fields_(std::move(fields)), wanted_(std::move(wanted)), options_(std::move(options)) {}

DecodedRows CsvDecoder::Decode(std::span<const std::optional<std::string_view>> records) {
  DecodedRows rows;
  for (const size_t field : wanted_)
    rows.batch.columns.emplace_back(fields_[field].type);
  Arena& arena = rows.batch.NewArena();
  for (Column& column : rows.batch.columns)
    MakeRoom(column, records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    if (!records[i] || records[i]->empty()) continue;
    if (options_.allow_comments && records[i]->front() == '#') continue;
    const Status status = DecodeRecord(*records[i], rows.batch, arena);
    if (status.ok()) {
      rows.origins.push_back(static_cast<uint32_t>(i));
      ++rows.batch.rows;
      continue;
    }
    for (Column& column : rows.batch.columns)
      ForgetRow(column, rows.batch.rows);
    if (options_.ignore_parse_errors) {
      ++rows.skipped;
    } else {
      rows.failures.push_back({.record = static_cast<uint32_t>(i), .message = status.message()});
    }
  }
  for (Column& column : rows.batch.columns)
    FinishRows(column, rows.batch.rows);
  return rows;
}

Status CsvDecoder::DecodeRecord(std::string_view record, Batch& batch, Arena& arena) {
  if (record.size() > kRecordBytesMax) return InvalidArgument("record of more than 64 MiB");
  if (!IsValidUtf8(record)) return InvalidArgument("the record is not UTF-8");
  RETURN_IF_ERROR(SplitCsvRecord(arena.Copy(record), options_, arena, texts_));
  const size_t given = texts_.size();
  const bool has_empty_end = given == fields_.size() + 1 && texts_.back().empty();
  const bool is_short = given < fields_.size();
  if (is_short ? !options_.ignore_parse_errors : given > fields_.size() && !has_empty_end) {
    return InvalidArgument("not such a row: " + std::to_string(given) + " fields instead of " +
                           std::to_string(fields_.size()));
  }
  for (size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i] >= given) continue;
    const Status status = ReadField(texts_[wanted_[i]], batch.rows, arena, batch.columns[i]);
    if (!status.ok()) return status.WithContext("field " + fields_[wanted_[i]].name);
  }
  return {};
}

Status CsvDecoder::ReadField(std::string_view field, size_t row, Arena& arena, Column& to) {
  if (to.physical() != PhysicalKind::kNested) return ReadScalar(field, row, arena, to);
  if (options_.null_literal && field == *options_.null_literal) return {};
  if (HasEntries(to)) BeginEntries(to, row);
  const Status status = ReadElements(field, row, arena, to);
  if (HasEntries(to)) EndEntries(to);
  to.valid[row] = 1;
  return status;
}

Status CsvDecoder::ReadElements(std::string_view field, size_t row, Arena& arena, Column& to) {
  if (field.empty() && HasEntries(to)) return {};
  const std::string& delimiter = options_.array_delimiter;
  size_t child = 0;
  for (bool is_last = false; !is_last;) {
    const size_t end = delimiter.empty() ? std::string_view::npos : field.find(delimiter);
    is_last = end == std::string_view::npos;
    const std::string_view element = field.substr(0, end);
    if (!is_last) field.remove_prefix(end + delimiter.size());
    if (HasEntries(to)) {
      const size_t entry = AddEntry(to);
      RETURN_IF_ERROR(ReadScalar(element, entry, arena, to.children[0]));
      continue;
    }
    if (child == to.children.size()) return CannotReadText(field, to.type);
    RETURN_IF_ERROR(ReadScalar(element, row, arena, to.children[child++]));
  }
  const bool is_short = !HasEntries(to) && child < to.children.size();
  return is_short && !options_.ignore_parse_errors ? CannotReadText(field, to.type) : Status();
}

Status CsvDecoder::ReadScalar(std::string_view field, size_t row, Arena& arena, Column& to) const {
  if (options_.null_literal && field == *options_.null_literal) return {};
  Status status = ReadTextValue(field, arena, row, to);
  return options_.ignore_parse_errors ? Status() : status;
}

}  // namespace slipstream::sql
