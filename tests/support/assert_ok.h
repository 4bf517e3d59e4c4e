#pragma once

#include <utility>

#include <gtest/gtest.h>

#include "common/status/status.h"

namespace slipstream::test_support {

inline Status StatusOf(Status status) {
  return status;
}
template <class T>
Status StatusOf(const Result<T>& result) {
  return result.status();
}

}  // namespace slipstream::test_support

// Fails the test (EXPECT goes on, ASSERT returns) unless a Status or a Result is OK, and prints it.
#define EXPECT_OK(expr)                                                                          \
  EXPECT_PRED_FORMAT1(                                                                           \
      [](const char* text, const ::slipstream::Status& status) {                                 \
        return status.ok() ? ::testing::AssertionSuccess()                                       \
                           : ::testing::AssertionFailure() << text << ": " << status.ToString(); \
      },                                                                                         \
      ::slipstream::test_support::StatusOf(expr))
#define ASSERT_OK(expr)                                                                          \
  ASSERT_PRED_FORMAT1(                                                                           \
      [](const char* text, const ::slipstream::Status& status) {                                 \
        return status.ok() ? ::testing::AssertionSuccess()                                       \
                           : ::testing::AssertionFailure() << text << ": " << status.ToString(); \
      },                                                                                         \
      ::slipstream::test_support::StatusOf(expr))

// ASSERT_OK_AND_ASSIGN(auto x, expr): x is the value of a Result, or the test fails here.
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_IMPL(SLIPSTREAM_CONCAT(assert_ok_result_, __LINE__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_IMPL(result, lhs, expr)                       \
  auto result = (expr);                                                    \
  ASSERT_TRUE(result.ok()) << #expr << ": " << result.status().ToString(); \
  lhs = std::move(result).value()
