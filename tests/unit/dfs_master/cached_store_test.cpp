#include "dfs-master/cached_store.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dfs-master/memory_store.h"
#include "tests/support/assert_ok.h"

namespace slipstream::dfs::master {
namespace {

WriteBatch PutOf(const std::string& key, const std::string& value) {
  WriteBatch batch;
  batch.Put(Table::kInodes, key, value);
  return batch;
}

TEST(CachedStoreTest, GivesWhatTheStoreBeneathHasAndWhatIsChangedThroughIt) {
  MemoryStore memory;
  ASSERT_OK(memory.Apply(PutOf("a", "1")));
  CachedStore store(memory, 1 << 20);
  EXPECT_EQ(*store.Get(Table::kInodes, "a"), "1");
  EXPECT_EQ(*store.Get(Table::kInodes, "b"), std::nullopt);
  EXPECT_EQ(*store.Get(Table::kQuotas, "a"), std::nullopt) << "another table";
  WriteBatch batch;
  batch.Put(Table::kInodes, "b", "2");
  batch.Delete(Table::kInodes, "a");
  ASSERT_OK(store.Apply(batch));
  EXPECT_EQ(*store.Get(Table::kInodes, "a"), std::nullopt);
  EXPECT_EQ(*store.Get(Table::kInodes, "b"), "2");
  EXPECT_EQ(*memory.Get(Table::kInodes, "b"), "2");
}

TEST(CachedStoreTest, AsksTheStoreBeneathOnce) {
  MemoryStore memory;
  ASSERT_OK(memory.Apply(PutOf("a", "1")));
  CachedStore store(memory, 1 << 20);
  EXPECT_EQ(*store.Get(Table::kInodes, "a"), "1");
  EXPECT_EQ(*store.Get(Table::kInodes, "none"), std::nullopt);
  // Behind its back, which nobody may: only so does it show where an answer comes from.
  ASSERT_OK(memory.Apply(PutOf("a", "2")));
  ASSERT_OK(memory.Apply(PutOf("none", "2")));
  EXPECT_EQ(*store.Get(Table::kInodes, "a"), "1");
  EXPECT_EQ(*store.Get(Table::kInodes, "none"), std::nullopt);
}

TEST(CachedStoreTest, LetsGoOfTheLongestUnused) {
  MemoryStore memory;
  const std::string value(1'000, 'x');
  for (int i = 0; i < 100; ++i)
    ASSERT_OK(memory.Apply(PutOf(std::to_string(i), value)));
  constexpr size_t kCapacity = 20'000;
  CachedStore store(memory, kCapacity);
  ASSERT_OK(store.Get(Table::kInodes, "0"));
  for (int i = 1; i < 100; ++i) {
    ASSERT_OK(store.Get(Table::kInodes, std::to_string(i)));
    ASSERT_OK(store.Get(Table::kInodes, "0"));  // stays
    EXPECT_LE(store.used_bytes(), kCapacity);
  }
  EXPECT_GT(store.used_bytes(), kCapacity / 2);
  ASSERT_OK(memory.Apply(PutOf("0", "new")));
  ASSERT_OK(memory.Apply(PutOf("1", "new")));
  EXPECT_EQ(*store.Get(Table::kInodes, "0"), value) << "from memory";
  EXPECT_EQ(*store.Get(Table::kInodes, "1"), "new") << "was pushed out";
}

TEST(CachedStoreTest, KeepsNothingForAHint) {
  MemoryStore memory;
  ASSERT_OK(memory.Apply(PutOf("a", "1")));
  CachedStore store(memory, 1 << 20);
  const std::vector<std::string> keys = {"a", "none"};
  store.Prefetch(Table::kInodes, keys);
  EXPECT_EQ(store.used_bytes(), 0U);
  EXPECT_EQ(*store.Get(Table::kInodes, "a"), "1");
  EXPECT_EQ(*store.Get(Table::kInodes, "none"), std::nullopt);
}

TEST(CachedStoreTest, DoesNotKeepLargeValues) {
  MemoryStore memory;
  CachedStore store(memory, 1 << 20);
  ASSERT_OK(memory.Apply(PutOf("a", std::string(5'000, 'x'))));
  EXPECT_EQ((*store.Get(Table::kInodes, "a"))->size(), 5'000U);
  EXPECT_EQ(store.used_bytes(), 0U);
  // One that was small, too.
  ASSERT_OK(store.Get(Table::kInodes, "b"));
  ASSERT_OK(store.Apply(PutOf("b", std::string(5'000, 'y'))));
  EXPECT_EQ((*store.Get(Table::kInodes, "b"))->size(), 5'000U);
}

TEST(CachedStoreTest, IsTheStoreBeneathWhateverIsDone) {
  MemoryStore memory;
  CachedStore store(memory, 3'000);
  std::mt19937_64 random(1);
  for (int step = 0; step < 20'000; ++step) {
    const Table table = random() % 2 == 0 ? Table::kInodes : Table::kMeta;
    const std::string key = std::to_string(random() % 60);
    if (random() % 3 == 0) {
      WriteBatch batch;
      for (size_t i = 0; i <= random() % 3; ++i) {
        const std::string changed = std::to_string(random() % 60);
        if (random() % 3 == 0) {
          batch.Delete(table, changed);
        } else {
          batch.Put(table, changed, std::string(random() % 80, 'a' + static_cast<char>(step % 26)));
        }
      }
      ASSERT_OK(store.Apply(batch));
    }
    const std::vector<std::string> hinted = {key, std::to_string(random() % 60)};
    store.Prefetch(table, hinted);
    ASSERT_EQ(*store.Get(table, key), *memory.Get(table, key)) << "step " << step;
    ASSERT_LE(store.used_bytes(), 3'000U);
  }
}

}  // namespace
}  // namespace slipstream::dfs::master
