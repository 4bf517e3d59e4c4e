// A master over a store that was restored from a copy: what happened since the copy is not in it.

#include <gmock/gmock.h>

#include "dfs-master/restore_gate.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class MasterRestoreTest : public MasterHarness {
 protected:
  MasterRestoreTest() {
    options_.ledger.grace = std::chrono::seconds(60);
    Restart();
    AddNodes();
  }

  void MakeBackup() { backup_ = Contents(); }
  // The master is lost, and comes back over the copy.
  void Restore() {
    master_.reset();
    const WriteBatch present = Contents();
    WriteBatch batch;
    for (const WriteBatch::Change& change : present.changes())
      batch.Delete(change.table, change.key);
    for (const WriteBatch::Change& change : backup_.changes())
      batch.Put(change.table, change.key, *change.value);
    ASSERT_TRUE(store_.Apply(batch).ok());
    ASSERT_TRUE(RestoreGate::MarkRestored(store_, 7, 0).ok());
    Open();
  }

  void AddNodes(const std::vector<std::string>& node_ids, const std::vector<Block>& replicas) {
    for (const std::string& node_id : node_ids)
      AddNode(node_id, replicas);
    ASSERT_TRUE(master_->Tick().ok());
  }
  using MasterHarness::AddNodes;
  Result<RegistrationAnswer> RegisterAhead(const std::string& node_id,
                                           uint64_t newest_log_position,
                                           BlockId highest_block_id) {
    return master_->Register({.node_id = node_id,
                              .address = node_id + ":7410",
                              .newest_log_position = newest_log_position,
                              .highest_block_id = highest_block_id});
  }
  Code AllocateCode() {
    return master_->AllocateBlocks({.writer = "w", .count = 1}).status().code();
  }
  RestorePhase phase() { return master_->GetRestoreStatus()->phase; }
  bool HasDeletes() const {
    for (const auto& [node_id, commands] : commands_) {
      for (const auto& command : commands) {
        if (command.command.kind == NodeCommand::Kind::kDelete) return true;
      }
    }
    return false;
  }

  const std::vector<std::string> all_ = {"a", "b", "c"};

 private:
  WriteBatch Contents() const {
    WriteBatch contents;
    for (size_t i = 0; i < kTableCount; ++i) {
      const auto table = static_cast<Table>(i);
      EXPECT_TRUE(store_
                      .Scan(table,
                            "",
                            "",
                            [&](std::string_view key, std::string_view value) {
                              contents.Put(table, std::string(key), std::string(value));
                              return true;
                            })
                      .ok());
    }
    return contents;
  }

  WriteBatch backup_;
};

TEST_F(MasterRestoreTest, AStoreThatWasNeverRestoredWaitsForNobody) {
  EXPECT_EQ(phase(), RestorePhase::kNone);
  EXPECT_EQ(AllocateCode(), Code::kOk);
}

TEST_F(MasterRestoreTest, NothingIsAllocatedOrDeletedUntilEveryKnownNodeIsBack) {
  const Block known = PutFile("/f");
  MakeBackup();
  Restore();
  // One replica too many: it would be trimmed.
  AddNodes({"a", "b"}, {known});
  Pass(std::chrono::seconds(120), {"a", "b"});

  EXPECT_EQ(phase(), RestorePhase::kWaiting);
  EXPECT_EQ(AllocateCode(), Code::kUnavailable);
  EXPECT_EQ(LengthOf("/f"), 100U);
  EXPECT_THAT(master_->GetRestoreStatus()->missing_node_ids, ::testing::ElementsAre("c"));
  EXPECT_TRUE(commands_["a"].empty() && commands_["b"].empty());
  AddNodes({"c"}, {known});
  EXPECT_EQ(phase(), RestorePhase::kKeeping);
  EXPECT_EQ(AllocateCode(), Code::kOk);
  Pass(std::chrono::seconds(5), all_);
  EXPECT_TRUE(HasDeletes());  // of the surplus replica
}

TEST_F(MasterRestoreTest, AnOperatorMayGoOnWithoutNodesThatDoNotComeBack) {
  MakeBackup();
  Restore();
  AddNodes({"a", "b"}, {});
  EXPECT_EQ(AllocateCode(), Code::kUnavailable);

  ASSERT_TRUE(master_->GoOnWithoutMissingNodes().ok());

  EXPECT_EQ(phase(), RestorePhase::kKeeping);
  EXPECT_EQ(AllocateCode(), Code::kOk);
}

TEST_F(MasterRestoreTest, NumbersGoOnAboveAllThatTheLostMasterGave) {
  MakeBackup();
  const BlockId late = NewBlock("w").id;
  const uint64_t incarnation = Acquire("w");
  ASSERT_TRUE(master_->MakeDirectory("/late", {}, true).ok());
  const InodeId inode = master_->GetStatus("/late")->id;

  Restore();
  AddNodes();
  ASSERT_TRUE(master_->Tick().ok());

  EXPECT_GT(NewBlock("w").id, late);
  EXPECT_GT(Acquire("w"), incarnation);
  EXPECT_GT(master_->MakeDirectory("/new", {}, true)->id, inode);
}

