#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/check/check.h"
#include "processor/formats/avro_decoder.h"
#include "processor/formats/avro_encoder.h"
#include "processor/formats/avro_schema.h"
#include "processor/types/data_type.h"
#include "tests/fuzz/target.h"
#include "tests/sql/test_schema.h"

// A schema and a record of it, framed by a registry that knows the schema, and the same bytes as a
// record of the table's own schema. A record gives the same alone and twice; a row that is written
// is read, and written again is the same bytes.

namespace slipstream::fuzz {
namespace {

using sql::AllPositions;
using sql::AvroDecoder;
using sql::AvroEncoder;
using sql::AvroOptions;
using sql::AvroSchemaPtr;
using sql::DataType;
using sql::DecodedRows;
using sql::NestedType;
using sql::Schema;

const Schema& Fields() {
  static const auto* const kFields = new Schema{
      {"a", DataType::Int()},
      {"b", DataType::String()},
      {"c", DataType::Decimal(10, 2)},
      {"d", DataType::Timestamp(3)},
      {"e", NestedType(sql::TypeKind::kArray, {{"element", DataType::Double()}})},
      {"f",
       NestedType(sql::TypeKind::kMap,
                  {{"key", DataType::String()}, {"value", DataType::BigInt()}})},
      {"g",
       NestedType(sql::TypeKind::kRow, {{"x", DataType::Boolean()}, {"y", DataType::Date()}})}};
  return *kFields;
}

class OneSchema final : public sql::SchemaRegistry {
 public:
  explicit OneSchema(std::string schema) : schema_(std::move(schema)) {}
  Result<AvroSchemaPtr> SchemaOf(int32_t) override { return sql::ParseAvroSchema(schema_); }
  Result<int32_t> Register(const std::string&, const std::string&) override { return 1; }

 private:
  const std::string schema_;
};

std::vector<std::string> Again(const DecodedRows& rows) {
  const auto encoder = AvroEncoder::Create(Fields(), AllPositions(Fields()), {});
  SLIPSTREAM_CHECK(encoder.ok(), "{}", encoder.status().ToString());
  std::vector<std::string> records(rows.batch.rows);
  for (size_t row = 0; row < rows.batch.rows; ++row)
    (*encoder)->Encode(rows.batch, row, records[row]);
  return records;
}

DecodedRows Decode(std::string_view record, const AvroOptions& options) {
  auto decoder = AvroDecoder::Create(Fields(), AllPositions(Fields()), options);
  SLIPSTREAM_CHECK(decoder.ok(), "{}", decoder.status().ToString());
  const std::vector<std::optional<std::string_view>> records = {record, std::nullopt, record};
  return (*decoder)->Decode(records);
}

void Check(std::string_view record, const AvroOptions& options) {
  const DecodedRows rows = Decode(record, options);
  SLIPSTREAM_CHECK(rows.batch.rows + rows.failures.size() == 2, "{} rows", rows.batch.rows);
  const std::vector<std::string> written = Again(rows);
  if (written.empty()) {
    SLIPSTREAM_CHECK(rows.failures[0].message == rows.failures[1].message, "other failures");
    return;
  }
  SLIPSTREAM_CHECK(written[0] == written[1], "other rows");
  const DecodedRows again = Decode(written[0], {});
  SLIPSTREAM_CHECK(again.failures.empty(), "{}", again.failures[0].message);
  SLIPSTREAM_CHECK(Again(again).at(0) == written[0], "other bytes");
}

// The schema's text, a zero byte, the record.
void Run(std::string_view input) {
  const size_t end = input.find('\0');
  const std::string schema(input.substr(0, end));
  const std::string_view record =
      end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  Check(record, {});
  if (!sql::ParseAvroSchema(schema).ok()) return;
  const std::string framed = std::string("\0\0\0\0\1", 5) + std::string(record);
  Check(framed, {.registry = std::make_shared<OneSchema>(schema)});
}

std::vector<std::string> Seeds() {
  const std::string none(1, '\0');
  const Result<std::string> own = sql::AvroSchemaOf(Fields());
  SLIPSTREAM_CHECK(own.ok(), "{}", own.status().ToString());
  const std::string row(
      "\2\x7f\2\6foo\2\2\x80\2\2\2\2\2\0\0\0\0\0\0\xf0\x3f\0\2\2\2k\2\5\0\2\2\1\2\1", 36);
  return {
      *own + none + row,
      none + row,
      R"({"type":"record","name":"R","namespace":"n","fields":[{"name":"b","type":{"type":"enum","name":"E","symbols":["X","Y"]}},{"name":"x","type":["null","E",{"type":"fixed","name":"F","size":2}]},{"name":"a","type":"long"}]})" +
          none + std::string("\2\4ab\2", 5),
      R"({"type":"record","name":"R","fields":[{"name":"e","type":{"type":"array","items":["null","float"]}},{"name":"f","type":{"type":"map","values":"int"}}]})" +
          none + std::string("\3\2\0\0\1\0\2\2k\2\0", 11),
      R"({"type":"record","name":"R","fields":[{"name":"z","type":{"type":"array","items":"null"}}]})" +
          none + std::string("\xfe\xff\x07\0", 4)};
}

}  // namespace

const Target kAvroRecords{.name = "avro_records", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
