// Small blocks of growing files, merged by datanodes that do as they are told.

#include "common/failpoint/failpoint.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class MasterMergeTest : public MasterHarness {
 protected:
  static constexpr const char* kPath = "/logs/f";

  MasterMergeTest() { AddNodes(); }
  ~MasterMergeTest() override { (void)failpoint::Configure(""); }

  // Commits `count` blocks of 100 bytes, one by one, to the end of the file, which stays open.
  void Grow(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (incarnation_ == 0) incarnation_ = Acquire("w");
      PreparedBlock block = NewPreparedBlock("w");
      FileAppend file{.blocks = {block}};
      if (inode_ == kNoInode) {
        file.new_path = kPath;
      } else {
        file.inode = inode_;
        file.expected_length_bytes = length_;
      }
      auto prepared =
          Prepare(OneFile("w", {.epoch = ++epoch_, .incarnation = incarnation_}, file), true);
      ASSERT_TRUE(prepared.ok()) << prepared.status().ToString();
      inode_ = prepared->appenders[0].inodes[0];
      length_ += 100;
      sources_.push_back(block.block);
      for (const char* node : {"a", "b"})
        Beat(node, {Added(++sequence_, block.block)});
    }
  }

  // Lets the nodes ask for orders; the one that one of them got.
  std::optional<std::pair<std::string, MergeOrder>> Order(
      std::chrono::seconds limit = std::chrono::seconds(2)) {
    merge_orders_.clear();
    for (auto passed = std::chrono::seconds(0); passed < limit && merge_orders_.empty(); ++passed)
      Pass(std::chrono::seconds(1), {"a", "b", "c"});
    if (merge_orders_.empty()) return std::nullopt;
    return std::pair(merge_orders_.begin()->first, merge_orders_.begin()->second.front());
  }

  static Block MergedOf(const MergeOrder& order) {
    Block block{.id = order.block_id, .stored_bytes = 60, .crc32c = 9};
    for (const LocatedBlock& source : order.sources)
      block.raw_bytes += source.block.raw_bytes;
    return block;
  }
  // The chain's nodes have the block, and the first of them says so.
  Result<bool> Finish(const std::pair<std::string, MergeOrder>& order) {
    MergeReport report{.block = MergedOf(order.second), .holder_node_ids = {order.first}};
    for (const NodeAddress& node : order.second.next)
      report.holder_node_ids.push_back(node.node_id);
    for (const std::string& node : report.holder_node_ids)
      Beat(node, {Added(++sequence_, report.block)});
    return master_->FinishMerge(order.first, sessions_[order.first], report);
  }
  size_t BlockCount() {
    auto range = master_->LocateBlocks({.inode = inode_}, 0, 0);
    EXPECT_TRUE(range.ok()) << range.status().ToString();
    return range.ok() ? range->blocks.size() : 0;
  }
  // What datanodes were told to delete.
  size_t DeleteCount() {
    size_t deletes = 0;
    for (const auto& [node, commands] : commands_) {
      for (const auto& command : commands)
        deletes += command.command.kind == NodeCommand::Kind::kDelete ? 1 : 0;
    }
    return deletes;
  }

  uint64_t incarnation_ = 0;
  uint64_t epoch_ = 0;
  InodeId inode_ = kNoInode;
  uint64_t length_ = 0;
  uint64_t sequence_ = 0;
  std::vector<Block> sources_;
};

TEST_F(MasterMergeTest, SmallBlocksOfAGrowingFileBecomeOne) {
  Grow(8);
  const FileStatus before = master_->GetStatus(kPath).value();
  const auto order = Order();
  ASSERT_TRUE(order.has_value());
  ASSERT_EQ(order->second.sources.size(), 8U);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(order->second.sources[i].block, sources_[i]);
    EXPECT_EQ(order->second.sources[i].length_bytes, 100U);
    EXPECT_EQ(order->second.sources[i].nodes.size(), 2U);
  }
  EXPECT_EQ(order->second.next.size(), 1U);

  EXPECT_EQ(Finish(*order), true);

  const LocatedRange range = master_->LocateBlocks({.path = kPath}, 0, 0).value();
  ASSERT_EQ(range.blocks.size(), 1U);
  EXPECT_EQ(range.blocks[0].block, MergedOf(order->second));
  EXPECT_EQ(range.blocks[0].length_bytes, 800U);
  EXPECT_EQ(range.blocks[0].nodes.size(), 2U);
  const FileStatus after = master_->GetStatus(kPath).value();
  EXPECT_EQ(after.length_bytes, 800U);
  EXPECT_EQ(after.stored_bytes, 60U);
  EXPECT_EQ(after.block_count, 1U);
  EXPECT_EQ(after.modified_at_ms, before.modified_at_ms);
  EXPECT_EQ(after.writer, "w");
  const ClusterState state = master_->GetClusterState().value();
  EXPECT_EQ(state.totals.blocks, 1U);
  EXPECT_EQ(state.totals.stored_bytes, 60U);
  EXPECT_EQ(state.totals.raw_bytes, 800U);
}

