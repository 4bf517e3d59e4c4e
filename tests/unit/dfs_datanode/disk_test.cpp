// The disks of a datanode: which of them are used, and what becomes of those that fail.

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dfs-datanode/disk_health.h"
#include "dfs-datanode/disk_set.h"
#include "dfs-datanode/quarantine_dir.h"
#include "dfs-datanode/watched_file_system.h"
#include "tests/unit/dfs_datanode/replica_fixture.h"

namespace slipstream::datanode {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Operation = MemoryFileSystem::Operation;

const Status kIoError = Unavailable("input/output error");

// Fails every operation of those given, below any of the paths.
void Fail(MemoryFileSystem& fs, std::vector<Operation> operations, std::string part = "") {
  fs.SetFault([operations = std::move(operations), part = std::move(part)](
                  Operation operation, const std::string& path) {
    const bool is_hit =
        std::find(operations.begin(), operations.end(), operation) != operations.end() &&
        path.find(part) != std::string::npos;
    return is_hit ? kIoError : Status();
  });
}

const std::vector<Operation> kReading = {Operation::kOpen, Operation::kRead};
const std::vector<Operation> kWriting = {Operation::kWrite,
                                         Operation::kTruncate,
                                         Operation::kSync,
                                         Operation::kRename,
                                         Operation::kMakeDirectories,
                                         Operation::kSyncDirectory};

// ---- DiskHealth ----

class DiskHealthTest : public testing::Test {
 protected:
  // Fails files, each once, so long after one another.
  void FailFiles(size_t count, milliseconds pause) {
    for (size_t i = 0; i < count; ++i) {
      now_ += pause;
      health_.NoteError("/d/" + std::to_string(next_file_++), kIoError, now_);
    }
  }

