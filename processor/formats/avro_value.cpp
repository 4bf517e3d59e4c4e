#include "processor/formats/avro_value.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "processor/expr/type_rules.h"
#include "processor/formats/column_rows.h"
#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/integer_range.h"
#include "processor/types/number_text.h"
#include "processor/types/utf8.h"

namespace slipstream::sql {
namespace {

using Kind = AvroSchema::Kind;
using Logical = AvroSchema::Logical;

constexpr size_t kLongBytesMax = 10;
constexpr size_t kDecimalBytesMax = 16;

Status NotAvro(const char* why) {
  return InvalidArgument(std::string("not Avro: ") + why);
}

Status CannotRead(const AvroSchema& schema, const Column& to) {
  return InvalidArgument("cannot read an Avro " + std::string(NameOf(schema.kind)) + " as " +
                         AsNullable(to.type).ToString());
}

template <class Number, class Bits>
Number FromLittleEndian(std::string_view bytes) {
  Bits bits = 0;
  for (size_t i = bytes.size(); i-- > 0;)
    bits = static_cast<Bits>((bits << 8) | static_cast<uint8_t>(bytes[i]));
  return std::bit_cast<Number>(bits);
}

// Two's complement, big-endian; at most 16 bytes.
Int128 FromBigEndian(std::string_view bytes) {
  UInt128 bits = !bytes.empty() && (static_cast<uint8_t>(bytes[0]) & 0x80) != 0 ? ~UInt128{0} : 0;
  for (const char byte : bytes)
    bits = (bits << 8) | static_cast<uint8_t>(byte);
  return static_cast<Int128>(bits);
}

// What an int or long says as a cell of a time's type; nullopt: beyond all times.
std::optional<int64_t> AsTime(int64_t value, Logical logical, const DataType& type) {
  const bool is_micros = logical == Logical::kTimeMicros || logical == Logical::kTimestampMicros;
  const bool is_millis = type.kind != TypeKind::kDate && !is_micros;
  int64_t time = value;
  if (is_millis && __builtin_mul_overflow(value, kMicrosPerMilli, &time)) return std::nullopt;
  return FitsColumn(time, type.kind) ? std::optional<int64_t>(time) : std::nullopt;
}

}  // namespace

Status AvroReader::Count() {
  if (values_left_ == 0) return NotAvro("more values than such a record can have");
  --values_left_;
  return {};
}

Result<int64_t> AvroReader::ReadLong() {
  uint64_t bits = 0;
  for (size_t i = 0; i < kLongBytesMax; ++i) {
    if (rest_.empty()) return NotAvro("it ends within a number");
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    bits |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) return static_cast<int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
  }
  return NotAvro("a number of more than 10 bytes");
}

Result<std::string_view> AvroReader::ReadBytes(size_t count) {
  if (count > rest_.size()) return NotAvro("it ends within a value");
  const std::string_view bytes = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return bytes;
}

Result<std::string_view> AvroReader::ReadText() {
  ASSIGN_OR_RETURN(const int64_t length, ReadLong());
  if (length < 0) return NotAvro("a negative length");
  return ReadBytes(static_cast<size_t>(length));
}

Result<const AvroSchema*> AvroReader::ReadBranch(const AvroSchema& schema) {
  ASSIGN_OR_RETURN(const int64_t branch, ReadLong());
  if (branch < 0 || static_cast<size_t>(branch) >= schema.children.size()) {
    return NotAvro("a branch that its union has not");
  }
  return schema.children[static_cast<size_t>(branch)].get();
}

Result<uint64_t> AvroReader::ReadBlock() {
  ASSIGN_OR_RETURN(int64_t count, ReadLong());
  if (count < 0) {
    // Its size in bytes follows, for whoever wants to skip it.
    RETURN_IF_ERROR(ReadLong().status());
    if (count == INT64_MIN) return NotAvro("a block of too many entries");
    count = -count;
  }
  if (static_cast<uint64_t>(count) > values_left_) return NotAvro("a block of too many entries");
  return static_cast<uint64_t>(count);
}

