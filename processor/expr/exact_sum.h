#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// ExactSum: the sum of doubles without any rounding until it is read, so that the result depends
// neither on the order of the numbers nor on how they were split over batches, workers or crashes.
//
// Layout      most numbers fit a 128-bit fixed point number in units of 2^-74 (whatever is a
//             multiple of that and below 2^38): one shift and one addition. The others go to a
//             fixed point number over the whole range of double (2^-1074 … 2^1024 and 64 bits for
//             carries), made when the first one comes. Infinities and NaN are remembered apart.
// Threads     none of its own.
class ExactSum {
 public:
  ExactSum() = default;
  ExactSum(const ExactSum& other);
  ExactSum(ExactSum&&) = default;
  ExactSum& operator=(const ExactSum& other);
  ExactSum& operator=(ExactSum&&) = default;
  ~ExactSum() = default;

  void Add(double value);
  void Add(const ExactSum& other);
  // The exact sum rounded once, to the nearest double, ties to even.
  double Round() const;

  // Format: docs/FORMATS.md, section "State".
  void Save(std::string& to) const;
  Status Restore(std::string_view& from);

 private:
  static constexpr int kFixedScale = 74;
  static constexpr size_t kDigits = 70;
  static constexpr uint32_t kAddsMax = 1U << 29;

  // Digits of 32 bits, the least significant first; between normalisations they hold more.
  struct Long {
    std::array<int64_t, kDigits> digits{};
    uint32_t adds = 0;

    void AddShifted(uint64_t mantissa, int bit, bool is_negative);
    void Normalise();
  };
  enum Special : uint8_t { kNaN = 1, kPlusInfinity = 2, kMinusInfinity = 4 };

  Long& MakeLong();
  static void AddFixed(Int128 fixed, Long& to);
  static double RoundLong(Long value);

  Int128 fixed_ = 0;
  std::unique_ptr<Long> long_;
  uint8_t specials_ = 0;
};

}  // namespace slipstream::sql