  const DiskHealth::Options options_{};
  DiskHealth health_{options_};
  SteadyTime now_{};
  size_t next_file_ = 0;
};

TEST_F(DiskHealthTest, OneFileThatAlwaysFailsIsNotTheDisk) {
  for (int i = 0; i < 1'000; ++i)
    health_.NoteError("/d/bad", kIoError, now_ += milliseconds(1));

  EXPECT_EQ(health_.failure(), "");
  EXPECT_TRUE(health_.is_suspect());
}

TEST_F(DiskHealthTest, ManyFilesThatFailWithinAMinuteAre) {
  FailFiles(options_.failed_files_max - 1, milliseconds(1));
  EXPECT_EQ(health_.failure(), "");
  FailFiles(1, milliseconds(1));

  EXPECT_NE(health_.failure(), "");
  health_.NoteProbe({}, now_);
  EXPECT_NE(health_.failure(), "") << "for good";
}

TEST_F(DiskHealthTest, AsManyOverAnHourAreNot) {
  FailFiles(1'000,
            options_.window / static_cast<int>(options_.failed_files_max - 1) + milliseconds(1));

  EXPECT_EQ(health_.failure(), "");
}

TEST_F(DiskHealthTest, ItIsGivenUpWhenProbesFailOneAfterTheOther) {
  for (int i = 1; i < options_.failed_probes_max; ++i)
    health_.NoteProbe(kIoError, now_);
  health_.NoteProbe({}, now_);
  EXPECT_FALSE(health_.is_suspect());
  for (int i = 1; i < options_.failed_probes_max; ++i)
    health_.NoteProbe(kIoError, now_);
  EXPECT_EQ(health_.failure(), "");

  health_.NoteProbe(kIoError, now_);

  EXPECT_NE(health_.failure(), "");
}

TEST_F(DiskHealthTest, ASuspectIsProbedAtOnceAndOthersNowAndThen) {
  EXPECT_TRUE(health_.is_probe_due(now_));
  health_.NoteProbe({}, now_);
  EXPECT_FALSE(health_.is_probe_due(now_));
  EXPECT_TRUE(health_.is_probe_due(now_ + options_.probe_interval));

  health_.NoteError("/d/a", kIoError, now_);
  EXPECT_TRUE(health_.is_probe_due(now_));
}

// ---- WatchedFileSystem ----

TEST(WatchedFileSystemTest, TellsOfEveryOperationThatTheDiskFails) {
  MemoryFileSystem memory;
  std::vector<std::string> told;
  WatchedFileSystem fs(memory,
                       [&](const std::string& path, const Status&) { told.push_back(path); });
  ASSERT_TRUE(fs.MakeDirectories("/d").ok());
  ASSERT_TRUE(WriteSmallFile(fs, "/d/a", "content").ok());
  const std::unique_ptr<File> file = fs.Open("/d/a", OpenMode::kUpdate).value();
  EXPECT_THAT(told, IsEmpty());

  memory.SetFault([](Operation, const std::string&) { return kIoError; });
  char byte = 0;
  EXPECT_FALSE(file->Read(0, &byte, 1).ok());
  EXPECT_FALSE(file->Write(0, "c").ok());
  EXPECT_FALSE(file->Truncate(1).ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(fs.Open("/d/a", OpenMode::kRead).ok());
  EXPECT_FALSE(fs.Rename("/d/a", "/d/b").ok());
  EXPECT_FALSE(fs.Remove("/d/a").ok());
  EXPECT_THAT(told, testing::AllOf(testing::SizeIs(7), testing::Each("/d/a")));
  told.clear();
  EXPECT_FALSE(fs.MakeDirectories("/d").ok());
  EXPECT_FALSE(fs.SyncDirectory("/d").ok());
  EXPECT_FALSE(fs.List("/d").ok());
  EXPECT_FALSE(fs.Space("/d").ok());
  EXPECT_THAT(told, testing::AllOf(testing::SizeIs(4), testing::Each("/d")));
}

TEST(WatchedFileSystemTest, SaysNothingOfAMissingFileOrAFullDisk) {
  MemoryFileSystem memory(10);
  int told = 0;
  WatchedFileSystem fs(memory, [&](const std::string&, const Status&) { ++told; });
  ASSERT_TRUE(fs.MakeDirectories("/d").ok());

  EXPECT_EQ(fs.Open("/d/none", OpenMode::kRead).status().code(), Code::kNotFound);
  EXPECT_EQ(fs.Remove("/d/none").code(), Code::kNotFound);
  EXPECT_EQ(fs.List("/none").status().code(), Code::kNotFound);
  EXPECT_EQ(fs.Open("/d/a", OpenMode::kCreate).value()->Write(0, "more than ten bytes").code(),
            Code::kResourceExhausted);
  EXPECT_EQ(told, 0);
}

// ---- DiskSet ----

class DiskSetTest : public testing::Test {
 protected:
  DiskSet::Options Options(size_t disks_min = 1) {
    return {.disks = {{.path = "/one", .fs = &fs_[0]},
                      {.path = "/two", .fs = &fs_[1]},
                      {.path = "/three", .fs = &fs_[2]}},
            .disks_min = disks_min};
  }
  Result<std::unique_ptr<DiskSet>> Open(size_t disks_min = 1) {
    return DiskSet::Open(Options(disks_min), clock_);
  }
  static std::vector<size_t> InService(const DiskSet& set) {
    std::vector<size_t> disks;
    for (size_t i = 0; i < set.size(); ++i) {
      if (set.disk(i).is_in_service()) disks.push_back(i);
    }
    return disks;
  }

  MemoryFileSystem fs_[3];
  ManualClock clock_;
};

TEST_F(DiskSetTest, AllDisksHaveTheSameNodeAndANewOneIsTakenIn) {
  DiskSet::Options options = Options();
  options.disks.resize(2);
  std::unique_ptr<DiskSet> set = DiskSet::Open(options, clock_).value();
  const std::string node_id = set->node_id();
  set.reset();

  set = Open().value();

  EXPECT_EQ(set->node_id(), node_id);
  EXPECT_THAT(InService(*set), ElementsAre(0, 1, 2));
  set.reset();
  for (size_t i = 0; i < 3; ++i) {
    options.disks = {Options().disks[i]};
    EXPECT_EQ(DiskSet::Open(options, clock_).value()->node_id(), node_id) << i;
  }
}

TEST_F(DiskSetTest, DisksOfTwoNodesAreRefused) {
  for (size_t i = 0; i < 2; ++i) {
    DiskSet::Options options = Options();
    options.disks = {options.disks[i]};
    ASSERT_TRUE(DiskSet::Open(options, clock_).ok());
  }

  EXPECT_EQ(Open().status().code(), Code::kFailedPrecondition);
}

TEST_F(DiskSetTest, NoDiskTwiceAndNoneAtAllAreRefused) {
  DiskSet::Options options = Options();
  options.disks[2] = options.disks[0];
  EXPECT_EQ(DiskSet::Open(options, clock_).status().code(), Code::kInvalidArgument);
  options.disks.clear();
  EXPECT_EQ(DiskSet::Open(options, clock_).status().code(), Code::kInvalidArgument);
}

TEST_F(DiskSetTest, ADiskThatCannotBeUsedAtTheStartIsLeftOut) {
  const std::string node_id = Open().value()->node_id();
  Fail(fs_[1], {Operation::kMakeDirectories});

  std::unique_ptr<DiskSet> set = Open().value();

  EXPECT_EQ(set->node_id(), node_id);
  EXPECT_THAT(InService(*set), ElementsAre(0, 2));
  EXPECT_NE(set->disk(1).failure(), "");
  set.reset();
  EXPECT_EQ(Open(3).status().code(), Code::kUnavailable);
}

TEST_F(DiskSetTest, ANewNodeIsNotMadeWhileADiskThatMayKnowItIsAway) {
  Fail(fs_[1], {Operation::kMakeDirectories});

  EXPECT_EQ(Open().status().code(), Code::kFailedPrecondition);
}

TEST_F(DiskSetTest, RoomIsTakenInTurnByWhatIsFree) {
  fs_[0].SetCapacity(8'000'000);
  fs_[1].SetCapacity(4'000'000);
  fs_[2].SetCapacity(4'000'000);
  std::unique_ptr<DiskSet> set = Open().value();
  std::vector<int> placed(3);

  for (int i = 0; i < 80; ++i)
    ++placed[set->Reserve(1'000).value().disk_index];

  EXPECT_THAT(placed,
              ElementsAre(testing::AllOf(testing::Ge(38), testing::Le(42)),
                          testing::AllOf(testing::Ge(18), testing::Le(22)),
                          testing::AllOf(testing::Ge(18), testing::Le(22))));
}

TEST_F(DiskSetTest, WhatIsHeldIsNotFreeUntilItIsGivenBack) {
  DiskSet::Options options = Options();
  options.disks.resize(1);
  options.disk.reserve_bytes = 1'000;
  std::unique_ptr<DiskSet> set = DiskSet::Open(options, clock_).value();
  uint64_t used = 0;
  for (const std::string& path : fs_[0].Paths())
    used += fs_[0].Content(path).size();
  fs_[0].SetCapacity(used + 1'000 + 5'000);
  std::optional<DiskSet::Place> held = set->Reserve(3'000).value();

  EXPECT_EQ(set->Reserve(3'000).status().code(), Code::kResourceExhausted);
  EXPECT_TRUE(set->Reserve(2'000).ok());
  held.reset();
  EXPECT_TRUE(set->Reserve(5'000).ok());
  EXPECT_FALSE(set->Reserve(5'001).ok());
}

TEST_F(DiskSetTest, ASuspectDiskIsTakenOnlyWhereThereIsNoOther) {
  std::unique_ptr<DiskSet> set = Open().value();
  for (size_t i = 0; i < 3; ++i)
    ASSERT_TRUE(set->disk(i).OpenStores().ok());
  Fail(fs_[0], kWriting);
  EXPECT_FALSE(set->disk(0).directory().SaveNumber("n", 1).ok());
  ASSERT_TRUE(set->disk(0).is_suspect());
  for (int i = 0; i < 20; ++i)
    EXPECT_NE(set->Reserve(1'000).value().disk_index, 0U);

  set->disk(1).GiveUp("taken out");
  set->disk(2).GiveUp("taken out");

  EXPECT_EQ(set->Reserve(1'000).value().disk_index, 0U);
  set->disk(0).GiveUp("taken out");
  EXPECT_EQ(set->Reserve(1'000).status().code(), Code::kResourceExhausted);
  EXPECT_EQ(set->CheckEnough().code(), Code::kUnavailable);
}

TEST_F(DiskSetTest, ANumberIsTheLargestThatAnyDiskHas) {
  std::unique_ptr<DiskSet> set = Open().value();
  ASSERT_TRUE(set->SaveNumber("n", 7).ok());
  Fail(fs_[1], kWriting);
  EXPECT_TRUE(set->SaveNumber("n", 9).ok()) << "on one disk is enough";
  fs_[1].SetFault(nullptr);
  EXPECT_EQ(set->LoadNumber("n"), 9U);

  set->disk(0).GiveUp("taken out");
  EXPECT_EQ(set->LoadNumber("n"), 9U);
  set->disk(2).GiveUp("taken out");
  EXPECT_EQ(set->LoadNumber("n"), 7U);
}

// ---- A node with several disks ----

class NodeDisksTest : public testing::Test {
 protected:
  NodeDisksTest() {
    Open();
    // On both, whatever their turn is.
    for (block::BlockId id = 1; id <= 12; ++id)
      EXPECT_TRUE(Write(*store_, {id % 2 == 0 ? LargeBlock(id) : SmallBlock(id)}).ok());
    store_->AcknowledgeChanges(store_->List().sequence);
  }

  void Open() {
    store_.reset();
    store_ = ReplicaStore::Open(
                 StoreOptions({{.path = "/one", .fs = &fs_[0]}, {.path = "/two", .fs = &fs_[1]}}),
                 clock_)
                 .value();
  }
  // Checks the disks every few seconds, as the node does, until one is out of service.
  void CheckUntilGivenUp(size_t disk) {
    for (int i = 0; i < 20 && store_->disks().disk(disk).is_in_service(); ++i) {
      (void)store_->CheckDisks();
      clock_.Advance(milliseconds(5'000));
    }
    ASSERT_FALSE(store_->disks().disk(disk).is_in_service());
  }
  std::vector<block::BlockId> Removed() {
    std::vector<block::BlockId> removed;
    for (const ReplicaChange& change : store_->PendingChanges(1'000)) {
      if (change.kind == ReplicaChange::Kind::kRemoved) removed.push_back(change.identity.block_id);
    }
    return removed;
  }

  MemoryFileSystem fs_[2];
  ManualClock clock_;
  std::unique_ptr<ReplicaStore> store_;
};

TEST_F(NodeDisksTest, ADiskThatVanishesCostsItsReplicasAndNoOthers) {
  const std::vector<block::BlockId> before = Ids(*store_);
  for (const std::string& path : fs_[0].Paths())
    (void)fs_[0].Remove(path);

  CheckUntilGivenUp(0);

  const std::vector<block::BlockId> left = Ids(*store_);
  EXPECT_LT(left.size(), before.size());
  EXPECT_GT(left.size(), 0U);
  std::vector<block::BlockId> known = Removed();
  EXPECT_EQ(known.size() + left.size(), before.size()) << "the master is told of each";
  known.insert(known.end(), left.begin(), left.end());
  EXPECT_THAT(known, testing::UnorderedElementsAreArray(before));
  for (block::BlockId id : left)
    EXPECT_TRUE(ReadAll(*store_, id).ok()) << id;
  EXPECT_TRUE(store_->CheckDisks().ok()) << "one disk is enough";
  const ReplicaStore::Usage usage = store_->GetUsage().value();
  ASSERT_EQ(usage.disks.size(), 2U);
  EXPECT_NE(usage.disks[0].failure, "");
  EXPECT_EQ(usage.disks[1].failure, "");
  // What was there can come again.
  for (block::BlockId id : Removed())
    EXPECT_TRUE(Write(*store_, {LargeBlock(id)}).ok()) << id;
  EXPECT_EQ(Ids(*store_), before);
}

TEST_F(NodeDisksTest, ADiskThatIsReadOnlyTakesNothingMoreAndGoes) {
  fs_[1].SetFault([](Operation operation, const std::string&) {
    return std::find(kWriting.begin(), kWriting.end(), operation) == kWriting.end()
               ? Status()
               : Status(Code::kPermissionDenied, "read-only file system");
  });

  // Each write fails at most on that disk, and then goes to the other.
  int failed = 0;
  for (block::BlockId id = 100; id < 110; ++id)
    failed += Write(*store_, {LargeBlock(id)}).ok() ? 0 : 1;
  EXPECT_LE(failed, 1);
  CheckUntilGivenUp(1);

  for (block::BlockId id : Ids(*store_))
    EXPECT_TRUE(ReadAll(*store_, id).ok()) << id;
}

TEST_F(NodeDisksTest, AFullDiskStaysInServiceAndIsRead) {
  const std::vector<block::BlockId> before = Ids(*store_);
  fs_[0].SetCapacity(1);

  for (block::BlockId id = 100; id < 110; ++id)
    EXPECT_TRUE(Write(*store_, {LargeBlock(id)}).ok()) << id;
  for (int i = 0; i < 20; ++i) {
    clock_.Advance(milliseconds(60'000));
    EXPECT_TRUE(store_->CheckDisks().ok());
  }

  EXPECT_TRUE(store_->disks().disk(0).is_in_service());
  for (block::BlockId id : before)
    EXPECT_TRUE(ReadAll(*store_, id).ok()) << id;
}

TEST_F(NodeDisksTest, TheSameDiskComesBackWithItsReplicasAfterARestart) {
  const std::vector<block::BlockId> before = Ids(*store_);
  Fail(fs_[0], kReading);
  CheckUntilGivenUp(0);
  EXPECT_LT(Ids(*store_).size(), before.size());
  fs_[0].SetFault(nullptr);

  Open();

  EXPECT_EQ(Ids(*store_), before);
}

TEST_F(NodeDisksTest, AReplicaOnTwoDisksCountsOnce) {
  const std::vector<block::BlockId> before = Ids(*store_);
  Fail(fs_[0], kReading);
  CheckUntilGivenUp(0);
  for (block::BlockId id : Removed())
    ASSERT_TRUE(Write(*store_, {LargeBlock(id)}).ok());
  fs_[0].SetFault(nullptr);

  Open();

  EXPECT_EQ(Ids(*store_), before);
  for (block::BlockId id : before)
    EXPECT_TRUE(store_->Verify(id).ok()) << id;
}

TEST_F(NodeDisksTest, WithTooFewDisksTheNodeIsAtItsEnd) {
  Fail(fs_[0], kReading);
  Fail(fs_[1], kReading);
  CheckUntilGivenUp(0);
  CheckUntilGivenUp(1);

  EXPECT_EQ(store_->CheckDisks().code(), Code::kUnavailable);
  EXPECT_THAT(Ids(*store_), IsEmpty());
}

// ---- QuarantineDir ----

TEST(QuarantineDirTest, TheOldestMakeRoom) {
  MemoryFileSystem fs;
  ManualClock clock;
  QuarantineDir quarantine("/d", fs, clock);
  ASSERT_TRUE(quarantine.Open().ok());
  std::vector<std::string> paths;
  for (block::BlockId id = 5; id > 0; --id) {
    paths.push_back(quarantine.NewPath(id) + ".zst");
    ASSERT_TRUE(WriteSmallFile(fs, paths.back(), std::string(100, 'x')).ok());
    clock.Advance(milliseconds(1'000));
  }

  ASSERT_TRUE(quarantine.Trim(500).ok());
  EXPECT_EQ(fs.Paths().size(), 5U);
  ASSERT_TRUE(quarantine.Trim(299).ok());

  EXPECT_THAT(fs.Paths(), UnorderedElementsAre(paths[3], paths[4]));
  ASSERT_TRUE(quarantine.Trim(0).ok());
  EXPECT_THAT(fs.Paths(), IsEmpty());
}

TEST(QuarantineDirTest, ADiskThatFailsIsTriedAgainWithTheNextTrim) {
  MemoryFileSystem fs;
  ManualClock clock;
  QuarantineDir quarantine("/d", fs, clock);
  ASSERT_TRUE(quarantine.Open().ok());
  ASSERT_TRUE(WriteSmallFile(fs, quarantine.NewPath(1) + ".zst", "bad").ok());

  Fail(fs, {Operation::kList});
  EXPECT_EQ(quarantine.Trim(0).code(), Code::kUnavailable);
  Fail(fs, {Operation::kRemove});
  EXPECT_EQ(quarantine.Trim(0).code(), Code::kUnavailable);
  fs.SetFault(nullptr);

  EXPECT_TRUE(quarantine.Trim(0).ok());
  EXPECT_THAT(fs.Paths(), IsEmpty());
}

}  // namespace
}  // namespace slipstream::datanode
