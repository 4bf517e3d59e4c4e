#include "processor/expr/date_pattern.h"

#include <string>

#include <gtest/gtest.h>

namespace slipstream::sql {
namespace {

TEST(DatePatternTest, ALetterStandsThereAsOftenAsANumberHasDigits) {
  const Result<DatePattern> longest = DatePattern::Parse(std::string(18, 'd'));
  ASSERT_TRUE(longest.ok());
  EXPECT_EQ(longest->Read("000000000000000002"), 86'400'000'000);
  EXPECT_FALSE(longest->Read("999999999999999999").has_value());

  EXPECT_EQ(DatePattern::Parse(std::string(19, 'd')).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipstream::sql
