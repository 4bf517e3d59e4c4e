#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

struct AvroSchema;
using AvroSchemaPtr = std::shared_ptr<const AvroSchema>;  // shared by all that name the type

// AvroSchema: what a value written in Avro's binary encoding looks like (Avro 1.11, "Schema
// Declaration"). Immutable once parsed.
struct AvroSchema {
  enum class Kind : uint8_t {
    kNull,
    kBoolean,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kBytes,
    kString,
    kFixed,
    kEnum,
    kArray,
    kMap,
    kRecord,
    kUnion,
  };
  // Local timestamps are written as the others are.
  enum class Logical : uint8_t {
    kNone,
    kDecimal,
    kDate,
    kTimeMillis,
    kTimeMicros,
    kTimestampMillis,
    kTimestampMicros,
  };

  Kind kind = Kind::kNull;
  Logical logical = Logical::kNone;
  size_t fixed_bytes = 0;  // kFixed
  int32_t scale = 0;       // kDecimal
  size_t depth = 1;        // of nesting
  // kRecord: its fields; kUnion: its branches; kArray: the items, kMap: the values.
  std::vector<AvroSchemaPtr> children;
  std::vector<std::string> names;  // kRecord: of the fields; kEnum: the symbols
};

inline constexpr size_t kAvroSchemaBytesMax = 1 << 20;
inline constexpr size_t kAvroDepthMax = 64;

// Errors: kInvalidArgument: not such JSON, an unknown type, too long, nested too deep;
// kUnimplemented: a record that holds itself.
Result<AvroSchemaPtr> ParseAvroSchema(std::string_view json);

// The schema that Flink derives for a row: columns that may be NULL are unions of null and their
// type, with null as the default; TIMESTAMP of more than 3 digits is in microseconds.
// kUnimplemented: a type that Avro has not.
Result<std::string> AvroSchemaOf(const Schema& fields);

// "long (timestamp-millis)", for messages.
std::string_view NameOf(AvroSchema::Kind kind);

}  // namespace slipstream::sql
