#include "dfs-master/block_map.h"

#include <gtest/gtest.h>

namespace slipstream::dfs::master {
namespace {

constexpr NodeNumber kA = 1;
constexpr NodeNumber kB = 2;

class BlockMapTest : public ::testing::Test {
 protected:
  BlockMapTest() {
    map_.SetCounted(kA, true);
    map_.SetCounted(kB, true);
  }
  static Block ABlock(BlockId id) {
    return {.id = id, .raw_bytes = 10, .stored_bytes = 5, .crc32c = 3};
  }
  static FileBlock Held(BlockId id, std::vector<NodeNumber> holders) {
    return {.block = ABlock(id), .replication = 2, .first_holders = std::move(holders)};
  }
  static Now At(int seconds) {
    return {.steady = SteadyTime(std::chrono::seconds(1'000 + seconds)), .wall = {}};
  }
  bool Report(NodeNumber node, const std::vector<Block>& replicas, uint64_t sequence, Now now) {
    BlockIdSet reported;
    if (!map_.ReportPart(node, replicas, sequence, reported)) return false;
    BlockId position = 0;
    auto end = BlockMap::ReportEnd::kHasMore;
    while (end == BlockMap::ReportEnd::kHasMore)
      end = map_.EndReport(node, sequence, reported, now, position);
    return end == BlockMap::ReportEnd::kDone;
  }
  void BeginSession(NodeNumber node) {
    BlockId position = 0;
    while (map_.BeginSession(node, position)) {
    }
  }
  bool Has(BlockId id, NodeNumber node) const {
    const auto entry = map_.Find(id);
    for (const auto& replica : entry->replicas) {
      if (replica.node == node) return true;
    }
    return false;
  }

  BlockMap map_;
};

TEST_F(BlockMapTest, ABadReplicaIsForgottenWithItsNode) {
  map_.Prepare(Held(1, {kA, kB}), At(0));
  map_.Commit(1);
  map_.Corrupt(kA, 1, 1);
  EXPECT_EQ(map_.counts().bad_replicas, 1U);

  map_.SetCounted(kA, false);

  EXPECT_EQ(map_.counts().bad_replicas, 0U);
  EXPECT_EQ(map_.Trimmable(0, 10).size(), 0U);
  // It was one all the same, should the node come back.
  map_.SetCounted(kA, true);
  EXPECT_EQ(map_.counts().bad_replicas, 1U);
}

TEST_F(BlockMapTest, WritersWordCountsButDoesNotConfirm) {
  map_.Prepare(Held(1, {kA, kB}), At(0));
  map_.Commit(1);

  EXPECT_EQ(map_.CountGood(*map_.Find(1)), 2U);
  EXPECT_EQ(map_.counts().unconfirmed, 1U);
  map_.Added(kA, ABlock(1), 1);
  EXPECT_EQ(map_.counts().unconfirmed, 0U);
}

TEST_F(BlockMapTest, ReplicaReportedBeforeItsPrepareIsConfirmedByIt) {
  map_.Added(kA, ABlock(1), 1);
  EXPECT_EQ(map_.strays().size(), 1U);

  map_.Prepare(Held(1, {kA, kB}), At(0));
  map_.Commit(1);

  EXPECT_EQ(map_.counts().unconfirmed, 0U);
  EXPECT_TRUE(map_.strays().empty());
}

TEST_F(BlockMapTest, ReplicaOfAnotherContentIsBadAndDoesNotCount) {
  map_.Load(Held(1, {}), true);
  Block other = ABlock(1);
  other.crc32c ^= 1;

  map_.Added(kA, other, 1);
  map_.Added(kB, ABlock(1), 1);

  EXPECT_EQ(map_.counts().bad_replicas, 1U);
  EXPECT_EQ(map_.counts().under_replicated, 1U);
  EXPECT_EQ(map_.Trimmable(0, 9), std::vector<BlockId>{1});
}

TEST_F(BlockMapTest, OlderFullReportTakesNothingNewerAway) {
  map_.Load(Held(1, {}), true);
  map_.Load(Held(2, {}), true);
  map_.Added(kA, ABlock(1), 5);
  map_.Added(kA, ABlock(2), 6);
  map_.Removed(kA, 2, 7);

  ASSERT_TRUE(Report(kA, std::vector<Block>{ABlock(2)}, 4, At(0)));

  EXPECT_TRUE(Has(1, kA));
  EXPECT_FALSE(Has(2, kA));
}

// Both of the same session, the first sent twice and its copy late.
TEST_F(BlockMapTest, ALateCopyOfAReportTakesNothingAwayAndBringsNothingBack) {
  for (BlockId id : {1U, 2U, 3U})
    map_.Load(Held(id, {}), true);
  const std::vector<Block> first = {ABlock(1), ABlock(2)};
  ASSERT_TRUE(Report(kA, first, 5, At(0)));
  ASSERT_TRUE(Report(kA, std::vector<Block>{ABlock(1), ABlock(3)}, 8, At(1)));

  ASSERT_TRUE(Report(kA, first, 5, At(2)));

  EXPECT_TRUE(Has(1, kA));
  EXPECT_FALSE(Has(2, kA));
  EXPECT_TRUE(Has(3, kA));
}

TEST_F(BlockMapTest, NewerFullReportReplacesWhatWasKnown) {
  map_.Load(Held(1, {}), true);
  map_.Load(Held(2, {}), true);
  map_.Added(kA, ABlock(1), 5);

  ASSERT_TRUE(Report(kA, std::vector<Block>{ABlock(2)}, 6, At(0)));

  EXPECT_FALSE(Has(1, kA));
  EXPECT_TRUE(Has(2, kA));
  EXPECT_EQ(map_.counts().missing, 1U);
  EXPECT_EQ(map_.replica_count(kA), 1U);
}

TEST_F(BlockMapTest, FreshAcknowledgementOutlivesAReportWithoutItForAMinute) {
  map_.Prepare(Held(1, {kA, kB}), At(0));

  ASSERT_TRUE(Report(kA, {}, 9, At(30)));
  EXPECT_TRUE(Has(1, kA));
  ASSERT_TRUE(Report(kA, {}, 9, At(61)));
  EXPECT_FALSE(Has(1, kA));
}

TEST_F(BlockMapTest, AWordOfBeforeTheSessionEndsWithItsFirstReport) {
  map_.Prepare(Held(1, {kA, kB}), At(0));

  BeginSession(kA);
  map_.Prepare(Held(2, {kA, kB}), At(5));
  ASSERT_TRUE(Report(kA, {}, 9, At(10)));

  EXPECT_FALSE(Has(1, kA));
  EXPECT_EQ(map_.UnderReplicated({}, 9), (std::vector<BlockMap::Scarce>{{1, 1}}));
  // That report may have begun before block 2 was there.
  EXPECT_TRUE(Has(2, kA));
}

TEST_F(BlockMapTest, AWordIsOldUntilTheNodeSpeaksOfTheBlock) {
  for (BlockId id : {1U, 2U, 3U, 4U, 5U})
    map_.Prepare(Held(id, {kA}), At(0));
  EXPECT_FALSE(map_.HasOldWord(kA, At(60)));
  EXPECT_TRUE(map_.HasOldWord(kA, At(61)));
  EXPECT_FALSE(map_.HasOldWord(kB, At(61)));

  map_.Added(kA, ABlock(1), 1);
  map_.Removed(kA, 2, 2);
  map_.Corrupt(kA, 3, 3);
  map_.Discard(4);
  EXPECT_TRUE(map_.HasOldWord(kA, At(61)));
  ASSERT_TRUE(Report(kA, {ABlock(1)}, 3, At(61)));

  EXPECT_FALSE(map_.HasOldWord(kA, At(61)));
  EXPECT_FALSE(Has(5, kA));
  // A request sent again says nothing new of what the node has told.
  map_.Prepare(Held(1, {kA}), At(61));
  EXPECT_FALSE(map_.HasOldWord(kA, At(200)));
}

TEST_F(BlockMapTest, DeadNodesReplicasDoNotCountUntilItIsBack) {
  map_.Load(Held(1, {}), true);
  map_.Added(kA, ABlock(1), 1);
  map_.Added(kB, ABlock(1), 1);

  map_.SetCounted(kA, false);
  EXPECT_EQ(map_.counts().under_replicated, 1U);
  map_.SetCounted(kB, false);
  EXPECT_EQ(map_.counts().missing, 1U);
  map_.SetCounted(kA, true);
  map_.SetCounted(kB, true);

  EXPECT_EQ(map_.counts().under_replicated + map_.counts().missing, 0U);
}

TEST_F(BlockMapTest, DiscardedBlocksReplicasBecomeStrays) {
  map_.Prepare(Held(1, {kA, kB}), At(0));

  map_.Discard(1);

  EXPECT_FALSE(map_.Contains(1));
  EXPECT_EQ(map_.strays().at(1).size(), 2U);
  EXPECT_EQ(map_.counts().missing + map_.counts().under_replicated, 0U);
  map_.Removed(kA, 1, 3);
  map_.Removed(kB, 1, 3);
  EXPECT_TRUE(map_.strays().empty());
}

TEST_F(BlockMapTest, NewSessionUnconfirms) {
  map_.Load(Held(1, {}), true);
  map_.Added(kA, ABlock(1), 7);

  BeginSession(kA);
  EXPECT_EQ(map_.counts().unconfirmed, 1U);
  // Numbers begin anew in a new session.
  map_.Added(kA, ABlock(1), 1);

  EXPECT_EQ(map_.counts().unconfirmed, 0U);
}

// The beginning of a large node's session is in steps, between which others go on.
TEST_F(BlockMapTest, WhatComesBetweenTheStepsOfASessionsBeginningIsKept) {
  constexpr BlockId kBlocks = 120'000;
  for (BlockId id = 1; id <= kBlocks; ++id) {
    map_.Load(Held(id, {}), true);
    map_.Added(kA, ABlock(id), 7);
  }
  BlockId position = 0;
  ASSERT_TRUE(map_.BeginSession(kA, position));
  EXPECT_GT(map_.counts().unconfirmed, 0U);
  EXPECT_LT(map_.counts().unconfirmed, kBlocks);

  map_.Added(kB, ABlock(kBlocks), 1);
  map_.Discard(1);
  map_.Discard(kBlocks - 1);
  map_.Prepare(Held(kBlocks + 1, {kA}), At(0));
  map_.SetCounted(kA, false);
  map_.SetCounted(kA, true);
  while (map_.BeginSession(kA, position)) {
  }
  while (map_.FollowPresence()) {
  }

  EXPECT_EQ(map_.counts().unconfirmed, kBlocks - 3);
  EXPECT_EQ(map_.replica_count(kA), kBlocks - 1);
  // Of this session, and believed for its minute; numbers begin anew.
  ASSERT_TRUE(Report(kA, {ABlock(2)}, 1, At(30)));
  EXPECT_TRUE(Has(2, kA) && Has(kBlocks + 1, kA));
  EXPECT_EQ(map_.replica_count(kA), 2U);
  EXPECT_EQ(map_.counts().unconfirmed, kBlocks - 4);
}

TEST_F(BlockMapTest, LiveIdsOfSmallAndLargeRanges) {
  for (BlockId id : {3U, 5U, 900U})
    map_.Load(Held(id, {}), true);

  EXPECT_EQ(map_.LiveIds({.first = 4, .count = 2}, 10), (std::vector<BlockId>{5}));
  EXPECT_EQ(map_.LiveIds({.first = 1, .count = 10'000}, 3), (std::vector<BlockId>{3, 5, 900}));
  EXPECT_EQ(map_.LiveIds({.first = 1, .count = 10'000}, 2), (std::vector<BlockId>{3, 5}));
}

TEST_F(BlockMapTest, WhatWasDiscardedWhileBlocksAreReadDoesNotComeBack) {
  map_.BeginLoad();
  map_.Load(Held(1, {}), true);
  map_.Discard(1);
  map_.Discard(2);
  map_.SetReplication(3, 5);
  for (BlockId id : {1U, 2U, 3U})
    map_.Load(Held(id, {}), true);
  map_.EndLoad();

  EXPECT_EQ(map_.size(), 1U);
  EXPECT_EQ(map_.Find(3)->replication, 5);
}

TEST_F(BlockMapTest, BrokenReportTakesNothingAway) {
  map_.Load(Held(1, {}), true);
  map_.Load(Held(2, {}), true);
  map_.Added(kA, ABlock(1), 1);

  BlockIdSet reported;
  ASSERT_TRUE(map_.ReportPart(kA, std::vector<Block>{ABlock(2)}, 5, reported));

  EXPECT_TRUE(Has(1, kA));
  EXPECT_TRUE(Has(2, kA));
}

// The end of a long report is in steps, between which the node goes on.
TEST_F(BlockMapTest, WhatComesBetweenTheStepsOfAReportsEndStays) {
  constexpr BlockId kBlocks = 120'000;
  for (BlockId id = 1; id <= kBlocks; ++id)
    map_.Prepare(Held(id, {kA}), At(0));
  BlockIdSet reported;
  ASSERT_TRUE(map_.ReportPart(kA, {}, 5, reported));
  BlockId position = 0;
  ASSERT_EQ(map_.EndReport(kA, 5, reported, At(61), position), BlockMap::ReportEnd::kHasMore);
  EXPECT_FALSE(Has(1, kA));
  EXPECT_TRUE(Has(kBlocks, kA));

  map_.Added(kA, ABlock(kBlocks), 6);
  map_.Added(kA, ABlock(1), 7);
  map_.Prepare(Held(kBlocks + 1, {kA}), At(61));
  while (map_.EndReport(kA, 5, reported, At(62), position) == BlockMap::ReportEnd::kHasMore) {
  }

  EXPECT_TRUE(Has(1, kA));
  EXPECT_TRUE(Has(kBlocks, kA));
  EXPECT_TRUE(Has(kBlocks + 1, kA));
  EXPECT_FALSE(Has(kBlocks - 1, kA));
  EXPECT_EQ(map_.replica_count(kA), 3U);
  // An older one that comes late takes none of it away.
  EXPECT_TRUE(Report(kA, {}, 4, At(200)));
  EXPECT_EQ(map_.replica_count(kA), 3U);
}

TEST_F(BlockMapTest, ReplicationChangesWhatIsWanted) {
  map_.Load(Held(1, {}), true);
  map_.Added(kA, ABlock(1), 1);
  map_.Added(kB, ABlock(1), 1);

  map_.SetReplication(1, 3);
  EXPECT_EQ(map_.UnderReplicated({}, 9), (std::vector<BlockMap::Scarce>{{2, 1}}));
  map_.SetReplication(1, 1);

  EXPECT_TRUE(map_.UnderReplicated({}, 9).empty());
  EXPECT_EQ(map_.Trimmable(0, 9), std::vector<BlockId>{1});
}

TEST_F(BlockMapTest, ReportOlderThanForgottenChangesIsNotTaken) {
  map_.Load(Held(1, {}), true);
  for (uint64_t sequence = 1; sequence <= 200'001; ++sequence)
    map_.Removed(kA, sequence, sequence);

  EXPECT_FALSE(Report(kA, {ABlock(1)}, 1, At(0)));
  EXPECT_FALSE(Has(1, kA));
  EXPECT_TRUE(Report(kA, {ABlock(1)}, 200'001, At(0)));
  EXPECT_TRUE(Has(1, kA));
}

}  // namespace
}  // namespace slipstream::dfs::master
