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

Result<std::unique_ptr<CsvDecoder>> CsvDecoder::Create(const Schema& fields,
                                                       std::vector<size_t> wanted,
                                                       CsvOptions options) {
  Schema columns;
  for (const size_t field : wanted) {
    if (!IsCsvType(fields[field].type)) {
      return Unimplemented("column " + fields[field].name + ": reading " +
                           fields[field].type.ToString() + " from CSV is not supported");
    }
    columns.push_back(fields[field]);
  }
  return std::unique_ptr<CsvDecoder>(
      new CsvDecoder(std::move(columns), fields.size(), std::move(wanted), std::move(options)));
}

CsvDecoder::CsvDecoder(Schema columns,
                       size_t field_count,
                       std::vector<size_t> wanted,
                       CsvOptions options)
    : RowDecoder(std::move(columns), options.ignore_parse_errors),
      field_count_(field_count),
      wanted_(std::move(wanted)),
      options_(std::move(options)) {}

bool CsvDecoder::IsRow(std::string_view record) const {
  return !record.empty() && !(options_.allow_comments && record.front() == '#');
}

Status CsvDecoder::DecodeRecord(std::string_view record, Batch& batch, Arena& arena) {
  if (!IsValidUtf8(record)) return InvalidArgument("the record is not UTF-8");
  RETURN_IF_ERROR(SplitCsvRecord(arena.Copy(record), options_, arena, texts_));
  const size_t given = texts_.size();
  const bool has_empty_end = given == field_count_ + 1 && texts_.back().empty();
  const bool is_short = given < field_count_;
  if (is_short ? !options_.ignore_parse_errors : given > field_count_ && !has_empty_end) {
    return InvalidArgument("not such a row: " + std::to_string(given) + " fields instead of " +
                           std::to_string(field_count_));
  }
  for (size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i] >= given) continue;
    const Status status = ReadField(texts_[wanted_[i]], batch.rows, arena, batch.columns[i]);
    if (!status.ok()) return status.WithContext("field " + columns()[i].name);
  }
  return {};
}

Status CsvDecoder::ReadField(std::string_view field, size_t row, Arena& arena, Column& to) {
  if (to.physical() != PhysicalKind::kNested) return ReadScalar(field, row, arena, to);
  if (options_.null_literal && field == *options_.null_literal) return {};
  if (HasEntries(to)) BeginEntries(to, row);
  Status status = ReadElements(field, row, arena, to);
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
