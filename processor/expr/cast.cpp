#include "processor/expr/cast.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "common/check/check.h"
#include "processor/expr/nested_cells.h"
#include "processor/expr/type_rules.h"
#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/integer_range.h"
#include "processor/types/number_text.h"
#include "processor/types/utf8.h"
#include "processor/types/value.h"

namespace slipstream::sql {
namespace {

constexpr size_t kShownBytes = 64;  // of a value that could not be cast, in its error

// Runs one conversion over a column: where it gives nullopt the row fails.
class Caster {
 public:
  Caster(const KernelCall& call, bool is_try, Column& out)
      : call_(call), from_(call.args[0]), is_try_(is_try), out_(out) {}

  template <class Out, class Convert>
  void Each(std::vector<Out>& values, Convert convert) {
    for (size_t row = 0; row < call_.rows; ++row) {
      if (out_.is_null(row)) continue;
      const auto value = convert(row);
      if (value) {
        values[row] = static_cast<Out>(*value);
      } else {
        Fail(row);
      }
    }
  }

  // For conversions whose failure is NULL and not an error.
  template <class Out, class Convert>
  void EachOrNull(std::vector<Out>& values, Convert convert) {
    for (size_t row = 0; row < call_.rows; ++row) {
      if (out_.is_null(row)) continue;
      const auto value = convert(row);
      if (value) {
        values[row] = static_cast<Out>(*value);
      } else {
        out_.SetNull(row);
      }
    }
  }

  void Run();

 private:
  void ToBoolean();
  void ToInteger();
  void ToApproximate();
  void ToDecimal();
  void ToText();
  void ToTemporal();
  void TemporalFromText();
  std::string_view TextOf(size_t row);

  void Fail(size_t row) {
    out_.SetNull(row);
    if (is_try_) return;
    std::string shown =
        slipstream::sql::ToText(from_.column->ValueAt(from_.index(row)), from_.column->type);
    if (shown.size() > kShownBytes) shown = shown.substr(0, kShownBytes) + "…";
    call_.errors.Add(row, "cannot cast '" + shown + "' to " + AsNullable(out_.type).ToString());
  }

  const DataType& from_type() const { return from_.column->type; }

