// Two-phase appends: every way in which writers, their ghosts, users and restarts may meet.

#include "common/failpoint/failpoint.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class AppenderTest : public MasterHarness {
 protected:
  AppenderTest() { AddNodes(); }
  ~AppenderTest() override { (void)failpoint::Configure(""); }

  FileAppend NewFile(const std::string& path, const std::string& owner = "w") {
    return {.new_path = path, .blocks = {NewPreparedBlock(owner)}};
  }
  FileAppend More(InodeId inode, uint64_t expected_length, const std::string& owner = "w") {
    return {.inode = inode,
            .expected_length_bytes = expected_length,
            .blocks = {NewPreparedBlock(owner)}};
  }
  // Epoch 1 of "w": a file of 100 bytes, committed. Returns its inode and leaves the pair in
  // first_.
  InodeId CommitFirst(const std::string& path) {
    first_ = {.epoch = 1, .incarnation = Acquire("w")};
    auto prepared = Prepare(OneFile("w", first_, NewFile(path)));
    EXPECT_TRUE(prepared.ok()) << prepared.status().ToString();
    EXPECT_TRUE(Commit("w", first_).ok());
    return prepared->appenders[0].inodes[0];
  }
  size_t StandingCandidates(const std::string& owner) {
    const std::vector<AppenderStatus> appenders = master_->ListAppenders(owner).value();
    for (const AppenderStatus& status : appenders) {
      if (status.owner == owner) return status.prepared.size();
    }
    return 0;
  }

  EpochPair first_;
};

TEST_F(AppenderTest, PreparedFileIsInvisibleUntilItIsCommitted) {
  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};

  ASSERT_TRUE(Prepare(OneFile("w", pair, NewFile("/d/f"))).ok());
  EXPECT_EQ(CodeOf("/d/f"), Code::kNotFound);
  EXPECT_EQ(master_->List("/d", "", 0)->entries.size(), 0U);

  ASSERT_TRUE(Commit("w", pair).ok());
  EXPECT_EQ(LengthOf("/d/f"), 100U);
  EXPECT_EQ(master_->GetStatus("/d/f")->writer, "w");
}

TEST_F(AppenderTest, ABatchOfFilesCountsInEachDirectoryAsFilesOneByOneDo) {
  EpochAppend replaced = OneFile("w", {.epoch = 1, .incarnation = Acquire("w")}, NewFile("/a/1"));
  replaced.files[0].is_closing = true;
  ASSERT_TRUE(Prepare(replaced, true).ok());
  EpochAppend batch{.owner = "w", .incarnation = replaced.incarnation, .epoch = 2, .files = {}};
  for (const char* path : {"/a/1", "/a/2", "/a/b/1", "/a/b/2", "/a/3", "/top", "/a/b/3"}) {
    batch.files.push_back(NewFile(path));
    batch.files.back().is_closing = true;
    batch.files.back().is_replacing = true;
  }

  ASSERT_TRUE(Prepare(batch, true).ok());

  EXPECT_EQ(master_->GetStatus("/a")->child_count, 4U);
  EXPECT_EQ(master_->GetStatus("/a/b")->child_count, 3U);
  EXPECT_EQ(master_->GetStatus("/")->child_count, 2U);
  EXPECT_EQ(master_->List("/a", "", 0)->entries.size(), 4U);
  EXPECT_EQ(master_->List("/a/b", "", 0)->entries.size(), 3U);
  EXPECT_EQ(master_->GetClusterState()->totals.files, 7U);
  EXPECT_EQ(StandingCandidates("w"), 0U);
}

TEST_F(AppenderTest, ABatchWithABadNameIsNotCarriedOut) {
  const uint64_t incarnation = Acquire("w");
  uint64_t epoch = 0;
  const std::string long_name = "/d/" + std::string(256, 'x');
  for (const char* bad : {"/d/..", "/d/", "/d/ok/x", long_name.c_str()}) {
    EpochAppend batch{
        .owner = "w", .incarnation = incarnation, .epoch = ++epoch, .files = {NewFile("/d/ok")}};
    batch.files.push_back(NewFile(bad));

    EXPECT_FALSE(Prepare(batch, true).ok()) << bad;
    EXPECT_EQ(CodeOf("/d"), Code::kNotFound) << bad;
  }
}

