// Safe mode by hand: what is refused, what waits, what goes on, and that only leaving ends it.

#include <set>

#include "common/failpoint/failpoint.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SafeModeTest : public MasterHarness {
 protected:
  SafeModeTest() { AddNodes(); }
  ~SafeModeTest() override { (void)failpoint::Configure(""); }

  bool IsByHand() { return master_->GetClusterState()->is_safe_by_hand; }
  void PassAlive(seconds time) { Pass(time, {"a", "b", "c"}); }
  size_t CommandsGiven() {
    size_t count = 0;
    for (const auto& [node, commands] : commands_)
      count += commands.size();
    return count;
  }
};

TEST_F(SafeModeTest, EveryChangeOfNamesIsRefusedAndNothingChanges) {
  PutFile("/d/f");
  ASSERT_TRUE(master_->SetSafeMode(true).ok());

  const std::string source = "/d/f";
  const std::vector<Status> refused = {
      master_->MakeDirectory("/new", {}, true, "1").status(),
      master_->Delete("/d/f", false, "2"),
      master_->Rename("/d/f", "/d/g", false, "3"),
      master_->SetAttributes("/d/f", {.mode = 0600}, "4").status(),
      master_->SetReplication("/d/f", 3, "5"),
      master_->SetQuota("/d", {.names_max = 10}, "6"),
      master_->Truncate("/d/f", 50, "7"),
      master_->Concat("/d/f", std::span(&source, 1), "8"),
      master_->AbortAppender("put:/d/f").status(),
  };

  for (size_t i = 0; i < refused.size(); ++i) {
    EXPECT_EQ(refused[i].code(), Code::kFailedPrecondition) << i;
    EXPECT_NE(refused[i].message().find("dfs safemode leave"), std::string::npos) << i;
  }
  EXPECT_EQ(master_->List("/", "", 0)->entries.size(), 1U);
  EXPECT_EQ(LengthOf("/d/f"), 100U);
  EXPECT_EQ(master_->LocateBlocks({.path = "/d/f"}, 0, 0)->blocks.size(), 1U);
  ASSERT_TRUE(master_->SetSafeMode(false).ok());
  EXPECT_TRUE(master_->Delete("/d/f", false, "9").ok());
}

TEST_F(SafeModeTest, AnAnswerLostBeforeItIsStillGiven) {
  FileStatus made = master_->MakeDirectory("/d", {}, false, "mk").value();
  ASSERT_TRUE(master_->SetSafeMode(true).ok());

  EXPECT_EQ(master_->MakeDirectory("/d", {}, false, "mk")->id, made.id);
}

TEST_F(SafeModeTest, WritersWaitAndGoOnWhereTheyWere) {
  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  EpochAppend epoch = OneFile("w", pair, {.new_path = "/f", .blocks = {NewPreparedBlock("w")}});
  ASSERT_TRUE(master_->SetSafeMode(true).ok());

  // For longer than blocks are kept whose writer is silent: one that asks again is not.
  for (int i = 0; i < 4; ++i) {
    PassAlive(seconds(400));
    EXPECT_EQ(Prepare(epoch).status().code(), Code::kUnavailable);
  }
  EXPECT_EQ(Commit("w", pair).status().code(), Code::kUnavailable);
  EXPECT_EQ(master_->AcquireAppender("w").status().code(), Code::kUnavailable);
  EXPECT_EQ(master_->AllocateBlocks({.writer = "w"}).status().code(), Code::kUnavailable);
  ASSERT_TRUE(master_->SetSafeMode(false).ok());
  PassAlive(seconds(10));

  ASSERT_TRUE(Prepare(epoch).ok());
  ASSERT_TRUE(Commit("w", pair).ok());
  EXPECT_EQ(LengthOf("/f"), 100U);
}

