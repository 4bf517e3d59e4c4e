#include <algorithm>

#include "processor/expr/date_pattern.h"
#include "processor/expr/function_table.h"
#include "processor/expr/time_unit.h"
#include "processor/expr/type_rules.h"
#include "processor/types/date_time.h"
#include "processor/types/number_text.h"
#include "processor/types/time_zone.h"

// Functions of dates and times. A TIMESTAMP_LTZ is shown and taken apart as in UTC; the planner
// writes other zones into the expression.

namespace slipstream::sql {
namespace {

using Param = FunctionTable::Param;
using Signature = ScalarFunction::Signature;
using Args = std::span<const ExpressionPtr>;

constexpr std::string_view kDefaultPattern = "yyyy-MM-dd HH:mm:ss";

// The unit that a literal names; nullopt: it is none.
std::optional<TimeUnit> UnitOf(const Expression& arg) {
  const auto* name = std::get_if<std::string>(&arg.literal);
  if (arg.kind != Expression::Kind::kLiteral || name == nullptr) return std::nullopt;
  return ParseTimeUnit(*name);
}

TimeUnit UnitOf(const Operand& operand) {
  // Bind has seen a literal there.
  return ParseTimeUnit(operand.string_at(0)).value_or(TimeUnit::kSecond);
}

// The value of a timestamp, date or time argument in microseconds.
int64_t MicrosAt(const Operand& operand, size_t row) {
  const int64_t value = operand.int_at(row);
  return operand.column->type.kind == TypeKind::kDate ? value * kMicrosPerDay : value;
}

// ---- Patterns ----

// PatternCache: the parsed pattern of the row; a constant one is parsed once a batch.
class PatternCache {
 public:
  // nullptr: the pattern is bad, and the row has failed.
  const DatePattern* Get(const KernelCall& call, std::string_view pattern, size_t row) {
    if (!pattern_ || pattern != text_) {
      text_ = pattern;
      pattern_.reset();
      Result<DatePattern> parsed = DatePattern::Parse(pattern);
      if (!parsed.ok()) {
        call.errors.Add(row, parsed.error().message());
        return nullptr;
      }
      pattern_ = *std::move(parsed);
    }
    return &*pattern_;
  }

 private:
  std::string_view text_;
  std::optional<DatePattern> pattern_;
};

// Text, with a pattern or in SQL's form, as a timestamp; what does not parse is NULL, as in Flink.
template <class Store>
void ReadTimestamps(const KernelCall& call, Column& out, Store store) {
  PatternCache cache;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    std::string_view text = call.args[0].string_at(row);
    std::optional<int64_t> micros;
    if (call.args.size() < 2) {
      micros = ParseTimestamp(TrimBlanks(text));
    } else if (const DatePattern* pattern = cache.Get(call, call.args[1].string_at(row), row)) {
      micros = pattern->Read(text);
    }
    if (micros) {
      out.ints[row] = store(*micros);
    } else {
      out.SetNull(row);
    }
  }
}

void ToTimestampKernel(const KernelCall& call, Column& out) {
  ReadTimestamps(call, out, [](int64_t micros) {
    return FloorDivide(micros, kMicrosPerMilli) * kMicrosPerMilli;  // the result is TIMESTAMP(3)
  });
}

// TO_TIMESTAMP_LTZ(text, pattern, zone): the instant at which clocks in the zone show the time.
void ReadInZoneKernel(const KernelCall& call, Column& out) {
  ToTimestampKernel(call, out);
  TimeZonePtr zone;
  std::string_view name;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    if (zone == nullptr || name != call.args[2].string_at(row)) {
      name = call.args[2].string_at(row);
      zone = TimeZone::Find(name);
    }
    if (zone != nullptr) {
      out.ints[row] = zone->ToInstant(out.ints[row]);
    } else {
      out.SetNull(row);
      call.errors.Add(row, "no time zone '" + std::string(name) + "'");
    }
  }
}

void ToDateKernel(const KernelCall& call, Column& out) {
  ReadTimestamps(call, out, [](int64_t micros) { return FloorDivide(micros, kMicrosPerDay); });
}

// What does not parse is the least number of all, as in Flink.
void UnixTimestampKernel(const KernelCall& call, Column& out) {
  std::vector<uint8_t> had_text(call.rows);
  for (size_t row = 0; row < call.rows; ++row)
    had_text[row] = out.is_null(row) ? 0 : 1;
  ReadTimestamps(call, out, [](int64_t micros) { return FloorDivide(micros, kMicrosPerSecond); });
  for (size_t row = 0; row < call.rows; ++row) {
    if (had_text[row] == 0 || !out.is_null(row)) continue;
    out.valid[row] = 1;
    out.ints[row] = INT64_MIN;
  }
}

