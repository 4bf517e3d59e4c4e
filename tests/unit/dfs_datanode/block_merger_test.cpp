#include "dfs-datanode/block_merger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dfs_datanode/test_node.h"

namespace slipstream::datanode {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr block::BlockId kMerged = 100;

std::string RawOf(block::BlockId block_id, size_t raw_bytes) {
  return block::MakeRaw(raw_bytes, static_cast<uint32_t>(block_id), 80);
}

class BlockMergerTest : public testing::Test {
 protected:
  static MergeOrder::Source SourceOf(const TestBlock& block,
                                     const std::vector<NodeAddress>& holders = {}) {
    return {.identity = block.meta.identity,
            .length_bytes = block.meta.identity.raw_bytes,
            .holders = holders};
  }
  BlockMerger& merger() { return node_.node().merger(); }

  TestNode node_;
  TestNode other_;
};

TEST_F(BlockMergerTest, MakesOneBlockOfBlocksHereAndElsewhere) {
  const TestBlock here = MakeBlock(1, 900);
  const TestBlock elsewhere = MakeBlock(2, 1'500'000);
  const TestBlock cut = MakeBlock(3, 5'000);
  ASSERT_TRUE(Write(node_.store(), {here, cut}).ok());
  ASSERT_TRUE(Write(other_.store(), {elsewhere}).ok());
  MergeOrder order{
      .sources = {SourceOf(here), SourceOf(elsewhere, {other_.address()}), SourceOf(cut)},
      .block_id = kMerged,
      .next = {other_.address()}};
  order.sources[2].length_bytes = 1'234;

  const MergeOutcome outcome = merger().Merge(order);

  EXPECT_EQ(outcome.failure, "");
  EXPECT_THAT(outcome.holder_node_ids, ElementsAre(node_.id(), other_.id()));
  EXPECT_THAT(outcome.source_block_ids, ElementsAre(1, 2, 3));
  const std::string raw = RawOf(1, 900) + RawOf(2, 1'500'000) + RawOf(3, 5'000).substr(0, 1'234);
  EXPECT_EQ(outcome.block.raw_bytes, raw.size());
  for (TestNode* node : {&node_, &other_}) {
    EXPECT_EQ(Fetch(*node, outcome.block)->raw, raw);
    EXPECT_EQ(node->store().Read(kMerged)->meta().frames.size(), 2u);
  }
}

TEST_F(BlockMergerTest, ABadReplicaIsLeftForAGoodOne) {
  const TestBlock source = LargeBlock(1);
  ASSERT_TRUE(Write(node_.store(), {source}).ok());
  ASSERT_TRUE(Write(other_.store(), {source}).ok());
  const std::string path = "/data/blocks/00/0000000000000001.zst";
  std::string bad = node_.fs().Content(path);
  bad[bad.size() / 2] ^= 1;
  node_.fs().SetContent(path, bad);
  const NodeAddress nobody{.node_id = "nobody", .address = "127.0.0.1:1"};

  const MergeOutcome outcome = merger().Merge(
      {.sources = {SourceOf(source, {nobody, other_.address()})}, .block_id = kMerged});

  EXPECT_EQ(outcome.failure, "");
  EXPECT_EQ(Fetch(node_, outcome.block)->raw, RawOf(1, 9'000));
  EXPECT_EQ(node_.store().PendingChanges(10).at(1).kind, ReplicaChange::Kind::kCorrupt);
}

TEST_F(BlockMergerTest, WhatCannotBeDoneIsSaidAndLeavesNothing) {
  const TestBlock here = LargeBlock(1);
  ASSERT_TRUE(Write(node_.store(), {here}).ok());
  MergeOrder::Source beyond = SourceOf(here);
  ++beyond.length_bytes;
  MergeOrder::Source huge = SourceOf(here);
  huge.identity.raw_bytes = block::kBlockRawBytesMax;
  MergeOrder::Source other = SourceOf(here);
  ++other.identity.crc32c;
  const NodeAddress nobody{.node_id = "nobody", .address = "127.0.0.1:1"};
  const std::vector<MergeOrder> orders = {
      {.sources = {}, .block_id = kMerged},
      {.sources = {SourceOf(here), beyond}, .block_id = kMerged},
      {.sources = {huge, huge}, .block_id = kMerged},
      {.sources = {SourceOf(here), other}, .block_id = kMerged},
      {.sources = {SourceOf(here), SourceOf(LargeBlock(2))}, .block_id = kMerged},
      {.sources = {SourceOf(here)}, .block_id = 0},
      {.sources = {SourceOf(here)}, .block_id = 1},
      {.sources = {SourceOf(here)}, .block_id = kMerged, .next = {nobody}},
  };
  for (const MergeOrder& order : orders) {
    const MergeOutcome outcome = merger().Merge(order);
    EXPECT_NE(outcome.failure, "");
    EXPECT_THAT(outcome.holder_node_ids, IsEmpty());
    EXPECT_THAT(Ids(node_.store()), ElementsAre(1));
  }
}

TEST_F(BlockMergerTest, CarriesOutOrdersOneByOneAtItsRateAndTellsTheMaster) {
  const TestBlock source = MakeBlock(1, 2'000'000);
  ASSERT_TRUE(Write(node_.store(), {source}).ok());
  for (block::BlockId id : {kMerged, kMerged, kMerged + 1}) {
    dfs::v1::NodeCommand::MergeBlocks& merge =
        *node_.master().commands.emplace_back().mutable_merge();
    merge.set_block_id(id);
    dfs::v1::LocatedBlock& located = *merge.add_sources();
    *located.mutable_block() = ToProto(source.meta.identity);
    located.set_length_bytes(2'000'000);
  }
  node_.node().session().Step();
  EXPECT_EQ(merger().Step(), milliseconds(0));
  ASSERT_EQ(node_.master().merges.size(), 1u);
  EXPECT_EQ(node_.master().merges[0].session(), node_.master().session);
  EXPECT_EQ(node_.master().merges[0].block().block_id(), kMerged);
  EXPECT_THAT(node_.master().merges[0].source_block_ids(), ElementsAre(1));

  const milliseconds wait = merger().Step();
  EXPECT_EQ(wait, milliseconds(2'000'000ull * 1000 / (16 << 20)));
  node_.clock().Advance(wait);
  // The master is away for a moment.
  node_.master().fault = Unavailable("away");
  EXPECT_EQ(merger().Step(), milliseconds(1'000));
  node_.master().fault = Status();
  EXPECT_EQ(merger().Step(), milliseconds(0));
  EXPECT_EQ(node_.master().merges.back().block().block_id(), kMerged + 1);
  node_.clock().Advance(wait);
  EXPECT_EQ(merger().Step(), milliseconds(60'000));
}

}  // namespace
}  // namespace slipstream::datanode
