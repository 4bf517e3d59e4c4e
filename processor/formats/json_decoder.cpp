#include "processor/formats/json_decoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <simdjson.h>

#include "processor/formats/column_rows.h"
#include "processor/formats/json_keys.h"
#include "processor/formats/json_nested.h"
#include "processor/formats/json_value.h"

namespace slipstream::sql {
namespace {

namespace ondemand = simdjson::ondemand;

// RecordBuffer: padded memory for a batch of records.
struct RecordBuffer {
  std::unique_ptr<char[]> bytes;
  size_t capacity = 0;

  void Reserve(size_t size) {
    if (size <= capacity) return;
    capacity = std::max(size, capacity * 2);
    bytes = std::make_unique_for_overwrite<char[]>(capacity);
  }
};

}  // namespace

class JsonDecoder::Implementation {
 public:
  Implementation(Schema fields, JsonOptions options)
      : fields_(std::move(fields)), options_(options), shape_(fields_, PhysicalKind::kNested) {}

  DecodedRows Decode(std::span<const std::optional<std::string_view>> records);

 private:
  Status DecodeRecord(std::string_view record, uint32_t index, DecodedRows& rows);
  Status DecodeArray(ondemand::array array, uint32_t index, DecodedRows& rows);
  Status DecodeObject(ondemand::object object, uint32_t index, DecodedRows& rows);
  // Room for one more row in every column.
  void Grow(Batch& batch);
  void ForgetRows(Batch& batch, size_t first) const;
  std::string_view CopyIn(std::string_view record);

  const Schema fields_;
  const JsonOptions options_;
  JsonShape shape_;

  ondemand::parser parser_;
  std::shared_ptr<RecordBuffer> buffer_;  // shared with the batches decoded into it
  size_t buffer_used_ = 0;
  Arena* arena_ = nullptr;  // of the current batch
  size_t capacity_ = 0;     // rows its columns have room for
};

DecodedRows JsonDecoder::Implementation::Decode(
    std::span<const std::optional<std::string_view>> records) {
  size_t bytes = simdjson::SIMDJSON_PADDING;
  for (const auto& record : records) {
    if (record && record->size() <= kRecordBytesMax) bytes += record->size();
  }
  // The last batch's buffer serves again unless some of its rows are still alive.
  if (!buffer_ || buffer_.use_count() > 1) buffer_ = std::make_shared<RecordBuffer>();
  buffer_->Reserve(bytes);
  std::memset(
      buffer_->bytes.get() + bytes - simdjson::SIMDJSON_PADDING, ' ', simdjson::SIMDJSON_PADDING);
  buffer_used_ = 0;

  DecodedRows rows;
  rows.batch = MakeBatch(fields_);
  rows.batch.keep_alive.push_back(buffer_);
  arena_ = &rows.batch.NewArena();
  capacity_ = 0;
  rows.origins.reserve(records.size());
  for (Column& column : rows.batch.columns)
    MakeRoom(column, records.size());
  capacity_ = records.size();

  for (size_t i = 0; i < records.size(); ++i) {
    if (!records[i] || records[i]->empty()) continue;
    const auto index = static_cast<uint32_t>(i);
    const size_t first_row = rows.batch.rows;
    Status status = records[i]->size() > kRecordBytesMax
                        ? InvalidArgument("record of more than 64 MiB")
                        : DecodeRecord(CopyIn(*records[i]), index, rows);
    if (status.ok()) continue;
    ForgetRows(rows.batch, first_row);
    rows.origins.resize(first_row);
    if (options_.ignore_parse_errors) {
      ++rows.skipped;
    } else {
      rows.failures.push_back({.record = index, .message = status.message()});
    }
  }
  for (Column& column : rows.batch.columns)
    FinishRows(column, rows.batch.rows);
  return rows;
}

std::string_view JsonDecoder::Implementation::CopyIn(std::string_view record) {
  char* place = buffer_->bytes.get() + buffer_used_;
  std::memcpy(place, record.data(), record.size());
  buffer_used_ += record.size();
  return {place, record.size()};
}

void JsonDecoder::Implementation::Grow(Batch& batch) {
  if (batch.rows < capacity_) return;
  capacity_ = capacity_ * 2 + 1;
  for (Column& column : batch.columns)
    MakeRoom(column, capacity_);
}

void JsonDecoder::Implementation::ForgetRows(Batch& batch, size_t first) const {
  // The row that failed is not counted yet; it has values all the same.
  const size_t end = std::min(batch.rows + 1, capacity_);
  for (Column& column : batch.columns) {
    for (size_t row = first; row < end; ++row)
      ForgetRow(column, row);
  }
  batch.rows = first;
}

Status JsonDecoder::Implementation::DecodeRecord(std::string_view record,
                                                 uint32_t index,
                                                 DecodedRows& rows) {
  // The bytes behind the record are the next one's place or the buffer's padding.
  const simdjson::padded_string_view padded(
      record.data(), record.size(), record.size() + simdjson::SIMDJSON_PADDING);
  ondemand::document document;
  if (const simdjson::error_code error = parser_.iterate(padded).get(document)) {
    if (error == simdjson::EMPTY) return {};
    return InvalidArgument(std::string("not JSON: ") + simdjson::error_message(error));
  }
  ondemand::json_type type{};
  if (const auto error = document.type().get(type)) return JsonError(error);
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (const auto error = document.get_object().get(object)) return JsonError(error);
    RETURN_IF_ERROR(DecodeObject(object, index, rows));
  } else if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (const auto error = document.get_array().get(array)) return JsonError(error);
    RETURN_IF_ERROR(DecodeArray(array, index, rows));
  } else {
    return InvalidArgument("neither a JSON object nor an array of them");
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return InvalidArgument("not JSON: more text behind the value");
  }
  return {};
}

Status JsonDecoder::Implementation::DecodeArray(ondemand::array array,
                                                uint32_t index,
                                                DecodedRows& rows) {
  for (auto element : array) {
    ondemand::object object;
    if (const auto error = element.get_object().get(object)) {
      return error == simdjson::INCORRECT_TYPE
                 ? InvalidArgument("an array whose elements are not objects")
                 : JsonError(error);
    }
    RETURN_IF_ERROR(DecodeObject(object, index, rows));
  }
  return {};
}

Status JsonDecoder::Implementation::DecodeObject(ondemand::object object,
                                                 uint32_t index,
                                                 DecodedRows& rows) {
  Grow(rows.batch);
  RETURN_IF_ERROR(ReadJsonFields(
      object, fields_, shape_, options_, *arena_, rows.batch.rows, rows.batch.columns));
  rows.origins.push_back(index);
  ++rows.batch.rows;
  return {};
}

Result<std::unique_ptr<JsonDecoder>> JsonDecoder::Create(Schema fields, JsonOptions options) {
  for (const Field& field : fields) {
    if (!IsJsonType(field.type)) {
      return Unimplemented("column " + field.name + ": reading " + field.type.ToString() +
                           " from JSON is not supported yet");
    }
  }
  return std::unique_ptr<JsonDecoder>(
      new JsonDecoder(std::make_unique<Implementation>(std::move(fields), options)));
}

JsonDecoder::JsonDecoder(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}

JsonDecoder::~JsonDecoder() = default;

DecodedRows JsonDecoder::Decode(std::span<const std::optional<std::string_view>> records) {
  return implementation_->Decode(records);
}

}  // namespace slipstream::sql