void FormatInto(
    const KernelCall& call, PatternCache& cache, int64_t micros, size_t row, Column& out) {
  const std::string_view text =
      call.args.size() > 1 ? call.args[1].string_at(row) : kDefaultPattern;
  const DatePattern* pattern = cache.Get(call, text, row);
  if (pattern == nullptr) {
    out.SetNull(row);
    return;
  }
  std::string formatted;
  pattern->Format(micros, formatted);
  out.strings[row] = call.arena.Copy(formatted);
}

void DateFormatKernel(const KernelCall& call, Column& out) {
  PatternCache cache;
  for (size_t row = 0; row < call.rows; ++row) {
    if (!out.is_null(row)) FormatInto(call, cache, MicrosAt(call.args[0], row), row, out);
  }
}

void DateFormatTextKernel(const KernelCall& call, Column& out) {
  PatternCache cache;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::optional<int64_t> micros = ParseTimestamp(TrimBlanks(call.args[0].string_at(row)));
    if (micros) {
      FormatInto(call, cache, *micros, row, out);
    } else {
      out.SetNull(row);
    }
  }
}

void FromUnixTimeKernel(const KernelCall& call, Column& out) {
  constexpr int64_t kSecondsMax = INT64_MAX / kMicrosPerSecond;
  PatternCache cache;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int64_t seconds = call.args[0].int_at(row);
    if (seconds > kSecondsMax || seconds < -kSecondsMax) {
      out.SetNull(row);
    } else {
      FormatInto(call, cache, seconds * kMicrosPerSecond, row, out);
    }
  }
}

// TO_TIMESTAMP_LTZ(number[, 0 for seconds or 3 for milliseconds]).
void ToTimestampLtzKernel(const KernelCall& call, Column& out) {
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int64_t precision = call.args.size() > 1 ? call.args[1].int_at(row) : 3;
    if (precision != 0 && precision != 3) {
      out.SetNull(row);
      call.errors.Add(row, "the precision of TO_TIMESTAMP_LTZ is 0 or 3");
      continue;
    }
    const int64_t unit = precision == 0 ? kMicrosPerSecond : kMicrosPerMilli;
    if (__builtin_mul_overflow(call.args[0].int_at(row), unit, &out.ints[row])) out.SetNull(row);
  }
}

// ---- Periods ----

// OVERLAPS(begin, end or length, begin, end or length): whether two periods have a moment in
// common, their ends counted in. A period may be given end first.
void OverlapsKernel(const KernelCall& call, Column& out) {
  const auto period = [&](size_t first, size_t row) {
    const Operand& last = call.args[first + 1];
    const int64_t begin = MicrosAt(call.args[first], row);
    int64_t end = MicrosAt(last, row);
    const TypeKind kind = last.column->type.kind;
    const bool is_months = kind == TypeKind::kIntervalYearMonth;
    if (is_months || kind == TypeKind::kIntervalDayTime) {
      const TimeUnit unit = is_months ? TimeUnit::kMonth : TimeUnit::kMicrosecond;
      end = AddUnits(unit, end, begin).value_or(end < 0 ? INT64_MIN : INT64_MAX);
      const bool is_time = call.args[first].column->type.kind == TypeKind::kTime;
      if (is_time) end = FloorModulo(end, kMicrosPerDay);
    }
    return std::minmax({begin, end});
  };
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const auto [left_begin, left_end] = period(0, row);
    const auto [right_begin, right_end] = period(2, row);
    out.bools[row] = left_begin <= right_end && right_begin <= left_end ? 1 : 0;
  }
}

std::optional<Signature> BindOverlaps(Args args) {
  if (args.size() != 4) return std::nullopt;
  Signature signature{.args = {}, .result = AsNullable(DataType::Boolean(), AnyIsNullable(args))};
  const bool is_time = args[0]->type.kind == TypeKind::kTime;
  for (size_t i = 0; i < args.size(); ++i) {
    const DataType& type = args[i]->type;
    const bool is_interval = type.kind == TypeKind::kIntervalDayTime ||
                             (type.kind == TypeKind::kIntervalYearMonth && !is_time);
    const bool is_moment = type.is_temporal() && (type.kind == TypeKind::kTime) == is_time;
    if (!is_moment && !(is_interval && i % 2 == 1)) return std::nullopt;
    signature.args.push_back(type);
  }
  return signature;
}

// ---- Units ----

// nullopt: a value of the type has no such unit.
std::optional<int64_t> ExtractFrom(const DataType& type, TimeUnit unit, int64_t micros) {
  if (type.kind == TypeKind::kIntervalDayTime) return ExtractFromDayTime(unit, micros);
  if (type.kind == TypeKind::kIntervalYearMonth) return ExtractFromMonths(unit, micros);
  return type.is_temporal() ? std::optional<int64_t>(ExtractUnit(unit, micros)) : std::nullopt;
}