TEST_F(AppenderTest, PrepareCarriesOutThePairBefore) {
  EpochPair first{.epoch = 1, .incarnation = Acquire("w")};
  InodeId inode = Prepare(OneFile("w", first, NewFile("/f")))->appenders[0].inodes[0];
  EpochAppend second =
      OneFile("w", {.epoch = 2, .incarnation = first.incarnation}, More(inode, 100));
  second.committed = first;

  ASSERT_TRUE(Prepare(second).ok());

  EXPECT_EQ(LengthOf("/f"), 100U);
  ASSERT_TRUE(Commit("w", second.pair()).ok());
  EXPECT_EQ(LengthOf("/f"), 200U);
  EXPECT_EQ(master_->LocateBlocks({.path = "/f"}, 0, 0)->blocks.size(), 2U);
}

TEST_F(AppenderTest, AcquireFencesOlderIncarnationsAndDiscardsNothing) {
  EpochPair old_pair{.epoch = 1, .incarnation = Acquire("w")};
  ASSERT_TRUE(Prepare(OneFile("w", old_pair, NewFile("/f"))).ok());

  AcquireResult acquired = master_->AcquireAppender("w").value();

  EXPECT_GT(acquired.incarnation, old_pair.incarnation);
  EXPECT_EQ(acquired.prepared, std::vector<EpochPair>{old_pair});
  EpochPair late{.epoch = 2, .incarnation = old_pair.incarnation};
  EXPECT_EQ(Prepare(OneFile("w", late, NewFile("/g"))).status().code(), Code::kAborted);
  EXPECT_TRUE(Commit("w", old_pair).ok());
  EXPECT_EQ(LengthOf("/f"), 100U);
}

TEST_F(AppenderTest, ALateCopyOfAnAcquireFencesNobody) {
  const AcquireResult first = master_->AcquireAppender("w", {}, "id").value();
  EpochPair pair{.epoch = 1, .incarnation = first.incarnation};
  const EpochAppend epoch = OneFile("w", pair, NewFile("/f"));
  ASSERT_TRUE(Prepare(epoch, true).ok());

  for (bool is_restarted : {false, true}) {
    if (is_restarted) {
      Restart();
      AddNodes();
    }
    const AcquireResult copy = master_->AcquireAppender("w", {}, "id").value();
    EXPECT_EQ(copy.incarnation, first.incarnation);
    EXPECT_EQ(copy.committed, EpochPair());  // the answer of then
    EXPECT_TRUE(Prepare(epoch, true).ok()) << "a repetition";
  }

  // Another request is another writer.
  EXPECT_GT(master_->AcquireAppender("w", {}, "other")->incarnation, first.incarnation);
  EpochAppend late = OneFile("w", {.epoch = 2, .incarnation = first.incarnation}, NewFile("/g"));
  EXPECT_EQ(Prepare(late).status().code(), Code::kAborted);
}

TEST_F(AppenderTest, AnAcquireSentAgainNamesTheCandidatesAsTheFirstTime) {
  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  ASSERT_TRUE(Prepare(OneFile("w", pair, NewFile("/f"))).ok());
  const AcquireResult first = master_->AcquireAppender("w", {}, "id").value();
  ASSERT_TRUE(Commit("w", pair).ok());

  const AcquireResult again = master_->AcquireAppender("w", {}, "id").value();

  EXPECT_EQ(again.incarnation, first.incarnation);
  EXPECT_EQ(again.prepared, std::vector<EpochPair>{pair});
  EXPECT_EQ(master_->AcquireAppender("other", {}, "id").status().code(), Code::kInvalidArgument);
}

