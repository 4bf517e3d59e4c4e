#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace slipstream::sql {

__extension__ typedef __int128 Int128;  // NOLINT(modernize-use-using): see decimal.h

// The types of the SQL dialect, with Flink's names and ranges.
enum class TypeKind : uint8_t {
  kNull,  // of the literal NULL alone; every other type can hold NULL too
  kBoolean,
  kTinyInt,
  kSmallInt,
  kInt,
  kBigInt,
  kFloat,
  kDouble,
  kDecimal,  // precision 1..38, scale 0..precision
  kChar,     // precision = length
  kVarchar,  // precision = greatest length; STRING is VARCHAR(2147483647)
  kBinary,
  kVarbinary,  // BYTES is VARBINARY(2147483647)
  kDate,
  kTime,
  kTimestamp,        // without zone; precision 0..6 digits of a second (7..9 are refused)
  kTimestampLtz,     // an instant
  kIntervalDayTime,  // a literal's or difference's duration
  kIntervalYearMonth,
  kArray,  // children[0]: element
  kMap,    // children[0]: key, children[1]: value
  kRow,    // children: fields, named
};

struct Field;

// DataType: a type with its parameters. A small value; children are shared and immutable.
struct DataType {
  TypeKind kind = TypeKind::kNull;
  int32_t precision = 0;
  int32_t scale = 0;
  bool nullable = true;
  std::shared_ptr<const std::vector<Field>> children;  // shared by copies of the type

  static DataType Boolean() { return {.kind = TypeKind::kBoolean}; }
  static DataType Int() { return {.kind = TypeKind::kInt}; }
  static DataType BigInt() { return {.kind = TypeKind::kBigInt}; }
  static DataType Double() { return {.kind = TypeKind::kDouble}; }
  static DataType Decimal(int32_t precision, int32_t scale) {
    return {.kind = TypeKind::kDecimal, .precision = precision, .scale = scale};
  }
  static DataType String() { return {.kind = TypeKind::kVarchar, .precision = INT32_MAX}; }
  static DataType Date() { return {.kind = TypeKind::kDate}; }
  static DataType Timestamp(int32_t precision = 3) {
    return {.kind = TypeKind::kTimestamp, .precision = precision};
  }
  static DataType TimestampLtz(int32_t precision = 3) {
    return {.kind = TypeKind::kTimestampLtz, .precision = precision};
  }

  // As it is written in SQL: "DECIMAL(10, 2)", "ROW<a INT, b STRING>", "INT NOT NULL".
  std::string ToString() const;

  bool is_integer() const { return kind >= TypeKind::kTinyInt && kind <= TypeKind::kBigInt; }
  bool is_approximate() const { return kind == TypeKind::kFloat || kind == TypeKind::kDouble; }
  bool is_numeric() const { return is_integer() || is_approximate() || kind == TypeKind::kDecimal; }
  bool is_string() const { return kind == TypeKind::kChar || kind == TypeKind::kVarchar; }
  bool is_binary() const { return kind == TypeKind::kBinary || kind == TypeKind::kVarbinary; }
  bool is_timestamp() const {
    return kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampLtz;
  }
  bool is_temporal() const {
    return is_timestamp() || kind == TypeKind::kDate || kind == TypeKind::kTime;
  }
};

// Equal in kind, parameters and children; nullability counts.
bool operator==(const DataType& a, const DataType& b);

struct Field {
  std::string name;
  DataType type;

  friend bool operator==(const Field&, const Field&) = default;
};

// The columns of a table, a batch or a plan node's output, in order. Names may repeat in
// intermediate results; a table's never do.
using Schema = std::vector<Field>;

// How values of a type are held in columns and literals.
enum class PhysicalKind : uint8_t {
  kBool,    // uint8_t, 0 or 1
  kInt64,   // every integer; DATE: days since 1970-01-01; TIME: microseconds since midnight;
            // TIMESTAMP and TIMESTAMP_LTZ: microseconds since 1970-01-01 00:00 (UTC for LTZ);
            // INTERVAL day to second: microseconds, year to month: months
  kDouble,  // FLOAT (rounded to float) and DOUBLE
  kInt128,  // DECIMAL: the unscaled value
  kString,  // std::string_view: CHAR, VARCHAR (UTF-8), BINARY, VARBINARY
  kNested,  // ARRAY, MAP, ROW
};

PhysicalKind PhysicalKindOf(TypeKind kind);

}  // namespace slipstream::sql
