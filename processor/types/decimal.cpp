#include "processor/types/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "common/check/check.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

constexpr std::array<Int128, 39> kPowers = [] {
  std::array<Int128, 39> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i)
    powers[i] = powers[i - 1] * 10;
  return powers;
}();

UInt128 Magnitude(Int128 value) {
  return value < 0 ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
}

std::optional<Int128> WithSign(UInt128 magnitude, bool is_negative) {
  if (magnitude >= static_cast<UInt128>(kPowers[38])) return std::nullopt;
  auto value = static_cast<Int128>(magnitude);
  return is_negative ? -value : value;
}

struct Wide {  // 256 bits, unsigned
  UInt128 high = 0;
  UInt128 low = 0;
};

Wide Multiply(UInt128 a, UInt128 b) {
  constexpr UInt128 kMask = UINT64_MAX;
  const UInt128 low = (a & kMask) * (b & kMask);
  const UInt128 middle_a = (a >> 64) * (b & kMask);
  const UInt128 middle_b = (a & kMask) * (b >> 64);
  const UInt128 carry = (low >> 64) + (middle_a & kMask) + (middle_b & kMask);
  return {.high = (a >> 64) * (b >> 64) + (middle_a >> 64) + (middle_b >> 64) + (carry >> 64),
          .low = (carry << 64) | (low & kMask)};
}

// Quotient rounded half up.
template <class Number>
Number DivideRounded(Number dividend, Number divisor) {
  const Number remainder = dividend % divisor;
  return dividend / divisor + (remainder >= divisor - remainder ? 1 : 0);
}

// Likewise; nullopt if it needs more than 128 bits. One bit at a time for products beyond 128 bits,
// which real data hardly has.
std::optional<UInt128> DivideRounded(Wide dividend, UInt128 divisor) {
  if (dividend.high == 0) {
    if (divisor == 1) return dividend.low;
    const bool is_small = ((dividend.low | divisor) >> 64) == 0;
    if (!is_small) return DivideRounded<UInt128>(dividend.low, divisor);
    return DivideRounded(static_cast<uint64_t>(dividend.low), static_cast<uint64_t>(divisor));
  }
  if (dividend.high >= divisor) return std::nullopt;
  UInt128 remainder = dividend.high;
  UInt128 quotient = 0;
  for (int bit = 127; bit >= 0; --bit) {
    const bool overflows = (remainder >> 127) != 0;
    remainder = (remainder << 1) | ((dividend.low >> bit) & 1);
    quotient <<= 1;
    if (overflows || remainder >= divisor) {
      remainder -= divisor;
      quotient |= 1;
    }
  }
  if (remainder >= divisor - remainder) ++quotient;
  return quotient;
}

}  // namespace

Int128 PowerOfTen(int32_t exponent) {
  SLIPSTREAM_CHECK(exponent >= 0 && exponent <= kMaxDecimalPrecision, "exponent={}", exponent);
  return kPowers[static_cast<size_t>(exponent)];
}

bool FitsPrecision(Int128 unscaled, int32_t precision) {
  return Magnitude(unscaled) < static_cast<UInt128>(PowerOfTen(precision));
}

std::optional<Int128> Rescale(Int128 unscaled, int32_t from_scale, int32_t to_scale) {
  if (from_scale == to_scale) return unscaled;
  const UInt128 magnitude = Magnitude(unscaled);
  if (to_scale > from_scale) {
    if (magnitude == 0) return 0;
    if (to_scale - from_scale > kMaxDecimalPrecision) return std::nullopt;
    const Wide product =
        Multiply(magnitude, static_cast<UInt128>(PowerOfTen(to_scale - from_scale)));
    if (product.high != 0) return std::nullopt;
    return WithSign(product.low, unscaled < 0);
  }
  if (from_scale - to_scale > kMaxDecimalPrecision) return 0;
  const auto divisor = static_cast<UInt128>(PowerOfTen(from_scale - to_scale));
  UInt128 quotient = magnitude / divisor;
  if (magnitude % divisor >= divisor / 2) ++quotient;  // a power of ten is even
  return WithSign(quotient, unscaled < 0);
}

std::optional<Int128> MultiplyDivide(Int128 a, Int128 b, Int128 divisor) {
  const bool is_negative = ((a < 0) != (b < 0)) != (divisor < 0);
  const std::optional<UInt128> quotient =
      DivideRounded(Multiply(Magnitude(a), Magnitude(b)), Magnitude(divisor));
  if (!quotient) return std::nullopt;
  return WithSign(*quotient, is_negative);
}