Status AvroReader::Skip(const AvroSchema& schema) {
  RETURN_IF_ERROR(Count());
  switch (schema.kind) {
    case Kind::kNull:
      return {};
    case Kind::kBoolean:
      return ReadBytes(1).status();
    case Kind::kInt:
    case Kind::kLong:
    case Kind::kEnum:
      return ReadLong().status();
    case Kind::kFloat:
      return ReadBytes(sizeof(float)).status();
    case Kind::kDouble:
      return ReadBytes(sizeof(double)).status();
    case Kind::kBytes:
    case Kind::kString:
      return ReadText().status();
    case Kind::kFixed:
      return ReadBytes(schema.fixed_bytes).status();
    case Kind::kUnion: {
      ASSIGN_OR_RETURN(const AvroSchema* const branch, ReadBranch(schema));
      return Skip(*branch);
    }
    case Kind::kRecord:
      for (const AvroSchemaPtr& child : schema.children)
        RETURN_IF_ERROR(Skip(*child));
      return {};
    case Kind::kArray:
    case Kind::kMap:
      break;
  }
  return SkipEntries(schema);
}

Status AvroReader::SkipEntries(const AvroSchema& schema) {
  for (;;) {
    ASSIGN_OR_RETURN(const uint64_t count, ReadBlock());
    if (count == 0) return {};
    for (uint64_t i = 0; i < count; ++i) {
      if (schema.kind == Kind::kMap) RETURN_IF_ERROR(ReadText().status());
      RETURN_IF_ERROR(Skip(*schema.children[0]));
    }
  }
}

Status AvroReader::Read(const AvroSchema& schema, size_t row, Column& to) {
  RETURN_IF_ERROR(Count());
  switch (schema.kind) {
    case Kind::kNull:
      return {};
    case Kind::kUnion: {
      ASSIGN_OR_RETURN(const AvroSchema* const branch, ReadBranch(schema));
      return Read(*branch, row, to);
    }
    case Kind::kBoolean: {
      ASSIGN_OR_RETURN(const std::string_view byte, ReadBytes(1));
      if (to.physical() != PhysicalKind::kBool) return CannotRead(schema, to);
      to.bools[row] = byte[0] != 0 ? 1 : 0;
      to.valid[row] = 1;
      return {};
    }
    case Kind::kInt:
    case Kind::kLong:
      return ReadWhole(schema, row, to);
    case Kind::kFloat:
    case Kind::kDouble:
      return ReadReal(schema, row, to);
    case Kind::kBytes:
    case Kind::kString:
    case Kind::kFixed:
    case Kind::kEnum:
      return ReadString(schema, row, to);
    case Kind::kArray:
    case Kind::kMap:
      return ReadEntries(schema, row, to);
    case Kind::kRecord:
      break;
  }
  return ReadRecord(schema, row, to);
}

Status AvroReader::ReadWhole(const AvroSchema& schema, size_t row, Column& to) {
  ASSIGN_OR_RETURN(const int64_t value, ReadLong());
  const bool is_number = schema.logical == Logical::kNone;
  if (to.type.is_integer()) {
    if (!FitsInteger(value, to.type.kind)) {
      return InvalidArgument("cannot read '" + std::to_string(value) + "' as " +
                             AsNullable(to.type).ToString());
    }
    to.ints[row] = value;
  } else if (to.type.is_temporal()) {
    const std::optional<int64_t> time = AsTime(value, schema.logical, to.type);
    if (!time) return CannotRead(schema, to);
    to.ints[row] = *time;
  } else if (is_number && to.physical() == PhysicalKind::kDouble) {
    to.doubles[row] = static_cast<double>(value);
  } else if (is_number && to.physical() == PhysicalKind::kInt128) {
    const std::optional<Int128> decimal = Rescale(value, 0, to.type.scale);
    if (!decimal || !FitsPrecision(*decimal, to.type.precision)) return {};
    to.decimals[row] = *decimal;
  } else {
    return CannotRead(schema, to);
  }
  to.valid[row] = 1;
  return {};
}