void ExtractRows(TimeUnit unit, const KernelCall& call, Column& out) {
  const DataType& type = call.args[0].column->type;
  for (size_t row = 0; row < call.rows; ++row)
    out.ints[row] = ExtractFrom(type, unit, MicrosAt(call.args[0], row)).value_or(0);
}

void ExtractKernel(const KernelCall& call, Column& out) {
  ExtractRows(UnitOf(call.args[1]), call, out);
}

template <TimeUnit kUnit>
void ExtractOneKernel(const KernelCall& call, Column& out) {
  ExtractRows(kUnit, call, out);
}

template <int64_t (*kRound)(TimeUnit, int64_t)>
void RoundTimeKernel(const KernelCall& call, Column& out) {
  const TimeUnit unit = UnitOf(call.args[1]);
  const bool in_days = out.type.kind == TypeKind::kDate;
  for (size_t row = 0; row < call.rows; ++row) {
    const int64_t rounded = kRound(unit, MicrosAt(call.args[0], row));
    out.ints[row] = in_days ? FloorDivide(rounded, kMicrosPerDay) : rounded;
  }
}

void TimestampAddKernel(const KernelCall& call, Column& out) {
  const TimeUnit unit = UnitOf(call.args[0]);
  const bool in_days = out.type.kind == TypeKind::kDate;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const std::optional<int64_t> sum =
        AddUnits(unit, call.args[1].int_at(row), MicrosAt(call.args[2], row));
    if (!sum) {
      out.SetNull(row);
      call.errors.Add(row, "timestamp out of range");
      continue;
    }
    const bool is_time = out.type.kind == TypeKind::kTime;
    out.ints[row] = in_days   ? FloorDivide(*sum, kMicrosPerDay)
                    : is_time ? FloorModulo(*sum, kMicrosPerDay)
                              : *sum;
  }
}

void TimestampDiffKernel(const KernelCall& call, Column& out) {
  const TimeUnit unit = UnitOf(call.args[0]);
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int64_t units =
        UnitsBetween(unit, MicrosAt(call.args[1], row), MicrosAt(call.args[2], row));
    out.ints[row] = units;
    if (units > INT32_MAX || units < INT32_MIN) {
      out.SetNull(row);
      call.errors.Add(row, "integer overflow of INT");
    }
  }
}

bool IsCalendar(TimeUnit unit) {
  return unit <= TimeUnit::kYear;
}

std::optional<Signature> BindTimestampAdd(Args args) {
  if (args.size() != 3) return std::nullopt;
  const std::optional<TimeUnit> unit = UnitOf(*args[0]);
  if (!unit || !IsCalendar(*unit) || !FitParam(Param::kInteger, args[1]->type)) {
    return std::nullopt;
  }
  DataType time = args[2]->type;
  if (time.is_string() || time.kind == TypeKind::kNull) time = DataType::Timestamp(3);
  if (!time.is_temporal()) return std::nullopt;
  DataType result = time;
  if (time.kind == TypeKind::kDate && *unit < TimeUnit::kDay) result = DataType::Timestamp(3);
  if (*unit == TimeUnit::kMillisecond) result.precision = std::max(result.precision, 3);
  if (*unit == TimeUnit::kMicrosecond) result.precision = std::max(result.precision, 6);
  result.nullable = AnyIsNullable(args);
  return Signature{.args = {args[0]->type, DataType::BigInt(), time}, .result = result};
}

std::optional<Signature> BindTimestampDiff(Args args) {
  if (args.size() != 3) return std::nullopt;
  const std::optional<TimeUnit> unit = UnitOf(*args[0]);
  if (!unit || !IsCalendar(*unit)) return std::nullopt;
  Signature signature{.args = {args[0]->type},
                      .result = AsNullable(DataType::Int(), AnyIsNullable(args))};
  for (const ExpressionPtr& arg : args.subspan(1)) {
    const bool is_text = arg->type.is_string() || arg->type.kind == TypeKind::kNull;
    const bool is_time = arg->type.is_timestamp() || arg->type.kind == TypeKind::kDate;
    if (!is_text && !is_time) return std::nullopt;
    signature.args.push_back(is_text ? DataType::Timestamp(3) : arg->type);
  }
  return signature;
}

// FLOOR(time, unit), CEIL(time, unit).
std::optional<Signature> BindRoundTime(Args args) {
  if (args.size() != 2) return std::nullopt;
  const std::optional<TimeUnit> unit = UnitOf(*args[1]);
  const bool is_time = args[0]->type.is_temporal();
  if (!unit || !IsCalendar(*unit) || !is_time) return std::nullopt;
  return Signature{.args = {args[0]->type, args[1]->type}, .result = args[0]->type};
}