std::optional<Int128> MultiplyScaled(Int128 a, Int128 b, int32_t digits) {
  if (digits < 0) return std::nullopt;
  if (digits <= kMaxDecimalPrecision) return MultiplyDivide(a, b, PowerOfTen(digits));
  // In two steps, of which only the second rounds: what the first leaves over is less than one in
  // the last digit that the second looks at.
  const auto power = static_cast<UInt128>(PowerOfTen(kMaxDecimalPrecision));
  const Wide product = Multiply(Magnitude(a), Magnitude(b));
  std::optional<UInt128> quotient = DivideRounded(product, power);
  if (!quotient) return std::nullopt;
  const Wide back = Multiply(*quotient, power);
  const bool is_rounded_up =
      back.high > product.high || (back.high == product.high && back.low > product.low);
  if (is_rounded_up) --*quotient;
  const bool is_negative = (a < 0) != (b < 0);
  const std::optional<Int128> whole = WithSign(*quotient, is_negative);
  return whole ? Rescale(*whole, digits - kMaxDecimalPrecision, 0) : std::nullopt;
}

std::string FormatDecimal(Int128 unscaled, int32_t scale) {
  std::string reversed;
  UInt128 magnitude = Magnitude(unscaled);
  while (magnitude > 0 || reversed.size() <= static_cast<size_t>(scale)) {
    reversed.push_back(static_cast<char>('0' + static_cast<int>(magnitude % 10)));
    magnitude /= 10;
  }
  if (scale > 0) reversed.insert(static_cast<size_t>(scale), 1, '.');
  if (unscaled < 0) reversed.push_back('-');
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

namespace {

struct ScannedDecimal {
  bool is_negative = false;
  bool is_too_long = false;
  UInt128 digits = 0;
  int64_t scale = 0;       // of `digits`
  bool rounds_up = false;  // the first digit that no longer fits is 5 or more
};

// What may follow the digits: nothing (0), or "e12", "E+12", "e-12".
std::optional<int32_t> ReadExponent(std::string_view text) {
  if (text.empty()) return 0;
  if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
  text.remove_prefix(1);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int32_t exponent = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, exponent);
  if (error != std::errc() || stop != end) return std::nullopt;
  return exponent;
}

std::optional<ScannedDecimal> ScanDecimal(std::string_view text) {
  ScannedDecimal scanned;
  size_t at = 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) {
    scanned.is_negative = text[at] == '-';
    ++at;
  }
  bool has_digit = false;
  bool has_point = false;
  bool is_cut = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !has_point) {
      has_point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    has_digit = true;
    if (!is_cut && scanned.digits < static_cast<UInt128>(kPowers[37])) {
      scanned.digits = scanned.digits * 10 + static_cast<unsigned>(c - '0');
      if (has_point) ++scanned.scale;
      continue;
    }
    // More than 38 significant digits: those behind the point only round.
    if (!has_point) scanned.is_too_long = true;
    if (!is_cut) scanned.rounds_up = c >= '5';
    is_cut = true;
  }
  if (!has_digit) return std::nullopt;
  const std::optional<int32_t> exponent = ReadExponent(text.substr(at));
  if (!exponent) return std::nullopt;
  scanned.scale -= *exponent;
  return scanned;
}

}  // namespace

std::optional<Int128> ParseDecimal(std::string_view text, int32_t scale, bool* is_number) {
  std::optional<ScannedDecimal> scanned = ScanDecimal(text);
  if (is_number != nullptr) *is_number = scanned.has_value();
  if (!scanned || scanned->is_too_long) return std::nullopt;
  if (scanned->rounds_up && scanned->scale <= scale) ++scanned->digits;
  const auto value = static_cast<Int128>(scanned->digits);
  if (!FitsPrecision(value, kMaxDecimalPrecision)) return std::nullopt;
  const Int128 is_signed = scanned->is_negative ? -value : value;
  if (is_signed == 0) return 0;
  if (scanned->scale > int64_t{2} * kMaxDecimalPrecision) return 0;
  if (scanned->scale < -kMaxDecimalPrecision) return std::nullopt;
  return Rescale(is_signed, static_cast<int32_t>(scanned->scale), scale);
}

std::optional<Int128> DecimalFromDouble(double value, int32_t scale) {
  if (!std::isfinite(value) || std::fabs(value) >= 1e38) return std::nullopt;
  // By way of the shortest text, as Flink does: 0.1 is 0.1, not 0.1000000000000000055.
  return ParseDecimal(FormatDouble(value), scale);
}

double DecimalToDouble(Int128 unscaled, int32_t scale) {
  constexpr Int128 kExact = Int128{1} << 53;
  if (unscaled > -kExact && unscaled < kExact && scale <= 22) {
    // Both are exact in a double, so the quotient is rounded once.
    return static_cast<double>(unscaled) / static_cast<double>(PowerOfTen(scale));
  }
  return std::strtod(FormatDecimal(unscaled, scale).c_str(), nullptr);
}

Int128 TruncateToInteger(Int128 unscaled, int32_t scale) {
  return unscaled / PowerOfTen(scale);
}

}  // namespace slipstream::sql