Status AvroReader::ReadReal(const AvroSchema& schema, size_t row, Column& to) {
  double value = 0;
  if (schema.kind == Kind::kFloat) {
    ASSIGN_OR_RETURN(const std::string_view bytes, ReadBytes(sizeof(float)));
    value = static_cast<double>(FromLittleEndian<float, uint32_t>(bytes));
  } else {
    ASSIGN_OR_RETURN(const std::string_view bytes, ReadBytes(sizeof(double)));
    value = FromLittleEndian<double, uint64_t>(bytes);
  }
  if (to.physical() != PhysicalKind::kDouble) return CannotRead(schema, to);
  const bool is_float = to.type.kind == TypeKind::kFloat;
  to.doubles[row] = is_float ? static_cast<double>(static_cast<float>(value)) : value;
  to.valid[row] = 1;
  return {};
}

Status AvroReader::ReadString(const AvroSchema& schema, size_t row, Column& to) {
  std::string_view text;
  if (schema.kind == Kind::kEnum) {
    ASSIGN_OR_RETURN(const int64_t symbol, ReadLong());
    if (symbol < 0 || static_cast<size_t>(symbol) >= schema.names.size()) {
      return NotAvro("a symbol that its enum has not");
    }
    text = arena_.Copy(schema.names[static_cast<size_t>(symbol)]);
  } else if (schema.kind == Kind::kFixed) {
    ASSIGN_OR_RETURN(text, ReadBytes(schema.fixed_bytes));
  } else {
    ASSIGN_OR_RETURN(text, ReadText());
  }
  if (schema.logical == Logical::kDecimal && to.physical() == PhysicalKind::kInt128) {
    if (text.size() > kDecimalBytesMax) return {};  // more than 38 digits: NULL
    const std::optional<Int128> decimal = Rescale(FromBigEndian(text), schema.scale, to.type.scale);
    if (!decimal || !FitsPrecision(*decimal, to.type.precision)) return {};
    to.decimals[row] = *decimal;
    to.valid[row] = 1;
    return {};
  }
  if (to.physical() != PhysicalKind::kString) return CannotRead(schema, to);
  if (to.type.is_string() && !IsValidUtf8(text)) return NotAvro("a text that is not UTF-8");
  to.strings[row] = text;
  to.valid[row] = 1;
  return {};
}

Status AvroReader::ReadEntries(const AvroSchema& schema, size_t row, Column& to) {
  const bool is_map = schema.kind == Kind::kMap;
  if (to.type.kind != (is_map ? TypeKind::kMap : TypeKind::kArray)) return CannotRead(schema, to);
  BeginEntries(to, row);
  to.valid[row] = 1;
  Status status;
  while (status.ok()) {
    const Result<uint64_t> count = ReadBlock();
    status = count.status();
    if (!status.ok() || *count == 0) break;
    for (uint64_t i = 0; i < *count && status.ok(); ++i) {
      const size_t entry = AddEntry(to);
      if (is_map) {
        const Result<std::string_view> key = ReadText();
        status = key.status();
        if (!status.ok()) break;
        if (to.children[0].type.is_string() && !IsValidUtf8(*key)) {
          status = NotAvro("a key that is not UTF-8");
          break;
        }
        to.children[0].strings[entry] = *key;
        to.children[0].valid[entry] = 1;
      }
      status = Read(*schema.children[0], entry, to.children.back());
    }
  }
  EndEntries(to);
  return status;
}

