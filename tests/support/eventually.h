#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <type_traits>

#include <gtest/gtest.h>

#include "common/status/status.h"

namespace slipstream::test_support {

// Calls `predicate` until it returns true (or an OK Status), and fails when that has not happened
// within `deadline`; the last Status is then part of the message. Tests of real processes wait
// this way, never by sleeping for a time that is hoped to be enough:
//   ASSERT_TRUE(Eventually([&] { return client.Count("flights") == 100; }));
// A deadline is generous, because it is paid only by a test that fails.
template <class Predicate>
::testing::AssertionResult Eventually(
    Predicate predicate,
    std::chrono::milliseconds deadline = std::chrono::seconds(60),
    std::chrono::milliseconds period = std::chrono::milliseconds(20)) {
  const auto give_up_at = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    std::string last = "false";
    if constexpr (std::is_same_v<std::invoke_result_t<Predicate>, Status>) {
      const Status status = predicate();
      if (status.ok()) return ::testing::AssertionSuccess();
      last = status.ToString();
    } else {
      if (predicate()) return ::testing::AssertionSuccess();
    }
    if (std::chrono::steady_clock::now() >= give_up_at) {
      return ::testing::AssertionFailure()
             << "not within " << deadline.count() << " ms; last: " << last;
    }
    std::this_thread::sleep_for(period);
  }
}

}  // namespace slipstream::test_support
