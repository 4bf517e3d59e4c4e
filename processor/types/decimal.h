#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "processor/types/data_type.h"

namespace slipstream::sql {

// NOLINTNEXTLINE(modernize-use-using): __extension__ keeps -Wpedantic quiet
__extension__ typedef unsigned __int128 UInt128;

// DECIMAL(p, s) values: an unscaled 128-bit integer, |unscaled| < 10^p, p at most 38. Every
// function that can leave that range says so with nullopt, which SQL shows as NULL.
inline constexpr int32_t kMaxDecimalPrecision = 38;

// 10^exponent, exponent in 0..38.
Int128 PowerOfTen(int32_t exponent);

// Whether |unscaled| < 10^precision.
bool FitsPrecision(Int128 unscaled, int32_t precision);

// The same number with another scale, rounded half away from zero.
std::optional<Int128> Rescale(Int128 unscaled, int32_t from_scale, int32_t to_scale);

// a * b / 10^digits, rounded half away from zero, without intermediate overflow; nullopt: it does
// not fit, or digits < 0.
std::optional<Int128> MultiplyScaled(Int128 a, Int128 b, int32_t digits);

// a * b / divisor, rounded half away from zero, without intermediate overflow. divisor != 0.
std::optional<Int128> MultiplyDivide(Int128 a, Int128 b, Int128 divisor);

// "12.50" for (1250, 2).
std::string FormatDecimal(Int128 unscaled, int32_t scale);

// Reads "[+-]digits[.digits][e[+-]digits]" whole, rounding half away from zero to `scale`. nullopt:
// not a number, or beyond 38 digits (`is_number` tells the two apart where given).
std::optional<Int128> ParseDecimal(std::string_view text, int32_t scale, bool* is_number = nullptr);

// The nearest decimal as BigDecimal(double) rounded half up; nullopt for NaN, infinities and what
// does not fit 38 digits.
std::optional<Int128> DecimalFromDouble(double value, int32_t scale);
double DecimalToDouble(Int128 unscaled, int32_t scale);

// The integer part, towards zero.
Int128 TruncateToInteger(Int128 unscaled, int32_t scale);

}  // namespace slipstream::sql