TEST_F(MasterRestoreTest, WhatNodesHaveSeenIsTakenOver) {
  constexpr uint64_t kSeen = 1'000'000'000;
  constexpr BlockId kHighest = BlockId{1} << 50;
  MakeBackup();
  Restore();

  auto answer = RegisterAhead("a", kSeen, kHighest);
  ASSERT_TRUE(answer.ok());
  EXPECT_GE(answer->log_position, kSeen);
  for (int life = 0; life < 2; ++life) {
    AddNodes();
    ASSERT_TRUE(master_->Tick().ok());
    EXPECT_GT(NewBlock("w").id, kHighest);
    auto beat = master_->Heartbeat("a", sessions_["a"], {}, {});
    EXPECT_GE(beat->log_position, kSeen);
    Crash();
  }
}

TEST_F(MasterRestoreTest, AnImpossibleIdIsRefusedAndOneWithoutARestoreChangesNothing) {
  MakeBackup();
  EXPECT_EQ(RegisterAhead("a", 0, ~BlockId{0}).status().code(), Code::kInvalidArgument);
  EXPECT_TRUE(RegisterAhead("a", 1'000'000'000, BlockId{1} << 50).ok());
  EXPECT_LT(NewBlock("w").id, BlockId{1} << 50);
  EXPECT_LT(RegisterAhead("a", 0, 0)->log_position, 1'000'000'000U);
}

TEST_F(MasterRestoreTest, UnknownReplicasAreKeptUntilAnOperatorLetsThemGo) {
  MakeBackup();
  const Block late = PutFile("/late");
  Restore();
  AddNodes(all_, {late});
  Pass(std::chrono::seconds(200), all_);
  EXPECT_FALSE(HasDeletes());
  EXPECT_EQ(master_->GetRestoreStatus()->unknown_replicas, 1U);

  ASSERT_TRUE(master_->ForgetUnknownReplicas().ok());
  Pass(std::chrono::seconds(50), all_);
  EXPECT_FALSE(HasDeletes());  // the usual grace
  Pass(std::chrono::seconds(20), all_);

  EXPECT_TRUE(HasDeletes());
  EXPECT_EQ(phase(), RestorePhase::kSettled);
}

TEST_F(MasterRestoreTest, ABlockAllocatedBeforeTheLossCanStillBePrepared) {
  MakeBackup();
  const PreparedBlock block = NewPreparedBlock("w");
  Restore();
  AddNodes();
  Pass(std::chrono::seconds(200), all_);

  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  EXPECT_TRUE(Prepare(OneFile("w", pair, {.new_path = "/f", .blocks = {block}}), true).ok());
}

TEST_F(MasterRestoreTest, WritersAheadOfTheCopyAreNamed) {
  EpochPair first{.epoch = 1, .incarnation = Acquire("w")};
  ASSERT_TRUE(
      Prepare(OneFile("w", first, {.new_path = "/f", .blocks = {NewPreparedBlock("w")}})).ok());
  ASSERT_TRUE(Commit("w", first).ok());
  MakeBackup();
  const EpochPair second{.epoch = 2, .incarnation = first.incarnation};
  const EpochPair unknown{.epoch = 5, .incarnation = 77};
  Restore();
  AddNodes();
  ASSERT_TRUE(master_->Tick().ok());

  EpochAppend next = OneFile("w", {.epoch = 3, .incarnation = first.incarnation}, {});
  next.committed = second;
  EXPECT_EQ(Prepare(next).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(Commit("x", unknown).status().code(), Code::kFailedPrecondition);
  // Nobody lost anything of one that the copy has.
  EXPECT_TRUE(Commit("w", first).ok());

  std::vector<AppenderStatus> appenders = *master_->ListAppenders("");
  ASSERT_EQ(appenders.size(), 2U);
  EXPECT_EQ(appenders[0].owner, "w");
  EXPECT_EQ(appenders[0].committed, first);
  EXPECT_EQ(appenders[0].claimed, second);
  EXPECT_EQ(appenders[1].owner, "x");
  EXPECT_EQ(appenders[1].claimed, unknown);
  EXPECT_EQ(master_->GetRestoreStatus()->writers_ahead, 2U);
  EXPECT_EQ(master_->ListAppenders("x")->size(), 1U);
  ASSERT_TRUE(master_->AbortAppender("w").ok());
  EXPECT_EQ(master_->GetRestoreStatus()->writers_ahead, 1U);
}

TEST_F(MasterRestoreTest, AWriterWhoseIncarnationTheCopyLacksBeginsAnew) {
  Acquire("w");
  MakeBackup();
  const uint64_t late = Acquire("w");
  Restore();
  AddNodes();
  ASSERT_TRUE(master_->Tick().ok());

  EXPECT_EQ(
      Prepare(OneFile("w", {.epoch = 1, .incarnation = late}, {.new_path = "/f"})).status().code(),
      Code::kAborted);
}

TEST_F(MasterRestoreTest, ThePhaseOutlivesPowerFailures) {
  MakeBackup();
  Restore();
  Crash();
  EXPECT_EQ(phase(), RestorePhase::kWaiting);
  AddNodes();
  ASSERT_TRUE(master_->Tick().ok());
  const BlockId before = NewBlock("w").id;
  Crash();
  EXPECT_EQ(phase(), RestorePhase::kKeeping);
  ASSERT_TRUE(master_->ForgetUnknownReplicas().ok());
  Crash();
  EXPECT_EQ(phase(), RestorePhase::kSettled);
  AddNodes();
  EXPECT_GT(NewBlock("w").id, before);
  // Skipped once, and not with every start.
  EXPECT_LT(NewBlock("w").id, before + RestoreGate::kNumbersSkipped);
}

}  // namespace
}  // namespace slipstream::dfs::master