TEST_F(SafeModeTest, OnlyLeavingEndsIt) {
  EXPECT_FALSE(IsByHand());
  ASSERT_TRUE(master_->SetSafeMode(true).ok());
  ASSERT_TRUE(master_->SetSafeMode(true).ok());

  PassAlive(seconds(120));
  EXPECT_TRUE(IsByHand());
  Crash();
  AddNodes();
  PassAlive(seconds(120));

  EXPECT_TRUE(IsByHand());
  EXPECT_NE(master_->GetClusterState()->safe_mode_reason, "");
  EXPECT_EQ(master_->MakeDirectory("/d", {}, true).status().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(master_->SetSafeMode(false).ok());
  Crash();
  AddNodes();
  PassAlive(seconds(1));
  EXPECT_FALSE(IsByHand());
  EXPECT_EQ(master_->GetClusterState()->safe_mode_reason, "");
}

TEST_F(SafeModeTest, TheOneAfterAStartStandsBesideIt) {
  const Block block = PutFile("/f");
  ASSERT_TRUE(master_->SetSafeMode(true).ok());
  Crash();
  ASSERT_TRUE(master_->SetSafeMode(false).ok());

  EXPECT_NE(master_->GetClusterState()->safe_mode_reason, "");
  AddNode("a", {block});
  ASSERT_TRUE(master_->Tick().ok());
  EXPECT_EQ(master_->GetClusterState()->safe_mode_reason, "");
}

TEST_F(SafeModeTest, NodesAreOrderedNothingAndLostReplicasWaitForItsEnd) {
  const Block block = PutFile("/f");
  Beat("a", {Added(1, block)});
  Beat("b", {Added(1, block)});
  PutFile("/gone");
  ASSERT_TRUE(master_->Delete("/gone", false, "").ok());
  ASSERT_TRUE(master_->SetSafeMode(true).ok());
  commands_.clear();

  Pass(seconds(60), {"a", "c"});  // b dies
  EXPECT_EQ(CommandsGiven(), 0U);
  EXPECT_EQ(master_->GetClusterState()->pending_repairs, 0U);

  ASSERT_TRUE(master_->SetSafeMode(false).ok());
  Pass(seconds(5), {"a", "c"});
  std::multiset<NodeCommand::Kind> kinds;
  for (const auto& command : commands_["a"])
    kinds.insert(command.command.kind);
  EXPECT_EQ(kinds, (std::multiset{NodeCommand::Kind::kCopy, NodeCommand::Kind::kDelete}));
}

TEST_F(SafeModeTest, LateCopiesOfRequestsUndoNothing) {
  ASSERT_TRUE(master_->SetSafeMode(true, "enter").ok());
  ASSERT_TRUE(master_->SetSafeMode(false, "leave").ok());
  EXPECT_TRUE(master_->SetSafeMode(true, "enter").ok());
  EXPECT_FALSE(IsByHand());

  ASSERT_TRUE(master_->SetSafeMode(true, "enter again").ok());
  Restart();
  EXPECT_TRUE(master_->SetSafeMode(false, "leave").ok());
  EXPECT_TRUE(IsByHand());
}

TEST_F(SafeModeTest, AWriterToldToWaitIsLetInWithTheSameRequest) {
  ASSERT_TRUE(master_->SetSafeMode(true).ok());
  ASSERT_EQ(master_->AcquireAppender("w", {}, "id").status().code(), Code::kUnavailable);
  ASSERT_TRUE(master_->SetSafeMode(false).ok());

  EXPECT_TRUE(master_->AcquireAppender("w", {}, "id").ok());
}

TEST_F(SafeModeTest, LeasesRestAndBeginAnew) {
  const uint64_t incarnation = master_->AcquireAppender("w", milliseconds(5'000))->incarnation;
  ASSERT_TRUE(master_->SetSafeMode(true).ok());
  PassAlive(seconds(60));
  ASSERT_TRUE(master_->SetSafeMode(false).ok());
  PassAlive(seconds(4));

  EXPECT_TRUE(master_->RenewLease("w", incarnation).ok());
  PassAlive(seconds(6));
  EXPECT_EQ(master_->RenewLease("w", incarnation).code(), Code::kAborted);
}

TEST_F(SafeModeTest, AtEveryFailpointItWasEnteredOrWasNot) {
  for (bool enter : {true, false}) {
    for (const char* step : {"before_write", "after_write", "after_sync"}) {
      ASSERT_TRUE(master_->SetSafeMode(!enter).ok());
      ASSERT_TRUE(
          failpoint::Configure("master.safemode." + std::string(step) + "=error:unavailable").ok());

      EXPECT_EQ(master_->SetSafeMode(enter).code(), Code::kUnavailable);
      ASSERT_TRUE(failpoint::Configure("").ok());
      Crash();
      AddNodes();

      EXPECT_EQ(IsByHand(), (std::string(step) == "after_sync") == enter) << step;
    }
  }
}

class LowDiskTest : public MasterHarness {
 protected:
  LowDiskTest() {
    options_.disk_reserve_bytes = 1'000;
    options_.free_bytes = [this] { return Result<uint64_t>(free_bytes_); };
    Open();
    AddNodes();
  }
  void SetFree(uint64_t bytes) {
    free_bytes_ = bytes;
    Pass(seconds(1), {"a", "b", "c"});
  }

  uint64_t free_bytes_ = 5'000;
};

TEST_F(LowDiskTest, NothingIsChangedUntilThereIsRoomAgain) {
  PutFile("/f");

  SetFree(999);
  EXPECT_EQ(master_->Delete("/f", false, "1").code(), Code::kFailedPrecondition);
  EXPECT_EQ(master_->AcquireAppender("w").status().code(), Code::kUnavailable);
  EXPECT_EQ(master_->AllocateBlocks({.writer = "w"}).status().code(), Code::kUnavailable);
  EXPECT_EQ(LengthOf("/f"), 100U);
  EXPECT_NE(master_->GetClusterState()->safe_mode_reason, "");
  EXPECT_FALSE(master_->GetClusterState()->is_safe_by_hand);

  SetFree(1'050);  // not enough yet: it would be full again with the next file of the store
  EXPECT_EQ(CodeOf("/f"), Code::kOk);
  EXPECT_EQ(master_->Delete("/f", false, "2").code(), Code::kFailedPrecondition);

  SetFree(1'100);
  EXPECT_TRUE(master_->AcquireAppender("w").ok());
  EXPECT_TRUE(master_->Delete("/f", false, "3").ok());
}

TEST_F(LowDiskTest, LeasesDoNotEndForIt) {
  const uint64_t incarnation = master_->AcquireAppender("w", milliseconds(5'000))->incarnation;
  SetFree(0);
  Pass(seconds(60), {"a", "b", "c"});
  SetFree(5'000);

  EXPECT_TRUE(master_->RenewLease("w", incarnation).ok());
}

}  // namespace
}  // namespace slipstream::dfs::master
