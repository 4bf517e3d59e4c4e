#include "dfs-master/durable_answers.h"

#include <future>

#include <gtest/gtest.h>

namespace slipstream::dfs::master {
namespace {

TEST(DurableAnswersTest, OneWaitServesAllThatCameDuringTheLast) {
  std::promise<void> first_is_waited_for;
  std::promise<void> may_go_on;
  std::vector<uint64_t> waits;
  std::vector<uint64_t> given;
  {
    DurableAnswers answers([&](uint64_t position) {
      waits.push_back(position);
      if (waits.size() == 1) {
        first_is_waited_for.set_value();
        may_go_on.get_future().wait();
      }
      return Status();
    });
    answers.Add(1, [&](const Status& status) { given.push_back(status.ok() ? 1 : 0); });
    first_is_waited_for.get_future().wait();
    for (uint64_t position : {7U, 9U, 8U})
      answers.Add(position, [&, position](const Status&) { given.push_back(position); });
    EXPECT_TRUE(given.empty()) << "nothing is durable yet";
    may_go_on.set_value();
  }
  EXPECT_EQ(waits, (std::vector<uint64_t>{1, 9}));
  EXPECT_EQ(given, (std::vector<uint64_t>{1, 7, 9, 8})) << "the destructor gives what is left";
}

TEST(DurableAnswersTest, WhatCannotBecomeDurableIsAnError) {
  Status given;
  {
    DurableAnswers answers([](uint64_t) { return Unavailable("disk"); });
    answers.Add(3, [&](const Status& status) { given = status; });
  }
  EXPECT_EQ(given.code(), Code::kUnavailable);
}

}  // namespace
}  // namespace slipstream::dfs::master