TEST_F(AppenderTest, CandidatesOfOneEpochStandSideBySideAndTheCommitChooses) {
  InodeId inode = CommitFirst("/f");
  // A ghost prepared epoch 2; its successor prepares the same epoch with other content.
  EpochAppend ghost =
      OneFile("w", {.epoch = 2, .incarnation = first_.incarnation}, More(inode, 100));
  ghost.files.push_back(NewFile("/g"));
  ASSERT_TRUE(Prepare(ghost).ok());
  EpochAppend winner = OneFile("w", {.epoch = 2, .incarnation = Acquire("w")}, More(inode, 100));
  winner.files[0].blocks.push_back(NewPreparedBlock("w"));
  winner.files.push_back(NewFile("/g"));
  ASSERT_TRUE(Prepare(winner).ok());
  EXPECT_EQ(StandingCandidates("w"), 2U);

  ASSERT_TRUE(Commit("w", winner.pair()).ok());

  EXPECT_EQ(LengthOf("/f"), 300U);
  EXPECT_EQ(LengthOf("/g"), 100U);
  EXPECT_EQ(StandingCandidates("w"), 0U);
  // The loser's blocks may never be prepared any more.
  EpochAppend reuse =
      OneFile("w", {.epoch = 3, .incarnation = winner.incarnation}, More(inode, 300));
  reuse.files[0].blocks = ghost.files[0].blocks;
  EXPECT_EQ(Prepare(reuse).status().code(), Code::kAborted);
}

