// Avro: schemas as others write them, values there and back, records of other schemas than the
// table's, and records that are none.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "processor/formats/avro_decoder.h"
#include "processor/formats/avro_encoder.h"
#include "processor/formats/avro_schema.h"
#include "processor/formats/json_decoder.h"
#include "processor/formats/json_encoder.h"
#include "tests/sql/test_schema.h"

namespace slipstream::sql {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

DataType NotNull(DataType type) {
  type.nullable = false;
  return type;
}

// A registry in memory.
class MemoryRegistry final : public SchemaRegistry {
 public:
  Result<AvroSchemaPtr> SchemaOf(int32_t id) override {
    if (is_down) return Unavailable("down");
    const auto found = schemas.find(id);
    if (found == schemas.end()) return NotFound("no such schema");
    return ParseAvroSchema(found->second);
  }
  Result<int32_t> Register(const std::string& subject, const std::string& schema) override {
    subjects[subject] = schema;
    schemas[7] = schema;
    return 7;
  }

  std::map<int32_t, std::string> schemas;
  std::map<std::string, std::string> subjects;
  bool is_down = false;
};

// Rows of JSON as a batch.
Batch RowsOf(const Schema& fields, const std::vector<std::string>& lines) {
  auto decoder = JsonDecoder::Create(fields, {});
  EXPECT_TRUE(decoder.ok());
  const std::vector<std::optional<std::string_view>> records(lines.begin(), lines.end());
  DecodedRows rows = (*decoder)->Decode(records);
  EXPECT_TRUE(rows.failures.empty());
  return std::move(rows.batch);
}

std::vector<std::string> LinesOf(const Schema& fields, const Batch& batch) {
  const JsonEncoder encoder(fields, AllPositions(fields), {});
  std::vector<std::string> lines(batch.rows);
  for (size_t row = 0; row < batch.rows; ++row)
    encoder.Encode(batch, row, lines[row]);
  return lines;
}

std::vector<std::string> Encode(const Schema& fields, const Batch& batch, AvroOptions options) {
  auto encoder = AvroEncoder::Create(fields, AllPositions(fields), options);
  EXPECT_TRUE(encoder.ok());
  std::vector<std::string> records(batch.rows);
  for (size_t row = 0; row < batch.rows; ++row)
    (*encoder)->Encode(batch, row, records[row]);
  return records;
}

DecodedRows Decode(const Schema& fields,
                   const std::vector<std::string>& texts,
                   AvroOptions options) {
  auto decoder = AvroDecoder::Create(fields, AllPositions(fields), std::move(options));
  EXPECT_TRUE(decoder.ok());
  const std::vector<std::optional<std::string_view>> records(texts.begin(), texts.end());
  return (*decoder)->Decode(records);
}

const Schema& AllTypes() {
  static const auto* const kFields = new Schema{
      {"b", DataType::Boolean()},
      {"i", NotNull(DataType::Int())},
      {"l", DataType::BigInt()},
      {"f", DataType{.kind = TypeKind::kFloat}},
      {"d", DataType::Double()},
      {"n", DataType::Decimal(10, 2)},
      {"s", DataType::String()},
      {"day", DataType::Date()},
      {"t", DataType{.kind = TypeKind::kTime, .precision = 0}},
      {"ts", DataType::Timestamp(3)},
      {"us", DataType::Timestamp(6)},
      {"a", NestedType(TypeKind::kArray, {{"element", DataType::Int()}})},
      {"m",
       NestedType(TypeKind::kMap, {{"key", DataType::String()}, {"value", DataType::Double()}})},
      {"r", NestedType(TypeKind::kRow, {{"x", DataType::Int()}, {"y", DataType::String()}})}};
  return *kFields;
}

TEST(AvroTest, RowsComeBack) {
  const std::vector<std::string> lines = {
      R"({"b":true,"i":-5,"l":9223372036854775807,"f":1.5,"d":-0.1,"n":-123.45,"s":"é","day":"2020-02-29","t":"05:15:00","ts":"2013-01-01 05:15:00.123","us":"1969-12-31 23:59:59.999999","a":[1,null,3],"m":{"k":1.5,"z":null},"r":{"x":7,"y":null}})",
      R"({"b":null,"i":0,"l":null,"f":null,"d":null,"n":null,"s":null,"day":null,"t":null,"ts":null,"us":null,"a":null,"m":null,"r":null})",
      R"({"b":false,"i":2147483647,"l":-9223372036854775808,"f":0.0,"d":0.0,"n":1.28,"s":"","day":"0001-01-01","t":"00:00:00","ts":"1969-12-31 23:59:59.999","us":"9999-12-31 23:59:59.999999","a":[],"m":{},"r":{"x":null,"y":""}})"};
  const Batch rows = RowsOf(AllTypes(), lines);

  const DecodedRows plain = Decode(AllTypes(), Encode(AllTypes(), rows, {}), {});
  const AvroOptions framed{.registry = std::make_shared<MemoryRegistry>(), .subject = "t-value"};
  const DecodedRows again = Decode(AllTypes(), Encode(AllTypes(), rows, framed), framed);

  EXPECT_TRUE(plain.failures.empty());
  EXPECT_EQ(LinesOf(AllTypes(), plain.batch), lines);
  EXPECT_EQ(LinesOf(AllTypes(), again.batch), lines);
}

TEST(AvroTest, TheBytesAreThoseOfTheSpecification) {
  const Schema fields = {{"i", NotNull(DataType::Int())},
                         {"s", DataType::String()},
                         {"n", NotNull(DataType::Decimal(10, 2))}};
  const Batch rows = RowsOf(fields, {R"({"i":-64,"s":"foo","n":-1.28})", R"({"i":64,"n":1.28})"});

  const std::vector<std::string> records = Encode(fields, rows, {});

  EXPECT_EQ(records[0], "\x7f\x02\x06"s + "foo" + "\x02\x80"s);
  EXPECT_EQ(records[1], "\x80\x01\x00\x04\x00\x80"s);
}

TEST(AvroTest, TheSchemaIsTheOneFlinkDerives) {
  const Schema fields = {{"id", NotNull(DataType::BigInt())},
                         {"ts", DataType::Timestamp(3)},
                         {"r", NestedType(TypeKind::kRow, {{"x", DataType::Int()}})}};

  const Result<std::string> schema = AvroSchemaOf(fields);

  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(
      *schema,
      R"({"type":"record","name":"record","namespace":"org.apache.flink.avro.generated","fields":[)"
      R"({"name":"id","type":"long"},)"
      R"({"name":"ts","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null},)"
      R"({"name":"r","type":["null",{"type":"record","name":"record_r","fields":[{"name":"x","type":["null","int"],"default":null}]}],"default":null}]})");
}