std::optional<Signature> BindExtract(Args args) {
  if (args.size() != 2) return std::nullopt;
  const std::optional<TimeUnit> unit = UnitOf(*args[1]);
  const DataType& type = args[0]->type;
  if (!unit || !ExtractFrom(type, *unit, 0)) return std::nullopt;
  return Signature{.args = {type, args[1]->type},
                   .result = AsNullable(DataType::BigInt(), type.nullable)};
}

// One argument with a time: YEAR(ts).
template <TimeUnit kUnit>
std::optional<Signature> BindPart(Args args) {
  if (args.size() != 1 || !ExtractFrom(args[0]->type, kUnit, 0)) return std::nullopt;
  return Signature{.args = {args[0]->type},
                   .result = AsNullable(DataType::BigInt(), args[0]->type.nullable)};
}

void AddBound(FunctionTable& table,
              const char* name,
              const char* usage,
              std::optional<Signature> (*bind)(Args),
              Kernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.usage = usage;
  function.bind = bind;
  function.kernel = kernel;
  table.Add(std::move(function));
}

template <TimeUnit kUnit>
void AddPart(FunctionTable& table, const char* name) {
  AddBound(table,
           name,
           "a function of one DATE, TIME, TIMESTAMP or INTERVAL",
           BindPart<kUnit>,
           ExtractOneKernel<kUnit>);
}

void AddParts(FunctionTable& table) {
  AddPart<TimeUnit::kYear>(table, "YEAR");
  AddPart<TimeUnit::kQuarter>(table, "QUARTER");
  AddPart<TimeUnit::kMonth>(table, "MONTH");
  AddPart<TimeUnit::kWeek>(table, "WEEK");
  AddPart<TimeUnit::kDay>(table, "DAYOFMONTH");
  AddPart<TimeUnit::kDayOfYear>(table, "DAYOFYEAR");
  AddPart<TimeUnit::kDayOfWeek>(table, "DAYOFWEEK");
  AddPart<TimeUnit::kHour>(table, "HOUR");
  AddPart<TimeUnit::kMinute>(table, "MINUTE");
  AddPart<TimeUnit::kSecond>(table, "SECOND");
}

}  // namespace

void AddTimeFunctions(FunctionTable& table) {
  const DataType text = DataType::String();
  table.Add("TO_TIMESTAMP",
            {Param::kString, Param::kString},
            1,
            DataType::Timestamp(3),
            ToTimestampKernel);
  table.Add("TO_DATE", {Param::kString, Param::kString}, 1, DataType::Date(), ToDateKernel);
  table.Add("TO_TIMESTAMP_LTZ",
            {Param::kInteger, Param::kInteger},
            1,
            DataType::TimestampLtz(3),
            ToTimestampLtzKernel);
  table.Add("TO_TIMESTAMP_LTZ",
            {Param::kString, Param::kString},
            1,
            DataType::TimestampLtz(3),
            ToTimestampKernel);
  table.Add("TO_TIMESTAMP_LTZ",
            {Param::kString, Param::kString, Param::kString},
            0,
            DataType::TimestampLtz(3),
            ReadInZoneKernel);
  table.Add("UNIX_TIMESTAMP",
            {Param::kString, Param::kString},
            1,
            DataType::BigInt(),
            UnixTimestampKernel);
  table.Add("FROM_UNIXTIME", {Param::kInteger, Param::kString}, 1, text, FromUnixTimeKernel);
  table.Add("DATE_FORMAT", {Param::kTimestamp, Param::kString}, 0, text, DateFormatKernel);
  table.Add("DATE_FORMAT", {Param::kString, Param::kString}, 0, text, DateFormatTextKernel);
  AddBound(table, "EXTRACT", "EXTRACT(unit FROM time)", BindExtract, ExtractKernel);
  AddBound(table, "FLOOR", "FLOOR(time TO unit)", BindRoundTime, RoundTimeKernel<FloorToUnit>);
  AddBound(table, "CEIL", "CEIL(time TO unit)", BindRoundTime, RoundTimeKernel<CeilToUnit>);
  AddBound(table,
           "TIMESTAMPADD",
           "TIMESTAMPADD(unit, INT, TIMESTAMP)",
           BindTimestampAdd,
           TimestampAddKernel);
  AddBound(table,
           "TIMESTAMPDIFF",
           "TIMESTAMPDIFF(unit, TIMESTAMP, TIMESTAMP)",
           BindTimestampDiff,
           TimestampDiffKernel);
  AddBound(table,
           "OVERLAPS",
           "(begin, end or INTERVAL) OVERLAPS (begin, end or INTERVAL)",
           BindOverlaps,
           OverlapsKernel);
  AddParts(table);
}

}  // namespace slipstream::sql
