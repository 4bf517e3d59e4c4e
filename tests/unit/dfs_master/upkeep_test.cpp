// What was deleted is taken apart to the last record, whatever its shape and whenever the master
// dies; and what was carried out once is forgotten in time.

#include <random>

#include "common/failpoint/failpoint.h"
#include "dfs-master/codec.h"
#include "dfs-master/orphan_queue.h"
#include "dfs-master/retry_table.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class UpkeepTest : public MasterHarness {
 protected:
  UpkeepTest() { AddNodes(); }
  ~UpkeepTest() override { (void)failpoint::Configure(""); }

  void PutBlocks(const std::string& path, int blocks) {
    FileAppend file{.new_path = path, .is_closing = true};
    for (int i = 0; i < blocks; ++i)
      file.blocks.push_back(NewPreparedBlock("w"));
    auto prepared =
        Prepare(OneFile("w", {.epoch = ++epoch_, .incarnation = Acquire("w")}, file), true);
    ASSERT_TRUE(prepared.ok()) << prepared.status().ToString();
  }
  size_t CountOf(Table table) {
    size_t count = 0;
    EXPECT_TRUE(store_
                    .Scan(table,
                          "",
                          "",
                          [&](std::string_view, std::string_view) {
                            ++count;
                            return true;
                          })
                    .ok());
    return count;
  }
  // The root is all there is.
  void ExpectNothingLeft() {
    EXPECT_EQ(CountOf(Table::kInodes), 1U);
    EXPECT_EQ(CountOf(Table::kInodeNames), 1U);
    for (Table table : {Table::kFileBlocks, Table::kOrphans, Table::kOpenFiles, Table::kQuotas})
      EXPECT_EQ(CountOf(table), 0U) << TableName(table);
    const Totals totals = master_->GetClusterState()->totals;
    EXPECT_EQ(totals.files + totals.blocks + totals.raw_bytes + totals.stored_bytes, 0U);
    EXPECT_EQ(totals.directories, 1U);
  }
  // A tree of everything that needs its own way to go; about 900 names and 400 blocks.
  void MakeTree(const std::string& root) {
    for (int i = 0; i < 300; ++i)
      ASSERT_TRUE(master_->MakeDirectory(root + "/flat/" + std::to_string(i), {}, true).ok());
    std::string deep = root;
    for (int i = 0; i < 60; ++i)
      deep += "/d";
    ASSERT_TRUE(master_->MakeDirectory(deep, {}, true).ok());
    PutBlocks(deep + "/f", 2);
    for (int i = 0; i < 100; ++i)
      PutBlocks(root + "/files/" + std::to_string(i), i % 3);
    PutBlocks(root + "/large", 150);
    // One that is being written, and a quota below.
    auto open =
        Prepare(OneFile("o" + root,
                        {.epoch = 1, .incarnation = Acquire("o" + root)},
                        {.new_path = root + "/open", .blocks = {NewPreparedBlock("o" + root)}}),
                true);
    ASSERT_TRUE(open.ok()) << open.status().ToString();
    ASSERT_TRUE(master_->SetQuota(root + "/flat", {.names_max = 1'000}, "").ok());
  }

  uint64_t epoch_ = 0;
};

TEST_F(UpkeepTest, ADeletedTreeIsTakenApartToTheLastRecord) {
  MakeTree("/t");
  ASSERT_TRUE(master_->Delete("/t", true, "").ok());
  PutBlocks("/single", 3);
  ASSERT_TRUE(master_->Delete("/single", false, "").ok());

  ASSERT_TRUE(master_->Tick().ok());

  ExpectNothingLeft();
  EXPECT_EQ(master_->GetClusterState()->pending_deletions, 0U);
}

TEST_F(UpkeepTest, AfterACrashAtAnyStepTheRestIsTakenApart) {
  MakeTree("/t");
  ASSERT_TRUE(master_->Delete("/t", true, "").ok());
  int crashes = 0;
  for (int step = 1; CountOf(Table::kOrphans) > 0; ++step) {
    ASSERT_LT(step, 20);
    const char* place = step % 2 == 0 ? "before_write" : "after_write";
    // Each time a step further; of the last one only what was synced is there.
    ASSERT_TRUE(failpoint::Configure("master.reap." + std::string(place) + "=error:unavailable@" +
                                     std::to_string(step % 2 == 0 ? 2 : 1))
                    .ok());
    crashes += master_->Tick().ok() ? 0 : 1;
    ASSERT_TRUE(failpoint::Configure("").ok());
    if (step % 4 == 3) {
      Restart();
    } else {
      Crash();
    }
    AddNodes();
  }

  EXPECT_GT(crashes, 1);
  ASSERT_TRUE(master_->Tick().ok());
  ExpectNothingLeft();
}

TEST_F(UpkeepTest, WhatIsBesideTheDeletedStays) {
  MakeTree("/t");
  MakeTree("/u");
  const Totals before = master_->GetClusterState()->totals;
  MakeTree("/v");
  ASSERT_TRUE(master_->Delete("/v", true, "").ok());

  ASSERT_TRUE(master_->Tick().ok());

  const Totals after = master_->GetClusterState()->totals;
  EXPECT_EQ(after.files, before.files);
  EXPECT_EQ(after.directories, before.directories);
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.stored_bytes, before.stored_bytes);
  EXPECT_EQ(master_->LocateBlocks({.path = "/t/large"}, 0, 0)->blocks.size(), 150U);
}

TEST_F(UpkeepTest, DeletedFilesAreReapedWhoeverCutThemOff) {
  PutBlocks("/a", 1);
  PutBlocks("/b", 1);
  PutBlocks("/c", 1);
  const std::string source = "/b";
  ASSERT_TRUE(master_->Concat("/a", std::span(&source, 1), "").ok());
  ASSERT_TRUE(master_->Rename("/a", "/c", true, "").ok());
  ASSERT_TRUE(master_->Tick().ok());

  EXPECT_EQ(CountOf(Table::kOrphans), 0U);
  EXPECT_EQ(CountOf(Table::kFileBlocks), 2U);
  EXPECT_EQ(master_->LocateBlocks({.path = "/c"}, 0, 0)->blocks.size(), 2U);
}

TEST(OrphanQueueTest, WhatIsTooMuchIsLeftToTheTable) {
  OrphanQueue queue;
  EXPECT_TRUE(queue.TakeRescan());
  EXPECT_FALSE(queue.TakeRescan());
  std::vector<InodeId> many(OrphanQueue::kQueuedMax + 1, 7);

  queue.Add(many);

  EXPECT_FALSE(queue.TakeRescan()) << "before the queue is empty";
  EXPECT_EQ(queue.Take(SIZE_MAX).size(), OrphanQueue::kQueuedMax);
  EXPECT_TRUE(queue.TakeRescan());
  EXPECT_TRUE(queue.Take(1).empty());
}

// ---- Requests ----

TEST_F(UpkeepTest, RequestsAreRememberedForAnHour) {
  ASSERT_TRUE(master_->MakeDirectory("/d", {}, false, "mk").ok());
  Pass(seconds(3'599), {"a", "b", "c"});
  EXPECT_TRUE(master_->MakeDirectory("/d", {}, false, "mk").ok());

  Pass(seconds(3), {"a", "b", "c"});

  EXPECT_EQ(master_->MakeDirectory("/d", {}, false, "mk").status().code(), Code::kAlreadyExists);
  EXPECT_EQ(CountOf(Table::kRequests), 0U);
}

TEST_F(UpkeepTest, OfTooManyRequestsTheOldestGoFirstHoweverFastTheyCome) {
  options_.requests.entries_max = 3'000;
  Restart();
  auto id = [](int second, int i) { return std::to_string(second) + "." + std::to_string(i); };
  for (int second = 0; second < 5; ++second) {
    for (int i = 0; i < 1'500; ++i)
      ASSERT_TRUE(master_->SetAttributes("/", {.mode = 0755}, id(second, i)).ok());
    clock_.Advance(seconds(1));
    ASSERT_TRUE(master_->Tick().ok());
  }

  EXPECT_EQ(CountOf(Table::kRequests), 2 * 3'000U);
  // Another content under the same id: refused where the id is known.
  EXPECT_EQ(master_->SetAttributes("/", {.mode = 0700}, id(3, 0)).status().code(),
            Code::kInvalidArgument);
  EXPECT_TRUE(master_->SetAttributes("/", {.mode = 0700}, id(2, 1'499)).ok());
}

TEST_F(UpkeepTest, RequestsAreRememberedThoughTheClockWasSetForward) {
  for (bool restarts : {false, true}) {
    const std::string path = restarts ? "/a" : "/b";
    ASSERT_TRUE(master_->MakeDirectory(path, {}, false, path).ok());

    clock_.JumpWall(std::chrono::hours(30));
    if (restarts) Crash();
    AddNodes();
    Pass(seconds(2), {"a", "b", "c"});

    EXPECT_TRUE(master_->MakeDirectory(path, {}, false, path).ok());
  }
}

TEST_F(UpkeepTest, RequestsAreForgottenThoughTheClockWasSetBack) {
  ASSERT_TRUE(master_->MakeDirectory("/a", {}, false, "1").ok());
  Pass(seconds(3'602), {"a", "b", "c"});
  EXPECT_EQ(CountOf(Table::kRequests), 0U);
  clock_.JumpWall(-std::chrono::hours(3));
  ASSERT_TRUE(master_->MakeDirectory("/b", {}, false, "2").ok());
  EXPECT_EQ(CountOf(Table::kRequests), 2U);

  Pass(seconds(3'602), {"a", "b", "c"});

  EXPECT_EQ(CountOf(Table::kRequests), 0U);
}

TEST_F(UpkeepTest, RequestsFromBeforeARestartAreForgottenToo) {
  for (int i = 0; i < 2'500; ++i)
    ASSERT_TRUE(master_->SetAttributes("/", {.mode = 0755}, std::to_string(i)).ok());
  Crash();
  AddNodes();
  EXPECT_EQ(CountOf(Table::kRequests), 5'000U);

  Pass(seconds(3'602), {"a", "b", "c"});

  EXPECT_EQ(CountOf(Table::kRequests), 0U);
}

}  // namespace
}  // namespace slipstream::dfs::master