TEST(AvroTest, AWritersSchemaMayDiffer) {
  auto registry = std::make_shared<MemoryRegistry>();
  // Another order, wider and other types, an enum, a fixed decimal, a field nobody reads, one that
  // is missing ("gone"), and a type that is named twice.
  registry->schemas[1] = R"({"type":"record","name":"User","namespace":"a.b","fields":[
    {"name":"extra","type":{"type":"array","items":{"type":"map","values":"bytes"}}},
    {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["X","Y"]}},
    {"name":"d","type":"int"},
    {"name":"n","type":{"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":4,"scale":1}},
    {"name":"n2","type":["F","null"]},
    {"name":"again","type":["null","a.b.Kind"]}]})";
  const Schema fields = {{"d", DataType::Double()},
                         {"kind", DataType::String()},
                         {"gone", DataType::Int()},
                         {"n", DataType::Decimal(6, 2)},
                         {"again", DataType::String()}};
  // extra: a block of −1 entries with its size, {"k": "v"}, the end; then the rest.
  const std::string record = "\0\0\0\0\1"s + "\x01\x0c\x02\x02k\x02v\0\0"s + "\x02"s + "\x0a"s +
                             "\xff\xf6"s + "\0\0\1"s + "\x02\0"s;

  const DecodedRows rows = Decode(fields, {record}, {.registry = registry});

  ASSERT_TRUE(rows.failures.empty()) << rows.failures[0].message;
  EXPECT_THAT(LinesOf(fields, rows.batch),
              testing::ElementsAre(R"({"d":5.0,"kind":"Y","gone":null,"n":-1.00,"again":"X"})"));
}