TEST_F(MasterMergeTest, WriterGoesOnWhileItsBlocksAreMerged) {
  Grow(8);
  const auto order = Order();
  ASSERT_TRUE(order.has_value());
  Grow(1);
  EpochAppend epoch = OneFile(
      "w",
      {.epoch = epoch_ + 1, .incarnation = incarnation_},
      {.inode = inode_, .expected_length_bytes = length_, .blocks = {NewPreparedBlock("w")}});
  ASSERT_TRUE(Prepare(epoch).ok());

  EXPECT_EQ(Finish(*order), true);

  ASSERT_TRUE(Commit("w", epoch.pair()).ok());
  EXPECT_EQ(LengthOf(kPath), 1'000U);
  EXPECT_EQ(BlockCount(), 3U);
  Crash();
  EXPECT_EQ(BlockCount(), 3U);
}

TEST_F(MasterMergeTest, OldBlocksAreDeletedOnceTheNewOneIsThere) {
  Grow(8);
  const auto order = Order();
  Pass(std::chrono::seconds(2), {"a", "b", "c"});
  EXPECT_EQ(DeleteCount(), 0U);

  ASSERT_EQ(Finish(order.value()), true);
  Pass(std::chrono::seconds(2), {"a", "b", "c"});

  EXPECT_EQ(DeleteCount(), 16U);
  EXPECT_EQ(LengthOf(kPath), 800U);
}

TEST_F(MasterMergeTest, OldBlocksCannotBePreparedAgain) {
  Grow(8);
  ASSERT_EQ(Finish(Order().value()), true);

  FileAppend file{.new_path = "/g",
                  .blocks = {{.block = sources_[0], .holder_node_ids = {"a", "b"}}}};
  const EpochPair pair{.epoch = 1, .incarnation = Acquire("g")};

  EXPECT_EQ(Prepare(OneFile("g", pair, file), true).status().code(), Code::kAborted);
}

TEST_F(MasterMergeTest, AnAnswerSentAgainIsAnsweredTheSame) {
  Grow(8);
  const auto order = Order();
  ASSERT_EQ(Finish(*order), true);

  EXPECT_EQ(Finish(*order), true);
  Crash();
  AddNodes();
  EXPECT_EQ(Finish(*order), true);
  EXPECT_EQ(BlockCount(), 1U);
}

TEST_F(MasterMergeTest, WhatUsersDoMeanwhileWins) {
  struct Case {
    const char* name;
    std::function<void()> change;
    bool is_taken;
    uint64_t length_bytes;
  };
  std::string path = kPath;
  const std::vector<Case> cases = {
      {"cut in the run", [&] { ASSERT_TRUE(master_->Truncate(path, 750, "").ok()); }, false, 750},
      {"cut before it", [&] { ASSERT_TRUE(master_->Truncate(path, 0, "").ok()); }, false, 0},
      {"deleted", [&] { ASSERT_TRUE(master_->Delete(path, false, "").ok()); }, false, UINT64_MAX},
      {"its directory deleted",
       [&] { ASSERT_TRUE(master_->Delete("/logs", true, "").ok()); },
       false,
       UINT64_MAX},
      {"renamed",
       [&] {
         ASSERT_TRUE(master_->Rename(path, "/elsewhere", false, "").ok());
         path = "/elsewhere";
       },
       true,
       800},
      {"joined to another",
       [&] {
         PutFile("/head");
         const std::vector<std::string> sources = {path};
         ASSERT_TRUE(master_->Concat("/head", sources, "").ok());
         path = "/head";
       },
       false,
       900},
      {"another joined to it",
       [&] {
         PutFile("/tail");
         const std::vector<std::string> sources = {"/tail"};
         ASSERT_TRUE(master_->Concat(path, sources, "").ok());
       },
       true,
       900},
      {"more replicas", [&] { ASSERT_TRUE(master_->SetReplication(path, 3, "").ok()); }, true, 800},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    path = kPath;
    inode_ = kNoInode;
    length_ = 0;
    Grow(8);
    ASSERT_TRUE(master_->AbortAppender("w").ok());  // nobody writes it any more
    incarnation_ = 0;
    const auto order = Order();
    ASSERT_TRUE(order.has_value());

    test.change();
    EXPECT_EQ(Finish(*order), test.is_taken);

    EXPECT_EQ(LengthOf(path), test.length_bytes);
    EXPECT_EQ(Finish(*order), test.is_taken);
    if (test.length_bytes != UINT64_MAX) {
      EXPECT_EQ(master_->GetClusterState()->totals.raw_bytes, test.length_bytes);
    }
    if (CodeOf(path) == Code::kOk) {
      ASSERT_TRUE(master_->Delete(path, false, "").ok());
    }
    // What was not taken is deleted wherever it is reported, and the blocks of the file, too.
    commands_.clear();
    Pass(std::chrono::seconds(620), {"a", "b", "c"});
    EXPECT_EQ(DeleteCount() % 2, 0U);
    EXPECT_GE(DeleteCount(), 16U + 2U);
    EXPECT_EQ(master_->GetClusterState()->totals.blocks, 0U);
    for (const char* node : {"a", "b", "c"})
      AddNode(node);
    sequence_ = 0;
  }
}

TEST_F(MasterMergeTest, ABlockWithTooFewHoldersOrOtherBytesIsNotTaken) {
  Grow(8);
  for (int wrong = 0; wrong < 4; ++wrong) {
    SCOPED_TRACE(wrong);
    // The file is left alone for a minute; then a pass over all files comes to it.
    const auto order = Order(std::chrono::seconds(700));
    ASSERT_TRUE(order.has_value());
    MergeReport report{.block = MergedOf(order->second), .holder_node_ids = {"a", "b"}};
    if (wrong == 0) report.holder_node_ids = {"a", "a"};
    if (wrong == 1) report.holder_node_ids = {"a", "unheard of"};
    if (wrong == 2) ++report.block.raw_bytes;
    if (wrong == 3) report.failure = "no space";

    EXPECT_EQ(master_->FinishMerge(order->first, sessions_[order->first], report), false);

    EXPECT_EQ(BlockCount(), 8U);
    EXPECT_FALSE(Order(std::chrono::seconds(59)).has_value());
  }
}

TEST_F(MasterMergeTest, AnOrderIsToldAgainUntilItIsOverdue) {
  Grow(8);
  const auto order = Order();
  ASSERT_TRUE(order.has_value());
  merge_orders_.clear();

  Pass(std::chrono::seconds(290), {"a", "b", "c"});
  EXPECT_GE(merge_orders_[order->first].size(), 8U);
  for (const MergeOrder& again : merge_orders_[order->first])
    EXPECT_EQ(again.block_id, order->second.block_id);
  Pass(std::chrono::seconds(20), {"a", "b", "c"});

  EXPECT_EQ(Finish(*order), false);
  EXPECT_EQ(BlockCount(), 8U);
}

TEST_F(MasterMergeTest, AnOrderIsForgottenWithItsNodeAndWithTheMaster) {
  Grow(8);
  const auto order = Order();
  ASSERT_TRUE(order.has_value());
  AddNode(order->first, sources_);
  EXPECT_EQ(Finish(*order), true) << "as long as nobody noticed";

  Grow(8);
  const auto next = Order();
  ASSERT_TRUE(next.has_value());
  Crash();
  for (const char* node : {"a", "b", "c"})
    AddNode(node);
  EXPECT_EQ(Finish(*next), false);
  EXPECT_EQ(LengthOf(kPath), 1'600U);
}

TEST_F(MasterMergeTest, AtEveryFailpointAMergeHappenedOrDidNot) {
  for (const char* step : {"before_write", "after_write", "after_sync"}) {
    SCOPED_TRACE(step);
    inode_ = kNoInode;
    length_ = 0;
    Grow(8);
    const auto order = Order(std::chrono::seconds(60));  // safe mode may be on yet
    ASSERT_TRUE(order.has_value());
    ASSERT_TRUE(
        failpoint::Configure("master.merge." + std::string(step) + "=error:unavailable").ok());

    EXPECT_EQ(Finish(*order).status().code(), Code::kUnavailable);
    ASSERT_TRUE(failpoint::Configure("").ok());
    Crash();
    incarnation_ = 0;

    const bool is_merged = std::string(step) == "after_sync";
    EXPECT_EQ(BlockCount(), is_merged ? 1U : 8U);
    EXPECT_EQ(LengthOf(kPath), 800U);
    EXPECT_EQ(master_->GetClusterState()->totals.blocks, is_merged ? 1U : 8U);
    AddNodes();
    sequence_ = 0;
    EXPECT_EQ(Finish(*order), is_merged);
    ASSERT_TRUE(master_->AbortAppender("w").ok());
    ASSERT_TRUE(master_->Delete(kPath, false, "").ok());
  }
}

TEST_F(MasterMergeTest, NothingIsMergedInSafeModeOrWithoutEnoughNodes) {
  Grow(8);
  Crash();
  AddNode("a", sources_);
  incarnation_ = 0;

  Pass(std::chrono::seconds(120), {"a"});

  EXPECT_TRUE(merge_orders_.empty());
  AddNode("b", sources_);
  Pass(std::chrono::seconds(900), {"a", "b"});
  EXPECT_FALSE(merge_orders_.empty());
}

TEST_F(MasterMergeTest, QuotasAreChargedWithWhatIsStored) {
  ASSERT_TRUE(master_->MakeDirectory("/logs", {}, true).ok());
  ASSERT_TRUE(master_->SetQuota("/logs", {.space_max_bytes = 1'000}, "").ok());
  Grow(8);
  EXPECT_EQ(master_->GetStatus("/logs")->quota->used.space_bytes, 2 * 8 * 50);

  ASSERT_EQ(Finish(Order().value()), true);

  EXPECT_EQ(master_->GetStatus("/logs")->quota->used.space_bytes, 2 * 60);
}

}  // namespace
}  // namespace slipstream::dfs::master
