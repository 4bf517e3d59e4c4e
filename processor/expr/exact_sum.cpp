#include "processor/expr/exact_sum.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "processor/expr/state_bytes.h"
#include "processor/types/decimal.h"

namespace slipstream::sql {
namespace {

constexpr int kLeastExponent = -1074;  // of the least double, 2^-1074: bit 0 of the long number
constexpr int64_t kDigitMask = 0xFFFFFFFF;

}  // namespace

ExactSum::ExactSum(const ExactSum& other)
    : fixed_(other.fixed_),
      long_(other.long_ ? std::make_unique<Long>(*other.long_) : nullptr),
      specials_(other.specials_) {}

ExactSum& ExactSum::operator=(const ExactSum& other) {
  if (this != &other) *this = ExactSum(other);
  return *this;
}

void ExactSum::Long::AddShifted(uint64_t mantissa, int bit, bool is_negative) {
  if (++adds >= kAddsMax) Normalise();
  const auto digit = static_cast<size_t>(bit / 32);
  UInt128 wide = static_cast<UInt128>(mantissa) << (bit % 32);
  for (size_t i = digit; wide != 0; ++i) {
    const auto part = static_cast<int64_t>(wide & static_cast<UInt128>(kDigitMask));
    digits[i] += is_negative ? -part : part;
    wide >>= 32;
  }
}

void ExactSum::Long::Normalise() {
  int64_t carry = 0;
  for (size_t i = 0; i + 1 < kDigits; ++i) {
    const int64_t digit = digits[i] + carry;
    carry = digit >> 32;
    digits[i] = digit & kDigitMask;
  }
  digits[kDigits - 1] += carry;  // keeps the sign
  adds = 0;
}

ExactSum::Long& ExactSum::MakeLong() {
  if (!long_) long_ = std::make_unique<Long>();
  return *long_;
}

void ExactSum::AddFixed(Int128 fixed, Long& to) {
  const bool is_negative = fixed < 0;
  const UInt128 magnitude =
      is_negative ? UInt128{0} - static_cast<UInt128>(fixed) : static_cast<UInt128>(fixed);
  constexpr int kBit = -kFixedScale - kLeastExponent;
  to.AddShifted(static_cast<uint64_t>(magnitude), kBit, is_negative);
  to.AddShifted(static_cast<uint64_t>(magnitude >> 64), kBit + 64, is_negative);
}

void ExactSum::Add(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const auto biased = static_cast<int>((bits >> 52) & 0x7FF);
  const bool is_negative = (bits >> 63) != 0;
  uint64_t mantissa = bits & ((uint64_t{1} << 52) - 1);
  if (biased == 0x7FF) {
    specials_ |= mantissa != 0 ? kNaN : is_negative ? kMinusInfinity : kPlusInfinity;
    return;
  }
  if (biased != 0) mantissa |= uint64_t{1} << 52;
  if (mantissa == 0) return;
  const int exponent = (biased == 0 ? 1 : biased) - 1075;
  int shift = exponent + kFixedScale;
  if (shift < 0 && std::countr_zero(mantissa) >= -shift) {
    mantissa >>= -shift;
    shift = 0;
  }
  if (shift >= 0 && shift <= 60) {
    const auto magnitude = static_cast<Int128>(static_cast<UInt128>(mantissa) << shift);
    Int128 sum = 0;
    if (!__builtin_add_overflow(fixed_, is_negative ? -magnitude : magnitude, &sum)) {
      fixed_ = sum;
      return;
    }
    AddFixed(fixed_, MakeLong());
    fixed_ = is_negative ? -magnitude : magnitude;
    return;
  }
  // `mantissa` and `shift` belong together also after the reduction above.
  MakeLong().AddShifted(mantissa, shift - kFixedScale - kLeastExponent, is_negative);
}

void ExactSum::Add(const ExactSum& other) {
  specials_ |= other.specials_;
  Int128 sum = 0;
  if (__builtin_add_overflow(fixed_, other.fixed_, &sum)) {
    AddFixed(fixed_, MakeLong());
    sum = other.fixed_;
  }
  fixed_ = sum;
  if (!other.long_) return;
  Long& mine = MakeLong();
  Long theirs = *other.long_;
  theirs.Normalise();
  mine.Normalise();
  for (size_t i = 0; i < kDigits; ++i)
    mine.digits[i] += theirs.digits[i];
  mine.Normalise();
}

double ExactSum::RoundLong(Long value) {
  value.Normalise();
  const bool is_negative = value.digits[kDigits - 1] < 0;
  if (is_negative) {
    for (int64_t& digit : value.digits)
      digit = -digit;
    value.Normalise();
  }
  size_t top = kDigits;
  while (top > 0 && value.digits[top - 1] == 0)
    --top;
  if (top == 0) return 0;
  const auto bit_at = [&](int bit) {
    return bit < 0 ? 0 : (value.digits[static_cast<size_t>(bit / 32)] >> (bit % 32)) & 1;
  };
  // The last digit may hold more than 32 bits, but only far beyond the range of double.
  const int highest = static_cast<int>((top - 1) * 32) + 63 -
                      std::countl_zero(static_cast<uint64_t>(value.digits[top - 1]));
  uint64_t mantissa = 0;
  const int lowest = std::max(highest - 52, 0);
  if (highest >= 2098) {
    return is_negative ? -std::numeric_limits<double>::infinity()
                       : std::numeric_limits<double>::infinity();
  }
  for (int bit = highest; bit >= lowest; --bit)
    mantissa = (mantissa << 1) | static_cast<uint64_t>(bit_at(bit));
  if (bit_at(lowest - 1) != 0) {
    bool is_tie = true;
    for (int bit = lowest - 2; bit >= 0 && is_tie; --bit)
      is_tie = bit_at(bit) == 0;
    if (!is_tie || mantissa % 2 == 1) ++mantissa;
  }
  const double magnitude = std::ldexp(static_cast<double>(mantissa), lowest + kLeastExponent);
  return is_negative ? -magnitude : magnitude;
}

double ExactSum::Round() const {
  const bool has_both = (specials_ & kPlusInfinity) != 0 && (specials_ & kMinusInfinity) != 0;
  if ((specials_ & kNaN) != 0 || has_both) return std::numeric_limits<double>::quiet_NaN();
  if ((specials_ & kPlusInfinity) != 0) return std::numeric_limits<double>::infinity();
  if ((specials_ & kMinusInfinity) != 0) return -std::numeric_limits<double>::infinity();
  // The conversion rounds once; the scaling is exact.
  if (!long_) return std::ldexp(static_cast<double>(fixed_), -kFixedScale);
  Long sum = *long_;
  AddFixed(fixed_, sum);
  return RoundLong(sum);
}

void ExactSum::Save(std::string& to) const {
  PutByte(to, static_cast<uint8_t>(specials_ | (long_ ? 8 : 0)));
  PutInt128(to, fixed_);
  if (!long_) return;
  Long value = *long_;
  value.Normalise();
  size_t first = 0;
  while (first < kDigits && value.digits[first] == 0)
    ++first;
  size_t end = kDigits;
  while (end > first && value.digits[end - 1] == 0)
    --end;
  PutByte(to, static_cast<uint8_t>(first));
  PutByte(to, static_cast<uint8_t>(end - first));
  for (size_t i = first; i < end; ++i)
    PutInt64(to, value.digits[i]);
}

Status ExactSum::Restore(std::string_view& from) {
  uint8_t flags = 0;
  if (!TakeByte(from, flags) || !TakeInt128(from, fixed_)) return DamagedState("sum");
  specials_ = flags & 7;
  long_.reset();
  if ((flags & 8) == 0) return {};
  uint8_t first = 0;
  uint8_t count = 0;
  if (!TakeByte(from, first) || !TakeByte(from, count)) return DamagedState("sum");
  if (size_t{first} + count > kDigits) return DamagedState("sum");
  Long& value = MakeLong();
  for (size_t i = first; i < size_t{first} + count; ++i) {
    int64_t& digit = value.digits[i];
    if (!TakeInt64(from, digit)) return DamagedState("sum");
    // As Save has normalised them: the last alone has the sign, and may hold more.
    const bool is_last = i + 1 == kDigits;
    if (digit < (is_last ? INT64_MIN / 4 : 0) || digit > (is_last ? INT64_MAX / 4 : kDigitMask)) {
      return DamagedState("sum");
    }
  }
  return {};
}

}  // namespace slipstream::sql