  const KernelCall& call_;
  const Operand& from_;
  const bool is_try_;
  Column& out_;
};

void Caster::Run() {
  if (out_.type.kind == TypeKind::kBoolean) return ToBoolean();
  if (out_.type.is_integer()) return ToInteger();
  if (out_.type.is_approximate()) return ToApproximate();
  if (out_.type.kind == TypeKind::kDecimal) return ToDecimal();
  if (out_.physical() == PhysicalKind::kString) return ToText();
  ToTemporal();
}

void Caster::ToBoolean() {
  switch (from_.column->physical()) {
    case PhysicalKind::kString:
      return Each(out_.bools, [&](size_t row) { return ParseBoolean(from_.string_at(row)); });
    case PhysicalKind::kInt64:
      return Each(out_.bools,
                  [&](size_t row) { return std::optional<bool>(from_.int_at(row) != 0); });
    case PhysicalKind::kDouble:
      return Each(out_.bools,
                  [&](size_t row) { return std::optional<bool>(from_.double_at(row) != 0); });
    case PhysicalKind::kInt128:
      return Each(out_.bools,
                  [&](size_t row) { return std::optional<bool>(from_.decimal_at(row) != 0); });
    default:
      return Each(out_.bools, [&](size_t row) { return std::optional<bool>(from_.bool_at(row)); });
  }
}

std::optional<int64_t> IntegerFromDouble(double value, TypeKind kind) {
  // 2^63 is the first double beyond the range; NaN fails both comparisons.
  if (!(value > -9223372036854777856.0 && value < 9223372036854775808.0)) return std::nullopt;
  const auto truncated = static_cast<int64_t>(value);
  if (!FitsInteger(truncated, kind)) return std::nullopt;
  return truncated;
}

void Caster::ToInteger() {
  const TypeKind kind = out_.type.kind;
  const auto checked = [kind](std::optional<int64_t> value) {
    return value && FitsInteger(*value, kind) ? value : std::nullopt;
  };
  switch (from_.column->physical()) {
    case PhysicalKind::kString:
      return Each(out_.ints,
                  [&](size_t row) { return checked(ParseInteger(from_.string_at(row))); });
    case PhysicalKind::kDouble:
      return Each(out_.ints,
                  [&](size_t row) { return IntegerFromDouble(from_.double_at(row), kind); });
    case PhysicalKind::kInt128:
      return Each(out_.ints, [&](size_t row) -> std::optional<int64_t> {
        const Int128 whole = TruncateToInteger(from_.decimal_at(row), from_type().scale);
        if (whole < INT64_MIN || whole > INT64_MAX) return std::nullopt;
        return checked(static_cast<int64_t>(whole));
      });
    case PhysicalKind::kBool:
      return Each(out_.ints,
                  [&](size_t row) { return std::optional<int64_t>(from_.bool_at(row) ? 1 : 0); });
    default:
      return Each(out_.ints,
                  [&](size_t row) { return checked(std::optional<int64_t>(from_.int_at(row))); });
  }
}

void Caster::ToApproximate() {
  const bool is_float = out_.type.kind == TypeKind::kFloat;
  const auto rounded = [is_float](double value) {
    return is_float ? static_cast<double>(static_cast<float>(value)) : value;
  };
  const auto each = [&](auto value_at) {
    Each(out_.doubles, [&](size_t row) { return std::optional<double>(rounded(value_at(row))); });
  };
  switch (from_.column->physical()) {
    case PhysicalKind::kString:
      return Each(out_.doubles, [&](size_t row) {
        std::optional<double> value = ParseDouble(from_.string_at(row));
        if (value) value = rounded(*value);
        return value;
      });
    case PhysicalKind::kInt128:
      return each(
          [&](size_t row) { return DecimalToDouble(from_.decimal_at(row), from_type().scale); });
    case PhysicalKind::kBool:
      return each([&](size_t row) { return from_.bool_at(row) ? 1.0 : 0.0; });
    case PhysicalKind::kInt64:
      return each([&](size_t row) { return static_cast<double>(from_.int_at(row)); });
    default:
      return each([&](size_t row) { return from_.double_at(row); });
  }
}

void Caster::ToDecimal() {
  const int32_t scale = out_.type.scale;
  const auto fitted = [&](std::optional<Int128> value) -> std::optional<Int128> {
    if (!value || !FitsPrecision(*value, out_.type.precision)) return std::nullopt;
    return value;
  };
  switch (from_.column->physical()) {
    case PhysicalKind::kString:
      // Text that is no number fails; a number that does not fit is NULL.
      for (size_t row = 0; row < call_.rows; ++row) {
        if (out_.is_null(row)) continue;
        bool is_number = false;
        const std::optional<Int128> value =
            fitted(ParseDecimal(TrimBlanks(from_.string_at(row)), scale, &is_number));
        if (value) {
          out_.decimals[row] = *value;
        } else if (is_number) {
          out_.SetNull(row);
        } else {
          Fail(row);
        }
      }
      return;
    case PhysicalKind::kInt64:
      return EachOrNull(out_.decimals,
                        [&](size_t row) { return fitted(Rescale(from_.int_at(row), 0, scale)); });
    case PhysicalKind::kDouble:
      return EachOrNull(out_.decimals, [&](size_t row) {
        return fitted(DecimalFromDouble(from_.double_at(row), scale));
      });
    case PhysicalKind::kBool:
      return EachOrNull(out_.decimals, [&](size_t row) {
        return fitted(Rescale(from_.bool_at(row) ? 1 : 0, 0, scale));
      });
    default:
      return EachOrNull(out_.decimals, [&](size_t row) {
        return fitted(Rescale(from_.decimal_at(row), from_type().scale, scale));
      });
  }
}

std::string_view Caster::TextOf(size_t row) {
  if (from_.column->physical() == PhysicalKind::kString) return from_.string_at(row);
  if (from_.column->physical() == PhysicalKind::kNested) {
    std::string text;
    AppendCellText(*from_.column, from_.index(row), text);
    return call_.arena.Copy(text);
  }
  return call_.arena.Copy(
      slipstream::sql::ToText(from_.column->ValueAt(from_.index(row)), from_type()));
}

void Caster::ToText() {
  const bool is_binary = out_.type.is_binary();
  const bool is_fixed = out_.type.kind == TypeKind::kChar || out_.type.kind == TypeKind::kBinary;
  const auto length = static_cast<size_t>(out_.type.precision);
  for (size_t row = 0; row < call_.rows; ++row) {
    if (out_.is_null(row)) continue;
    std::string_view text = TextOf(row);
    if (text.size() > length) {
      text = is_binary ? text.substr(0, length) : FirstCharacters(text, length);
    }
    const size_t characters = is_binary ? text.size() : CountCharacters(text);
    if (is_fixed && characters < length) {
      std::string padded(text);
      padded.append(length - characters, is_binary ? '\0' : ' ');
      text = call_.arena.Copy(padded);
    }
    out_.strings[row] = text;
  }
}

int64_t CutToPrecision(int64_t micros, int32_t precision) {
  int64_t unit = 1;
  for (int32_t digits = precision; digits < 6; ++digits)
    unit *= 10;
  return FloorDivide(micros, unit) * unit;
}

void Caster::TemporalFromText() {
  switch (out_.type.kind) {
    case TypeKind::kDate:
      return Each(out_.ints, [&](size_t row) -> std::optional<int64_t> {
        // A timestamp's text is a date's too; its time is dropped.
        const std::optional<int64_t> micros = ParseTimestamp(TrimBlanks(from_.string_at(row)));
        if (!micros) return std::nullopt;
        return FloorDivide(*micros, kMicrosPerDay);
      });
    case TypeKind::kTime:
      return Each(out_.ints, [&](size_t row) -> std::optional<int64_t> {
        const std::optional<int64_t> micros = ParseTimeOfDay(TrimBlanks(from_.string_at(row)));
        if (!micros) return std::nullopt;
        return CutToPrecision(*micros, out_.type.precision);
      });
    default:
      return Each(out_.ints, [&](size_t row) -> std::optional<int64_t> {
        const std::optional<int64_t> micros = ParseTimestamp(TrimBlanks(from_.string_at(row)));
        if (!micros) return std::nullopt;
        return CutToPrecision(*micros, out_.type.precision);
      });
  }
}

void Caster::ToTemporal() {
  const TypeKind from = from_type().kind;
  if (from_type().is_string()) return TemporalFromText();
  const auto each = [&](auto value_at) {
    Each(out_.ints,
         [&](size_t row) { return std::optional<int64_t>(value_at(from_.int_at(row))); });
  };
  const TypeKind to = out_.type.kind;
  const bool from_timestamp = from_type().is_timestamp();
  if (to == TypeKind::kDate && from_timestamp) {
    return each([](int64_t micros) { return FloorDivide(micros, kMicrosPerDay); });
  }
  if (to == TypeKind::kTime && from_timestamp) {
    const int32_t precision = out_.type.precision;
    return each([precision](int64_t micros) {
      return CutToPrecision(FloorModulo(micros, kMicrosPerDay), precision);
    });
  }
  if (out_.type.is_timestamp() && from == TypeKind::kDate) {
    return each([](int64_t days) { return days * kMicrosPerDay; });
  }
  if (out_.type.is_timestamp() || to == TypeKind::kTime) {
    const int32_t precision = out_.type.precision;
    return each([precision](int64_t micros) { return CutToPrecision(micros, precision); });
  }
  each([](int64_t value) { return value; });
}

}  // namespace

bool IsCastable(const DataType& from, const DataType& to) {
  if (from.kind == TypeKind::kNull || IsSameType(from, to)) return true;
  if (to.is_string() && from.children) return true;
  if (PhysicalKindOf(from.kind) == PhysicalKind::kNested ||
      PhysicalKindOf(to.kind) == PhysicalKind::kNested || to.kind == TypeKind::kNull) {
    return from.kind == to.kind &&
           std::equal(from.children->begin(),
                      from.children->end(),
                      to.children->begin(),
                      to.children->end(),
                      [](const Field& a, const Field& b) { return IsCastable(a.type, b.type); });
  }
  if (from.is_binary() || to.is_binary()) {
    return (from.is_binary() || from.is_string()) && (to.is_binary() || to.is_string());
  }
  const bool to_interval =
      to.kind == TypeKind::kIntervalDayTime || to.kind == TypeKind::kIntervalYearMonth;
  if (to_interval) return from.kind == to.kind;
  if (from.is_string() || to.is_string()) return true;
  const auto is_plain = [](const DataType& type) {
    return type.is_numeric() || type.kind == TypeKind::kBoolean;
  };
  if (is_plain(from) && is_plain(to)) return true;
  if (!from.is_temporal() || !to.is_temporal()) return false;
  if (from.kind == TypeKind::kTime || to.kind == TypeKind::kTime) {
    return from.kind == to.kind || from.is_timestamp();
  }
  return true;
}

namespace {

// Child by child; a child's failure is that of the row it lies in.
void CastNested(const KernelCall& call, bool is_try, Column& out) {
  const Column& from = *call.args[0].column;
  out.offsets = from.offsets;
  for (size_t i = 0; i < out.children.size(); ++i) {
    const Column& source = from.children[i];
    DataType type = out.children[i].type;
    if (IsHeldAlike(source.type, type)) {
      out.children[i] = source;
      out.children[i].type = std::move(type);
      continue;
    }
    const size_t rows = source.size();
    out.children[i].Resize(rows);
    out.children[i].valid = source.valid;
    const Operand child{.column = &source, .is_constant = false};
    RowErrors errors;
    CastColumn({.args = {&child, 1}, .rows = rows, .arena = call.arena, .errors = errors},
               is_try,
               out.children[i]);
    for (const RowErrors::Entry& entry : errors.entries()) {
      const auto behind = std::upper_bound(out.offsets.begin(), out.offsets.end(), entry.row);
      const bool is_row = out.offsets.empty();
      call.errors.Add(is_row ? entry.row : static_cast<size_t>(behind - out.offsets.begin()) - 1,
                      entry.message);
    }
  }
}

}  // namespace

void CastColumn(const KernelCall& call, bool is_try, Column& out) {
  SLIPSTREAM_CHECK(IsCastable(call.args[0].column->type, out.type),
                   "no cast from {} to {}",
                   call.args[0].column->type.ToString(),
                   out.type.ToString());
  if (out.physical() == PhysicalKind::kNested) return CastNested(call, is_try, out);
  Caster(call, is_try, out).Run();
}

}  // namespace slipstream::sql
