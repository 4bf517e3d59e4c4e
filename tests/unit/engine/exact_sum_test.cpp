#include "processor/expr/exact_sum.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace slipstream::sql {
namespace {

double SumOf(const std::vector<double>& values) {
  ExactSum sum;
  for (double value : values)
    sum.Add(value);
  return sum.Round();
}

TEST(ExactSumTest, WhatPlainAdditionLosesIsKept) {
  EXPECT_EQ(SumOf({}), 0.0);
  EXPECT_EQ(SumOf({1e16, 1, -1e16}), 1.0);
  EXPECT_EQ(SumOf({0.1, 0.2, 0.3, -0.6}), 2.7755575615628914e-17);
  EXPECT_EQ(SumOf({1e308, 1e308, -1e308}), 1e308);
  EXPECT_EQ(SumOf({5e-324, 1, -1}), 5e-324);
  EXPECT_EQ(SumOf({1e308, 1, -1e308, 1e-300}), 1.0);
  EXPECT_EQ(SumOf({1e-300, 1e-320, -1e-300}), 1e-320);
}

TEST(ExactSumTest, RoundsOnceTiesToEven) {
  const double ulp = std::ldexp(1.0, -52);
  EXPECT_EQ(SumOf({1, ulp / 2}), 1.0);
  EXPECT_EQ(SumOf({1 + ulp, ulp / 2}), 1 + 2 * ulp);
  EXPECT_EQ(SumOf({1, ulp / 2, 1e-300}), 1 + ulp);
  EXPECT_EQ(SumOf({-1, -ulp / 2, -1e-300}), -1 - ulp);
}

TEST(ExactSumTest, BeyondTheRangeIsInfinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(SumOf({1.7e308, 1.7e308}), infinity);
  EXPECT_EQ(SumOf({-1.7e308, -1.7e308}), -infinity);
  EXPECT_EQ(SumOf({infinity, 1}), infinity);
  EXPECT_TRUE(std::isnan(SumOf({infinity, -infinity})));
  EXPECT_TRUE(std::isnan(SumOf({std::nan(""), 1})));
}

// The goal: neither order, nor merging, nor saving shows in the result.
TEST(ExactSumTest, DoesNotDependOnOrderMergingOrSaving) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> values;
    for (int i = 0; i < 200; ++i) {
      const int exponent =
          static_cast<int>(random() % (round % 2 == 0 ? 60 : 1800)) - (round % 2 == 0 ? 40 : 900);
      const double mantissa = static_cast<double>(random() % 1'000'000'007) - 5e8;
      values.push_back(std::ldexp(mantissa, exponent));
    }
    const double expected = SumOf(values);
    std::shuffle(values.begin(), values.end(), random);
    ExactSum first;
    ExactSum second;
    for (size_t i = 0; i < values.size(); ++i) {
      (i % 3 == 0 ? first : second).Add(values[i]);
      if (i % 50 != 0) continue;
      std::string saved;
      first.Save(saved);
      std::string_view bytes = saved;
      ExactSum restored;
      ASSERT_EQ(restored.Restore(bytes), Status());
      EXPECT_TRUE(bytes.empty());
      first = restored;
    }
    first.Add(second);
    EXPECT_EQ(first.Round(), expected) << "round " << round;
  }
}

TEST(ExactSumTest, AgreesWithLongDoubleWhereThatIsExact) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 100; ++round) {
    ExactSum sum;
    long double reference = 0;
    for (int i = 0; i < 100; ++i) {
      const double value =
          static_cast<double>(static_cast<int64_t>(random() % 2'000'001) - 1'000'000) / 1024;
      sum.Add(value);
      reference += static_cast<long double>(value);
    }
    EXPECT_EQ(sum.Round(), static_cast<double>(reference));
  }
}

TEST(ExactSumTest, DamagedBytesAreRefused) {
  ExactSum sum;
  sum.Add(1e300);
  std::string saved;
  sum.Save(saved);
  for (size_t size = 0; size < saved.size(); ++size) {
    std::string_view cut(saved.data(), size);
    ExactSum restored;
    EXPECT_EQ(restored.Restore(cut).code(), Code::kDataLoss) << size;
  }
}

// Added to, digits out of range would overflow.
TEST(ExactSumTest, DigitsThatNoSumHasAreRefused) {
  ExactSum sum;
  sum.Add(1e300);
  std::string saved;
  sum.Save(saved);
  for (const char top : {'\x7f', '\xff', '\x01'}) {
    std::string damaged = saved;
    damaged.back() = top;
    std::string_view bytes = damaged;
    EXPECT_EQ(ExactSum().Restore(bytes).code(), Code::kDataLoss);
  }
}

TEST(ExactSumTest, NegativeSumsComeBack) {
  for (const double value : {-1e300, -5e-324, -1.7976931348623157e308}) {
    ExactSum sum;
    sum.Add(value);
    sum.Add(value / 2);
    std::string saved;
    sum.Save(saved);
    std::string_view bytes = saved;
    ExactSum restored;
    ASSERT_EQ(restored.Restore(bytes), Status());
    EXPECT_EQ(restored.Round(), sum.Round());
  }
}

}  // namespace
}  // namespace slipstream::sql
