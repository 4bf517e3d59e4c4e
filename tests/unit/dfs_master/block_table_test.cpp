// The packed containers against plain ones, over random histories.

#include "dfs-master/block_table.h"

#include <map>
#include <optional>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "dfs-master/block_id_set.h"

namespace slipstream::dfs::master {
namespace {

bool IsSame(const BlockTable::Entry& left, const BlockTable::Entry& right) {
  bool is_same = left.block == right.block && left.replication == right.replication &&
                 left.is_committed == right.is_committed &&
                 left.replicas.size() == right.replicas.size();
  for (size_t i = 0; is_same && i < left.replicas.size(); ++i) {
    is_same = left.replicas[i].node == right.replicas[i].node &&
              left.replicas[i].is_confirmed == right.replicas[i].is_confirmed &&
              left.replicas[i].is_bad == right.replicas[i].is_bad;
  }
  return is_same;
}

BlockTable::Entry RandomEntry(BlockId id, std::mt19937& random) {
  BlockTable::Entry entry{.block = {.id = id,
                                    .raw_bytes = static_cast<uint32_t>(random()),
                                    .stored_bytes = static_cast<uint32_t>(random()),
                                    .crc32c = static_cast<uint32_t>(random())},
                          .replication = static_cast<uint8_t>(random() % 17),
                          .is_committed = random() % 2 == 0};
  const size_t count = random() % 4 == 0 ? random() % 9 : random() % 3;
  for (size_t i = 0; i < count; ++i) {
    entry.replicas.push_back({.node = static_cast<NodeNumber>(1 + i * 7),
                              .is_confirmed = random() % 2 == 0,
                              .is_bad = random() % 2 == 0});
  }
  return entry;
}

TEST(BlockTableTest, KeepsWhatAMapWouldKeep) {
  std::mt19937 random(7);
  BlockTable table;
  std::map<BlockId, BlockTable::Entry> model;
  for (int step = 0; step < 20'000; ++step) {
    // Dense and lonely ids, the ends of pages among them.
    const BlockId id = random() % 8 == 0 ? random() % 64 * 256'000 + 255 : 1 + random() % 1'500;
    if (random() % 3 == 0) {
      table.Erase(id);
      model.erase(id);
    } else {
      model[id] = RandomEntry(id, random);
      table.Put(model[id]);
    }
    ASSERT_EQ(table.size(), model.size());
    ASSERT_EQ(table.Contains(id), model.contains(id));
  }

  std::vector<BlockId> ids;
  for (const auto& [id, entry] : model) {
    ASSERT_TRUE(IsSame(*table.Find(id), entry)) << id;
    ids.push_back(id);
  }
  EXPECT_EQ(table.IdsIn({.first = 0, .count = uint64_t{1} << 40}, ids.size()), ids);
  for (int number : {1, 8, 29, 50}) {
    const auto node = static_cast<NodeNumber>(number);
    std::set<BlockId> expected;
    for (const auto& [id, entry] : model) {
      for (const auto& replica : entry.replicas)
        if (replica.node == node) expected.insert(id);
    }
    std::set<BlockId> found;
    table.ForEachOn(node, [&](const BlockTable::Entry& entry) { found.insert(entry.block.id); });
    EXPECT_EQ(found, expected);
  }
}

TEST(BlockTableTest, EntriesMayChangeWhileTheyAreVisited) {
  BlockTable table;
  for (BlockId id = 1; id <= 1'000; ++id)
    table.Put({.block = {.id = id}, .replication = 2, .replicas = {{.node = 3}}});

  table.ForEachOn(3, [&](BlockTable::Entry entry) {
    if (entry.block.id % 2 == 0) entry.replicas.clear();
    for (NodeNumber node = 4; entry.block.id % 3 == 0 && node < 10; ++node)
      entry.replicas.push_back({.node = node});
    table.Put(entry);
  });

  EXPECT_TRUE(table.Find(2)->replicas.empty());
  EXPECT_EQ(table.Find(3)->replicas.size(), 7U);
  EXPECT_EQ(table.Find(6)->replicas.size(), 6U);
}

TEST(BlockIdSetTest, KeepsWhatASetWouldKeep) {
  std::mt19937 random(11);
  BlockIdSet ids;
  std::set<BlockId> model;
  for (int step = 0; step < 20'000; ++step) {
    const BlockId id = random() % 8 == 0 ? ~BlockId{0} - random() % 3 : random() % 700;
    if (random() % 2 == 0) {
      ids.Insert(id);
      model.insert(id);
    } else {
      ids.Erase(id);
      model.erase(id);
    }
    ASSERT_EQ(ids.size(), model.size());
    ASSERT_EQ(ids.Contains(id), model.contains(id));
    if (step % 50 != 0) continue;
    const size_t limit = random() % 20;
    std::vector<BlockId> expected;
    for (auto it = model.upper_bound(id); it != model.end() && expected.size() < limit; ++it)
      expected.push_back(*it);
    ASSERT_EQ(ids.Above(id, limit), expected) << id;
  }
  ids.Clear();
  EXPECT_TRUE(ids.Above(0, 10).empty());
}

TEST(BlockTableTest, GoesThroughANodesBlocksInParts) {
  BlockTable table;
  std::set<BlockId> expected;
  for (BlockId id = 1; id <= 2'000; id += 3) {
    BlockTable::Entry entry{.block = {.id = id, .raw_bytes = 1, .stored_bytes = 1}};
    entry.replicas.push_back({.node = static_cast<NodeNumber>(1 + id % 2)});
    table.Put(entry);
    if (id % 2 == 1) expected.insert(id);
  }

  std::set<BlockId> found;
  size_t parts = 0;
  std::optional<BlockId> begin = 0;
  while (begin.has_value()) {
    ++parts;
    begin = table.ForSomeOn(2, *begin, 100, [&](const BlockTable::Entry& entry) {
      EXPECT_TRUE(found.insert(entry.block.id).second);
    });
  }

  EXPECT_EQ(found, expected);
  EXPECT_GT(parts, 3U);
}

}  // namespace
}  // namespace slipstream::dfs::master