TEST(AvroTest, WhatIsNoSuchRecordIsAFailure) {
  auto registry = std::make_shared<MemoryRegistry>();
  registry->schemas[1] = R"({"type":"record","name":"R","fields":[{"name":"i","type":"string"}]})";
  registry->schemas[2] = R"({"type":"record","name":"R","fields":[{"name":"i","type":"long"}]})";
  registry->schemas[3] = R"("long")";
  registry->schemas[4] =
      R"({"type":"record","name":"R","fields":[{"name":"x","type":{"type":"array","items":"null"}}]})";
  const Schema fields = {{"i", DataType::Int()}};
  const std::vector<std::string> records = {"",
                                            "\1\0\0\0\1"s,
                                            "\0\0\0\0\x9"s,
                                            "\0\0\0\0\1\x02x"s,
                                            "\0\0\0\0\2\x80\x80\x80\x80\x80\x01"s,
                                            "\0\0\0\0\2"s,
                                            "\0\0\0\0\3\2"s,
                                            "\0\0\0\0\4\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
                                            "\0\0\0\0\2\2\2"s,
                                            "\0\0\0\0\2\2"s};

  const DecodedRows rows = Decode(fields, records, {.registry = registry});

  EXPECT_EQ(rows.origins, std::vector<uint32_t>{9});
  ASSERT_EQ(rows.failures.size(), 9u);
  EXPECT_THAT(rows.failures[2].message, HasSubstr("schema 9"));
  EXPECT_THAT(rows.failures[3].message, HasSubstr("cannot read an Avro string as INT"));
  EXPECT_THAT(rows.failures[4].message, HasSubstr("as INT"));
  EXPECT_THAT(rows.failures[6].message, HasSubstr("is not a row"));
  EXPECT_THAT(rows.failures[7].message, HasSubstr("too many entries"));
  EXPECT_TRUE(rows.error.ok());
}

TEST(AvroTest, ARegistryThatIsAwayIsNoFaultOfTheRecords) {
  auto registry = std::make_shared<MemoryRegistry>();
  registry->is_down = true;

  const DecodedRows rows =
      Decode({{"i", DataType::Int()}}, {"\0\0\0\0\1\2"s}, {.registry = registry});

  EXPECT_TRUE(rows.failures.empty());
  EXPECT_EQ(rows.error.code(), Code::kUnavailable);
}

TEST(AvroTest, SchemasThatAreNone) {
  std::string deep = R"("int")";
  for (int i = 0; i < 200; ++i)
    deep = R"({"type":"array","items":)" + deep + "}";
  // Each record is twice in the next: small as text, deep as a type.
  std::string chain = R"({"type":"record","name":"R0","fields":[]})";
  for (int i = 1; i < 100; ++i) {
    chain = R"({"type":"record","name":"R)" + std::to_string(i) +
            R"(","fields":[{"name":"a","type":)" + chain + "}]}";
  }
  for (const std::string& text : {""s,
                                  "{}"s,
                                  R"("nosuch")"s,
                                  R"([["null"]])"s,
                                  R"({"type":"record","name":"R"})"s,
                                  R"({"type":"record","fields":[]})"s,
                                  R"({"type":"enum","name":"E","symbols":[1]})"s,
                                  R"({"type":"fixed","name":"F","size":-1})"s,
                                  R"({"type":"map"})"s,
                                  deep,
                                  chain}) {
    EXPECT_EQ(ParseAvroSchema(text).status().code(), Code::kInvalidArgument) << text.substr(0, 80);
  }
  EXPECT_EQ(ParseAvroSchema(
                R"({"type":"record","name":"R","fields":[{"name":"next","type":["null","R"]}]})")
                .status()
                .code(),
            Code::kUnimplemented);
}

}  // namespace
}  // namespace slipstream::sql