TEST_F(AppenderTest, TheGhostMayWinToo) {
  InodeId inode = CommitFirst("/f");
  EpochPair ghost{.epoch = 2, .incarnation = first_.incarnation};
  ASSERT_TRUE(Prepare(OneFile("w", ghost, More(inode, 100))).ok());
  EpochPair successor{.epoch = 2, .incarnation = Acquire("w")};
  ASSERT_TRUE(Prepare(OneFile("w", successor, More(inode, 100))).ok());

  ASSERT_TRUE(Commit("w", ghost).ok());

  EXPECT_EQ(LengthOf("/f"), 200U);
  EXPECT_EQ(Commit("w", successor).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(LengthOf("/f"), 200U);
}

TEST_F(AppenderTest, CommitIsIdempotentAndOlderPairsAreDone) {
  InodeId inode = CommitFirst("/f");
  EpochPair second{.epoch = 2, .incarnation = first_.incarnation};
  ASSERT_TRUE(Prepare(OneFile("w", second, More(inode, 100))).ok());
  ASSERT_TRUE(Commit("w", second).ok());

  EXPECT_TRUE(Commit("w", second).ok());
  EXPECT_TRUE(Commit("w", first_).ok());

  EXPECT_EQ(LengthOf("/f"), 200U);
}

TEST_F(AppenderTest, UnknownPairNewerThanTheCommittedIsRefused) {
  CommitFirst("/f");

  EXPECT_EQ(Commit("w", {.epoch = 2, .incarnation = 1}).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(Commit("w", {.epoch = 1, .incarnation = 99}).status().code(),
            Code::kFailedPrecondition);
  EXPECT_EQ(Commit("nobody", {.epoch = 1, .incarnation = 1}).status().code(),
            Code::kFailedPrecondition);
}

TEST_F(AppenderTest, PrepareSentAgainIsAnsweredAsItWas) {
  EpochAppend epoch = OneFile("w", {.epoch = 1, .incarnation = Acquire("w")}, NewFile("/f"));
  auto first = Prepare(epoch);
  auto again = Prepare(epoch);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(again->appenders[0].inodes, first->appenders[0].inodes);

  ASSERT_TRUE(Commit("w", epoch.pair()).ok());
  auto after_commit = Prepare(epoch, true);
  ASSERT_TRUE(after_commit.ok());
  EXPECT_EQ(after_commit->appenders[0].inodes, first->appenders[0].inodes);
  EXPECT_EQ(LengthOf("/f"), 100U);
}

TEST_F(AppenderTest, OnePairNeverHasTwoContents) {
  EpochAppend epoch = OneFile("w", {.epoch = 1, .incarnation = Acquire("w")}, NewFile("/f"));
  ASSERT_TRUE(Prepare(epoch).ok());
  EpochAppend other = epoch;
  other.files[0].blocks = {NewPreparedBlock("w")};

  EXPECT_EQ(Prepare(other).status().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(Commit("w", epoch.pair()).ok());
  EXPECT_EQ(Prepare(other).status().code(), Code::kFailedPrecondition);
}

TEST_F(AppenderTest, PrepareAndCommitInOneStepSentAgainAppendsOnce) {
  EpochAppend epoch = OneFile("w", {.epoch = 1, .incarnation = Acquire("w")}, NewFile("/f"));
  ASSERT_TRUE(failpoint::Configure("master.prepare.after_sync=error:unavailable@1").ok());

  EXPECT_EQ(Prepare(epoch, true).status().code(), Code::kUnavailable);
  EXPECT_TRUE(Prepare(epoch, true).ok());

  EXPECT_EQ(LengthOf("/f"), 100U);
}

TEST_F(AppenderTest, WrongExpectedLengthIsAborted) {
  InodeId inode = CommitFirst("/f");

  EXPECT_EQ(Prepare(OneFile("w", {.epoch = 2, .incarnation = first_.incarnation}, More(inode, 99)))
                .status()
                .code(),
            Code::kAborted);
}

TEST_F(AppenderTest, PassedEpochIsAborted) {
  InodeId inode = CommitFirst("/f");
  EpochPair later{.epoch = 5, .incarnation = first_.incarnation};
  ASSERT_TRUE(Prepare(OneFile("w", later, More(inode, 100)), true).ok());

  EXPECT_EQ(Prepare(OneFile("w", {.epoch = 4, .incarnation = first_.incarnation}, More(inode, 200)))
                .status()
                .code(),
            Code::kAborted);
}

TEST_F(AppenderTest, WithoutAcquireOrWithAnUnknownIncarnationNothingIsPrepared) {
  EXPECT_EQ(Prepare(OneFile("w", {.epoch = 1, .incarnation = 1}, NewFile("/f"))).status().code(),
            Code::kAborted);
  uint64_t incarnation = Acquire("w");
  EXPECT_EQ(Prepare(OneFile("w", {.epoch = 1, .incarnation = incarnation + 1}, NewFile("/f")))
                .status()
                .code(),
            Code::kInvalidArgument);
}

TEST_F(AppenderTest, TwoOwnersCannotPrepareTheSameNewName) {
  EpochPair mine{.epoch = 1, .incarnation = Acquire("w")};
  EpochPair theirs{.epoch = 1, .incarnation = Acquire("v")};
  ASSERT_TRUE(Prepare(OneFile("w", mine, NewFile("/f"))).ok());

  EXPECT_EQ(Prepare(OneFile("v", theirs, NewFile("/f", "v"))).status().code(),
            Code::kFailedPrecondition);
  EXPECT_EQ(master_->MakeDirectory("/f", {}, true).status().code(), Code::kFailedPrecondition);
  PutFile("/g");
  EXPECT_EQ(master_->Rename("/g", "/f", true, "").code(), Code::kFailedPrecondition);

  // Given up, the name is free again.
  ASSERT_TRUE(master_->AbortAppender("w").ok());
  EXPECT_TRUE(Prepare(OneFile("v", theirs, NewFile("/f", "v"))).ok());
}

TEST_F(AppenderTest, AFileBelongsToOneWriterUntilItIsClosed) {
  InodeId inode = CommitFirst("/f");
  uint64_t theirs = Acquire("v");
  auto append_as_v = [&](uint64_t expected_length) {
    return Prepare(
               OneFile("v", {.epoch = 1, .incarnation = theirs}, More(inode, expected_length, "v")))
        .status()
        .code();
  };
  EXPECT_EQ(append_as_v(100), Code::kFailedPrecondition);
  FileAppend closing = {.inode = inode, .expected_length_bytes = 100, .is_closing = true};

  ASSERT_TRUE(
      Prepare(OneFile("w", {.epoch = 2, .incarnation = first_.incarnation}, closing), true).ok());

  EXPECT_EQ(master_->GetStatus("/f")->writer, "");
  EXPECT_EQ(append_as_v(100), Code::kOk);
  EXPECT_EQ(master_->GetStatus("/f")->writer, "v");
}

TEST_F(AppenderTest, RenameBetweenPrepareAndCommitIsFollowed) {
  InodeId inode = CommitFirst("/old/f");
  EpochAppend epoch =
      OneFile("w", {.epoch = 2, .incarnation = first_.incarnation}, More(inode, 100));
  epoch.files.push_back(NewFile("/old/g"));
  ASSERT_TRUE(Prepare(epoch).ok());

  ASSERT_TRUE(master_->Rename("/old", "/new", false, "").ok());
  ASSERT_TRUE(Commit("w", epoch.pair()).ok());

  EXPECT_EQ(LengthOf("/new/f"), 200U);
  EXPECT_EQ(LengthOf("/new/g"), 100U);
}

TEST_F(AppenderTest, DeleteBetweenPrepareAndCommitDropsTheShareAndNamesIt) {
  InodeId inode = CommitFirst("/d/f");
  EpochAppend epoch =
      OneFile("w", {.epoch = 2, .incarnation = first_.incarnation}, More(inode, 100));
  epoch.files.push_back(NewFile("/d/new"));
  epoch.files.push_back(NewFile("/stays"));
  PrepareResult prepared = Prepare(epoch).value();

  ASSERT_TRUE(master_->Delete("/d", true, "").ok());
  auto dropped = Commit("w", epoch.pair());

  ASSERT_TRUE(dropped.ok()) << dropped.status().ToString();
  EXPECT_EQ(*dropped, (std::vector<InodeId>{inode, prepared.appenders[0].inodes[1]}));
  EXPECT_EQ(LengthOf("/stays"), 100U);
  EXPECT_EQ(CodeOf("/d"), Code::kNotFound);
}

TEST_F(AppenderTest, DeleteBeforePrepareIsToldAndTheRestIsPrepared) {
  InodeId inode = CommitFirst("/f");
  ASSERT_TRUE(master_->Delete("/f", false, "").ok());
  EpochAppend epoch =
      OneFile("w", {.epoch = 2, .incarnation = first_.incarnation}, More(inode, 100));
  epoch.files.push_back(NewFile("/g"));

  auto prepared = Prepare(epoch);

  ASSERT_TRUE(prepared.ok()) << prepared.status().ToString();
  EXPECT_EQ(prepared->appenders[0].lost_files, std::vector<uint32_t>{0});
  ASSERT_TRUE(Commit("w", epoch.pair()).ok());
  EXPECT_EQ(LengthOf("/g"), 100U);
}

TEST_F(AppenderTest, EmptyDirectoryWithAReservedNameIsNotEmpty) {
  ASSERT_TRUE(
      Prepare(OneFile("w", {.epoch = 1, .incarnation = Acquire("w")}, NewFile("/d/f"))).ok());

  EXPECT_EQ(master_->Delete("/d", false, "").code(), Code::kFailedPrecondition);
}

TEST_F(AppenderTest, ReplaceGivesWayAtTheCommitAndNotBefore) {
  PutFile("/f", 7);
  FileAppend file = NewFile("/f");
  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  EXPECT_EQ(Prepare(OneFile("w", pair, file)).status().code(), Code::kAlreadyExists);
  file.is_replacing = true;

  ASSERT_TRUE(Prepare(OneFile("w", pair, file)).ok());
  EXPECT_EQ(LengthOf("/f"), 7U);
  ASSERT_TRUE(Commit("w", pair).ok());

  EXPECT_EQ(LengthOf("/f"), 100U);
}

TEST_F(AppenderTest, ARequestOfManyAppendersIsAllOrNothing) {
  std::vector<EpochAppend> epochs = {
      OneFile("w", {.epoch = 1, .incarnation = Acquire("w")}, NewFile("/f")),
      OneFile("v", {.epoch = 1, .incarnation = Acquire("v")}, NewFile("/g", "v"))};
  epochs[1].files[0].blocks[0].block.id = 1'000'000;  // never allocated

  EXPECT_EQ(master_->Prepare(epochs, true).status().code(), Code::kInvalidArgument);

  EXPECT_EQ(CodeOf("/f"), Code::kNotFound);
  EXPECT_EQ(StandingCandidates("w"), 0U);
}

TEST_F(AppenderTest, BlocksWantEnoughDistinctHoldersAndOnePlace) {
  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  FileAppend file = NewFile("/f");
  auto code_with_holders = [&](std::vector<std::string> holders) {
    file.blocks[0].holder_node_ids = std::move(holders);
    return Prepare(OneFile("w", pair, file)).status().code();
  };

  EXPECT_EQ(code_with_holders({"a"}), Code::kFailedPrecondition);
  EXPECT_EQ(code_with_holders({"a", "a"}), Code::kInvalidArgument);
  EXPECT_EQ(code_with_holders({"a", ""}), Code::kInvalidArgument);
  EXPECT_EQ(code_with_holders({"a", "nobody"}), Code::kInvalidArgument);
  file.blocks.push_back(file.blocks[0]);
  EXPECT_EQ(code_with_holders({"a", "b"}), Code::kInvalidArgument);
  file.blocks.pop_back();
  EXPECT_EQ(code_with_holders({"a", "b"}), Code::kOk);

  // In a file already.
  FileAppend again{.new_path = "/g", .blocks = file.blocks};
  EXPECT_EQ(Prepare(OneFile("v", {.epoch = 1, .incarnation = Acquire("v")}, again)).status().code(),
            Code::kInvalidArgument);
}

TEST_F(AppenderTest, AbortDiscardsReleasesAndFences) {
  InodeId inode = CommitFirst("/f");
  EpochPair second{.epoch = 2, .incarnation = first_.incarnation};
  ASSERT_TRUE(Prepare(OneFile("w", second, More(inode, 100))).ok());

  EXPECT_EQ(master_->AbortAppender("w").value(), 1U);

  EXPECT_EQ(Commit("w", second).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(Prepare(OneFile("w", second, More(inode, 100))).status().code(), Code::kAborted);
  EXPECT_EQ(master_->GetStatus("/f")->writer, "");
  EXPECT_EQ(master_->AbortAppender("nobody").status().code(), Code::kNotFound);
}

TEST_F(AppenderTest, ListShowsWhatStandsAndSinceWhen) {
  InodeId inode = CommitFirst("/f");
  clock_.Advance(std::chrono::seconds(5));
  ASSERT_TRUE(
      Prepare(OneFile("w", {.epoch = 2, .incarnation = first_.incarnation}, More(inode, 100)))
          .ok());
  int64_t prepared_at_ms = clock_.WallNow().time_since_epoch().count();
  clock_.Advance(std::chrono::seconds(5));

  AppenderStatus status = master_->ListAppenders("w")->at(0);

  EXPECT_EQ(status.committed, first_);
  EXPECT_EQ(status.prepared.size(), 1U);
  EXPECT_EQ(status.prepared_since_ms, prepared_at_ms);
  EXPECT_EQ(status.open_files, 1U);
}

TEST_F(AppenderTest, IdlePlainWritersAreForgottenAndJobsNever) {
  PutFile("/f");
  CommitFirst("/g");
  EXPECT_EQ(master_->ListAppenders("")->size(), 2U);

  clock_.Advance(std::chrono::hours(24 * 365));
  ASSERT_TRUE(master_->Tick().ok());

  ASSERT_EQ(master_->ListAppenders("")->size(), 1U);
  EXPECT_EQ(master_->ListAppenders("")->at(0).committed, first_);
}

TEST_F(AppenderTest, CandidateOnAnOverthrownBaseIsRefused) {
  // Two epochs prepared on the same base; once the first is committed the second has no ground.
  InodeId inode = CommitFirst("/f");
  EpochPair second{.epoch = 2, .incarnation = first_.incarnation};
  EpochPair third{.epoch = 3, .incarnation = first_.incarnation};
  ASSERT_TRUE(Prepare(OneFile("w", second, More(inode, 100))).ok());
  ASSERT_TRUE(Prepare(OneFile("w", third, More(inode, 100))).ok());

  ASSERT_TRUE(Commit("w", second).ok());

  EXPECT_EQ(Commit("w", third).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(LengthOf("/f"), 200U);
}

}  // namespace
}  // namespace slipstream::dfs::master
