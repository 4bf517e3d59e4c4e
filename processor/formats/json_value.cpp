#include "processor/formats/json_value.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "common/text/base64.h"
#include "processor/expr/type_rules.h"
#include "processor/formats/json_nested.h"
#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/integer_range.h"
#include "processor/types/number_text.h"
#include "processor/types/utf8.h"

namespace slipstream::sql {
namespace {

namespace ondemand = simdjson::ondemand;
using Type = ondemand::json_type;

constexpr size_t kShownBytes = 64;
// simdjson 3.0.1 misreads numbers below 1 with more than 19 digits behind their point:
// 0.20496502712169650806 becomes 0.0204975…
constexpr size_t kSimdjsonRealBytesMax = 20;

// A scalar as it stands in the record, a string with its quotes.
std::string_view Token(ondemand::value& value) {
  return TrimBlanks(value.raw_json_token());
}

// A string's text: in place if it has no escapes, else unescaped into `arena`.
Result<std::string_view> Text(ondemand::value& value, Arena& arena) {
  const std::string_view token = Token(value);
  if (token.size() < 2 || token.back() != '"') return InvalidArgument("not JSON: open string");
  const std::string_view inside = token.substr(1, token.size() - 2);
  if (std::memchr(inside.data(), '\\', inside.size()) == nullptr) return inside;
  std::string_view unescaped;
  if (const auto error = value.get_string().get(unescaped)) return JsonError(error);
  return arena.Copy(unescaped);
}

Status CannotRead(std::string_view text, const DataType& type) {
  std::string shown(FirstCharacters(text, kShownBytes));
  if (shown.size() < text.size()) shown += "…";
  return InvalidArgument("cannot read '" + shown + "' as " + AsNullable(type).ToString());
}

// The text of a string or the token of a number; an error for anything else.
Result<std::string_view> NumberText(ondemand::value& value,
                                    Type type,
                                    Arena& arena,
                                    const DataType& target) {
  if (type == Type::string) return Text(value, arena);
  if (type == Type::number) return Token(value);
  return CannotRead(type == Type::boolean ? Token(value) : "a nested value", target);
}

Status ReadInteger(ondemand::value& value, Type type, Arena& arena, size_t row, Column& to) {
  int64_t number = 0;
  if (type == Type::number && value.get_int64().get(number) == simdjson::SUCCESS) {
    if (!FitsInteger(number, to.type.kind)) return CannotRead(std::to_string(number), to.type);
    to.ints[row] = number;
    to.valid[row] = 1;
    return {};
  }
  ASSIGN_OR_RETURN(const std::string_view text, NumberText(value, type, arena, to.type));
  std::optional<int64_t> parsed = ParseInteger(text);
  if (!parsed) {
    // "1e3" and "-0.5", which have no plain integer part.
    const std::optional<double> real = ParseDouble(text);
    if (real && *real > -9e18 && *real < 9e18) parsed = static_cast<int64_t>(*real);
  }
  if (!parsed || !FitsInteger(*parsed, to.type.kind)) return CannotRead(text, to.type);
  to.ints[row] = *parsed;
  to.valid[row] = 1;
  return {};
}

Status ReadReal(ondemand::value& value, Type type, Arena& arena, size_t row, Column& to) {
  double number = 0;
  if (type != Type::number || Token(value).size() > kSimdjsonRealBytesMax ||
      value.get_double().get(number) != simdjson::SUCCESS) {
    ASSIGN_OR_RETURN(const std::string_view text, NumberText(value, type, arena, to.type));
    const std::optional<double> parsed = ParseDouble(text);
    if (!parsed) return CannotRead(text, to.type);
    number = *parsed;
  }
  to.doubles[row] =
      to.type.kind == TypeKind::kFloat ? static_cast<double>(static_cast<float>(number)) : number;
  to.valid[row] = 1;
  return {};
}

Status ReadDecimal(ondemand::value& value, Type type, Arena& arena, size_t row, Column& to) {
  ASSIGN_OR_RETURN(const std::string_view text, NumberText(value, type, arena, to.type));
  bool is_number = false;
  const std::optional<Int128> parsed = ParseDecimal(TrimBlanks(text), to.type.scale, &is_number);
  if (!is_number) return CannotRead(text, to.type);
  // A number that does not fit is NULL, as in Flink.
  if (parsed && FitsPrecision(*parsed, to.type.precision)) {
    to.decimals[row] = *parsed;
    to.valid[row] = 1;
  }
  return {};
}

Status ReadBoolean(ondemand::value& value, Type type, Arena& arena, size_t row, Column& to) {
  bool truth = false;
  if (type == Type::boolean) {
    if (const auto error = value.get_bool().get(truth)) return JsonError(error);
  } else {
    ASSIGN_OR_RETURN(const std::string_view text, NumberText(value, type, arena, to.type));
    const std::optional<bool> parsed = ParseBoolean(text);
    if (!parsed) return CannotRead(text, to.type);
    truth = *parsed;
  }
  to.bools[row] = truth ? 1 : 0;
  to.valid[row] = 1;
  return {};
}

// Bytes are base64, as Flink writes them.
Status ReadBytes(ondemand::value& value, Type type, Arena& arena, size_t row, Column& to) {
  if (type != Type::string) return CannotRead(Token(value), to.type);
  ASSIGN_OR_RETURN(const std::string_view text, Text(value, arena));
  const std::optional<std::string> bytes = DecodeBase64(text);
  if (!bytes) return CannotRead(text, to.type);
  to.strings[row] = arena.Copy(*bytes);
  to.valid[row] = 1;
  return {};
}

Status ReadText(ondemand::value& value, Type type, Arena& arena, size_t row, Column& to) {
  std::string_view text;
  if (type == Type::string) {
    ASSIGN_OR_RETURN(text, Text(value, arena));
  } else if (type == Type::object) {
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return JsonError(error);
    if (const auto error = object.raw_json().get(text)) return JsonError(error);
  } else if (type == Type::array) {
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return JsonError(error);
    if (const auto error = array.raw_json().get(text)) return JsonError(error);
  } else {
    text = Token(value);
    double number = 0;
    bool truth = false;
    const auto error =
        type == Type::number ? value.get_double().get(number) : value.get_bool().get(truth);
    // Digits beyond the range of double are a number all the same.
    if (error && !ParseDouble(text)) return JsonError(error);
  }
  to.strings[row] = text;
  to.valid[row] = 1;
  return {};
}

std::optional<int64_t> ParseJsonTimestamp(std::string_view text,
                                          const DataType& type,
                                          const JsonOptions& options) {
  if (type.kind == TypeKind::kTimestampLtz) {
    if (!text.ends_with('Z')) return std::nullopt;
    text.remove_suffix(1);
  }
  constexpr size_t kDateBytes = 10;
  const char separator = options.timestamp_format == JsonOptions::TimestampFormat::kSql ? ' ' : 'T';
  if (text.size() <= kDateBytes || text[kDateBytes] != separator) return std::nullopt;
  const std::optional<int64_t> micros = ParseTimestamp(text);
  if (!micros || type.precision >= 6) return micros;
  // By a constant: divisions by others take as long as the rest.
  if (type.precision == 3) return FloorDivide(*micros, kMicrosPerMilli) * kMicrosPerMilli;
  int64_t unit = kMicrosPerSecond;
  for (int32_t digits = 0; digits < type.precision; ++digits)
    unit /= 10;
  return FloorDivide(*micros, unit) * unit;
}

Status ReadTemporal(ondemand::value& value,
                    Type type,
                    const JsonOptions& options,
                    Arena& arena,
                    size_t row,
                    Column& to) {
  if (type != Type::string) return CannotRead(Token(value), to.type);
  ASSIGN_OR_RETURN(const std::string_view text, Text(value, arena));
  std::optional<int64_t> parsed;
  if (to.type.kind == TypeKind::kDate) {
    parsed = ParseDate(text);
  } else if (to.type.kind == TypeKind::kTime) {
    parsed = ParseTimeOfDay(text);
  } else {
    parsed = ParseJsonTimestamp(text, to.type, options);
  }
  if (!parsed) return CannotRead(text, to.type);
  to.ints[row] = *parsed;
  to.valid[row] = 1;
  return {};
}

}  // namespace

simdjson::error_code FindField(JsonKeys& keys,
                               ondemand::field& field,
                               size_t place,
                               int32_t& found) {
  static_assert(JsonKeys::kReadBytesMax < simdjson::SIMDJSON_PADDING);
  found = keys.Find(field.key().raw(), place);
  if (found != JsonKeys::kEscaped) return simdjson::SUCCESS;
  std::string_view key;
  if (const auto error = field.unescaped_key().get(key)) return error;
  found = keys.FindText(key);
  return simdjson::SUCCESS;
}

Status JsonError(simdjson::error_code error) {
  return InvalidArgument(std::string("not JSON: ") + simdjson::error_message(error));
}

bool IsJsonType(const DataType& type) {
  if (type.children) {
    // The keys of a JSON object are text.
    if (type.kind == TypeKind::kMap && !(*type.children)[0].type.is_string()) return false;
    return std::all_of(type.children->begin(), type.children->end(), [](const Field& field) {
      return IsJsonType(field.type);
    });
  }
  return type.is_numeric() || type.is_string() || type.is_binary() || type.is_temporal() ||
         type.kind == TypeKind::kBoolean;
}

Status ReadJsonValue(ondemand::value& value,
                     JsonShape& shape,
                     const JsonOptions& options,
                     Arena& arena,
                     size_t row,
                     Column& to) {
  Type type{};
  if (const auto error = value.type().get(type)) return JsonError(error);
  if (type == Type::null)
    return Token(value) == "null" ? Status() : JsonError(simdjson::N_ATOM_ERROR);
  switch (shape.physical) {
    case PhysicalKind::kBool:
      return ReadBoolean(value, type, arena, row, to);
    case PhysicalKind::kDouble:
      return ReadReal(value, type, arena, row, to);
    case PhysicalKind::kInt128:
      return ReadDecimal(value, type, arena, row, to);
    case PhysicalKind::kString:
      return to.type.is_binary() ? ReadBytes(value, type, arena, row, to)
                                 : ReadText(value, type, arena, row, to);
    case PhysicalKind::kNested:
      return ReadJsonNested(value, type, shape, options, arena, row, to);
    case PhysicalKind::kInt64:
      break;
  }
  if (to.type.is_integer()) return ReadInteger(value, type, arena, row, to);
  return ReadTemporal(value, type, options, arena, row, to);
}

}  // namespace slipstream::sql
