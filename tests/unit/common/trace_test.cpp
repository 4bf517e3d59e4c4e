#include "common/trace/trace.h"

#include <thread>

#include <gtest/gtest.h>

namespace slipstream::trace {
namespace {

constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceTest, AHeaderIsReadAsTheStandardHasIt) {
  const auto id = FromHeader(kExample);
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->ToString(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(FromHeader(ToHeader(*id)), id);
  // A later version, with more behind a dash.
  EXPECT_EQ(FromHeader("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what"), id);
}

TEST(TraceTest, WhatIsNoHeaderHasNoId) {
  for (const std::string_view wrong : {"",
                                       "00",
                                       "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                                       "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
                                       "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
                                       "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                       "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                       "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                       "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
                                       "00 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    EXPECT_FALSE(FromHeader(wrong).has_value()) << wrong;
  }
}

TEST(TraceTest, IdsDiffer) {
  EXPECT_NE(NewId(), NewId());
  EXPECT_TRUE(NewId().is_set());
}

TEST(TraceTest, AScopeIsItsThreadsAndEndsWithWhatWasBefore) {
  EXPECT_FALSE(Current().is_set());
  const Id outer{.high = 1, .low = 2};
  const Id inner{.high = 3, .low = 4};
  {
    const Scope first(outer);
    {
      const Scope second(inner);
      EXPECT_EQ(Current(), inner);
      std::jthread([] { EXPECT_FALSE(Current().is_set()); });
    }
    EXPECT_EQ(Current(), outer);
  }
  EXPECT_FALSE(Current().is_set());
}

}  // namespace
}  // namespace slipstream::trace
