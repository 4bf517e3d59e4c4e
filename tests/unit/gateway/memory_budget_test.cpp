#include "gateway/http/memory_budget.h"

#include <optional>

#include <gtest/gtest.h>

namespace slipstream::gateway::http {
namespace {

TEST(MemoryBudgetTest, GivesWhatIsThereAndTakesItBack) {
  MemoryBudget budget(100);
  {
    MemoryBudget::Share share;
    auto waiting = budget.Reserve(60, [&](MemoryBudget::Share given) { share = std::move(given); });
    EXPECT_EQ(share.bytes(), 60U);
    EXPECT_EQ(budget.free_bytes(), 40U);
  }
  EXPECT_EQ(budget.free_bytes(), 100U);
}

TEST(MemoryBudgetTest, SmallOnesDoNotOvertakeALargeOne) {
  MemoryBudget budget(100);
  std::optional<MemoryBudget::Share> first;
  std::optional<MemoryBudget::Share> large;
  std::optional<MemoryBudget::Share> small;
  auto a = budget.Reserve(50, [&](MemoryBudget::Share share) { first = std::move(share); });
  auto b = budget.Reserve(80, [&](MemoryBudget::Share share) { large = std::move(share); });
  auto c = budget.Reserve(10, [&](MemoryBudget::Share share) { small = std::move(share); });
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(large.has_value());
  EXPECT_FALSE(small.has_value());

  first.reset();

  EXPECT_TRUE(large.has_value());
  EXPECT_TRUE(small.has_value());
  EXPECT_EQ(budget.free_bytes(), 10U);
}

TEST(MemoryBudgetTest, WhoGivesUpWaitingLetsOthersThrough) {
  MemoryBudget budget(100);
  std::optional<MemoryBudget::Share> first;
  std::optional<MemoryBudget::Share> small;
  bool is_large_granted = false;
  auto a = budget.Reserve(50, [&](MemoryBudget::Share share) { first = std::move(share); });
  auto b = budget.Reserve(80, [&](MemoryBudget::Share) { is_large_granted = true; });
  auto c = budget.Reserve(10, [&](MemoryBudget::Share share) { small = std::move(share); });

  b = {};
  first.reset();

  EXPECT_FALSE(is_large_granted);
  EXPECT_TRUE(small.has_value());
}

TEST(MemoryBudgetTest, MoreThanThereIsIsAll) {
  MemoryBudget budget(100);
  MemoryBudget::Share share;
  auto waiting =
      budget.Reserve(1'000, [&](MemoryBudget::Share given) { share = std::move(given); });
  EXPECT_EQ(share.bytes(), 100U);
}

}  // namespace
}  // namespace slipstream::gateway::http