Status AvroReader::ReadRecord(const AvroSchema& schema, size_t row, Column& to) {
  if (to.type.kind != TypeKind::kRow) return CannotRead(schema, to);
  const std::vector<Field>& fields = *to.type.children;
  for (size_t i = 0; i < schema.children.size(); ++i) {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
      return field.name == schema.names[i];
    });
    if (found == fields.end()) {
      RETURN_IF_ERROR(Skip(*schema.children[i]));
      continue;
    }
    Column& child = to.children[static_cast<size_t>(found - fields.begin())];
    if (child.valid[row] != 0) return NotAvro("two fields of one name");
    const Status status = Read(*schema.children[i], row, child);
    if (!status.ok()) return status.WithContext("field " + found->name);
  }
  to.valid[row] = 1;
  return {};
}

// ---- Writing ----

namespace {

void AppendLong(int64_t value, std::string& to) {
  uint64_t bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (bits >= 0x80) {
    to.push_back(static_cast<char>((bits & 0x7F) | 0x80));
    bits >>= 7;
  }
  to.push_back(static_cast<char>(bits));
}

void AppendText(std::string_view text, std::string& to) {
  AppendLong(static_cast<int64_t>(text.size()), to);
  to.append(text);
}

template <class Bits>
void AppendLittleEndian(Bits bits, std::string& to) {
  for (size_t i = 0; i < sizeof(Bits); ++i)
    to.push_back(static_cast<char>((bits >> (8 * i)) & 0xFF));
}

// As few bytes as the number needs.
void AppendDecimal(Int128 value, std::string& to) {
  std::string bytes;
  for (int shift = 120; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>((value >> shift) & 0xFF));
  const char sign = value < 0 ? '\xFF' : '\0';
  size_t first = 0;
  while (first + 1 < bytes.size() && bytes[first] == sign &&
         ((bytes[first + 1] ^ sign) & 0x80) == 0) {
    ++first;
  }
  AppendText(std::string_view(bytes).substr(first), to);
}

void AppendWhole(int64_t value, const DataType& type, std::string& to) {
  const bool is_time = type.kind == TypeKind::kTime || type.is_timestamp();
  AppendLong(is_time && type.precision <= 3 ? FloorDivide(value, kMicrosPerMilli) : value, to);
}

void AppendNested(const Column& column, const DataType& type, size_t row, std::string& to) {
  const std::vector<Field>& children = *type.children;
  if (type.kind == TypeKind::kRow) {
    for (size_t i = 0; i < children.size(); ++i)
      AppendAvroValue(column.children[i], children[i].type, row, to);
    return;
  }
  const uint32_t begin = column.offsets[row];
  const uint32_t end = column.offsets[row + 1];
  if (begin < end) AppendLong(end - begin, to);
  for (uint32_t entry = begin; entry < end; ++entry) {
    if (type.kind == TypeKind::kMap) AppendText(column.children[0].strings[entry], to);
    AppendAvroValue(column.children.back(), children.back().type, entry, to);
  }
  AppendLong(0, to);
}

}  // namespace

void AppendAvroValue(const Column& column, const DataType& type, size_t row, std::string& to) {
  if (type.nullable) {
    AppendLong(column.is_null(row) ? 0 : 1, to);
    if (column.is_null(row)) return;
  }
  switch (column.physical()) {
    case PhysicalKind::kBool:
      to.push_back(column.bools[row] != 0 ? '\1' : '\0');
      break;
    case PhysicalKind::kInt64:
      AppendWhole(column.ints[row], type, to);
      break;
    case PhysicalKind::kDouble:
      if (type.kind == TypeKind::kFloat) {
        AppendLittleEndian(std::bit_cast<uint32_t>(static_cast<float>(column.doubles[row])), to);
      } else {
        AppendLittleEndian(std::bit_cast<uint64_t>(column.doubles[row]), to);
      }
      break;
    case PhysicalKind::kInt128:
      AppendDecimal(column.decimals[row], to);
      break;
    case PhysicalKind::kString:
      AppendText(column.strings[row], to);
      break;
    case PhysicalKind::kNested:
      AppendNested(column, type, row, to);
      break;
  }
}

}  // namespace slipstream::sql
