#include "processor/operators/due_keys.h"

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/sql/tiny_scratch.h"

namespace slipstream::sql {
namespace {

using Entries = std::set<std::pair<int64_t, std::string>>;

// What is added and taken out in any order comes in that of a set.
void ExpectOrder(DueKeys& keys, uint64_t seed) {
  std::mt19937_64 random(seed);
  Entries expected;
  for (int step = 0; step < 3'000; ++step) {
    const bool grows = step % 500 < 300;
    if (expected.empty() || random() % 4 < (grows ? 3 : 1)) {
      const auto due = static_cast<int64_t>(random() % 100) - 50;
      const std::string key(random() % 30, static_cast<char>(random()));
      keys.Add(due, key);
      expected.emplace(due, key);
    } else {
      const auto [due, key] = *expected.begin();
      ASSERT_FALSE(keys.empty());
      ASSERT_EQ(keys.first().due, due);
      const DueKeys::Entry entry = keys.Pop();
      ASSERT_EQ(entry.due, due);
      ASSERT_EQ(entry.key, key);
      expected.erase(expected.begin());
    }
    if (random() % 3 == 0) keys.Trim();
    ASSERT_EQ(keys.empty(), expected.empty());
  }
}

TEST(DueKeysTest, AreInOrderInMemory) {
  DueKeys keys;
  ExpectOrder(keys, 1);
}

TEST(DueKeysTest, AreInOrderWithAllButTheFirstOutOfMemory) {
  TinyScratch scratch;
  const auto space = scratch.get()->NewSpace();
  DueKeys keys;
  keys.SpillTo(*space);
  ExpectOrder(keys, 2);
  EXPECT_GT(scratch.get()->counters().reads_found, 100U);
}

TEST(DueKeysTest, AreInOrderWhenSomeFitIntoMemory) {
  TinyScratch scratch(/*cache_bytes=*/4'000);
  const auto space = scratch.get()->NewSpace();
  DueKeys keys;
  keys.SpillTo(*space);
  ExpectOrder(keys, 3);
  EXPECT_GT(scratch.get()->counters().reads_found, 0U);
}

}  // namespace
}  // namespace slipstream::sql
