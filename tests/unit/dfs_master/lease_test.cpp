// Leases: who is given up, when, and who never is.

#include "common/failpoint/failpoint.h"
#include "dfs-master/lease_table.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LeaseTest : public MasterHarness {
 protected:
  LeaseTest() { AddNodes(); }
  ~LeaseTest() override { (void)failpoint::Configure(""); }

  uint64_t AcquireFor(const std::string& owner, milliseconds lease) {
    auto acquired = master_->AcquireAppender(owner, lease);
    EXPECT_TRUE(acquired.ok()) << acquired.status().ToString();
    return acquired.ok() ? acquired->incarnation : 0;
  }
  // A file that `owner` has open, with a candidate of its second epoch.
  void OpenFile(const std::string& owner, const std::string& path, uint64_t incarnation) {
    EpochPair first{.epoch = 1, .incarnation = incarnation};
    auto prepared = Prepare(
        OneFile(owner, first, {.new_path = path, .blocks = {NewPreparedBlock(owner)}}), true);
    ASSERT_TRUE(prepared.ok()) << prepared.status().ToString();
    FileAppend more{.inode = prepared->appenders[0].inodes[0],
                    .expected_length_bytes = 100,
                    .blocks = {NewPreparedBlock(owner)}};
    ASSERT_TRUE(
        Prepare(OneFile(owner, {.epoch = 2, .incarnation = incarnation}, std::move(more))).ok());
  }
  std::string WriterOf(const std::string& path) { return master_->GetStatus(path)->writer; }
  AppenderStatus StatusOfAppender(const std::string& owner) {
    const std::vector<AppenderStatus> appenders = master_->ListAppenders(owner).value();
    for (const AppenderStatus& status : appenders)
      if (status.owner == owner) return status;
    return {};
  }
  void PassAlive(seconds time) { Pass(time, {"a", "b", "c"}); }
};

TEST_F(LeaseTest, AWriterNotHeardOfIsGivenUpAndItsFileClosedAtWhatWasCommitted) {
  const uint64_t incarnation = AcquireFor("w", seconds(20));
  OpenFile("w", "/f", incarnation);
  EXPECT_EQ(StatusOfAppender("w").lease, milliseconds(20'000));

  PassAlive(seconds(19));
  EXPECT_EQ(WriterOf("/f"), "w");
  PassAlive(seconds(2));

  EXPECT_EQ(WriterOf("/f"), "");
  EXPECT_EQ(LengthOf("/f"), 100U);
  EXPECT_EQ(StatusOfAppender("w").prepared.size(), 0U);
  EXPECT_EQ(StatusOfAppender("w").open_files, 0U);
  EXPECT_EQ(StatusOfAppender("w").lease, milliseconds(0));
  EXPECT_EQ(master_->RenewLease("w", incarnation).code(), Code::kAborted);
  EpochAppend late = OneFile("w", {.epoch = 3, .incarnation = incarnation}, {.new_path = "/g"});
  EXPECT_EQ(Prepare(late).status().code(), Code::kAborted);
  EXPECT_EQ(Commit("w", {.epoch = 2, .incarnation = incarnation}).status().code(),
            Code::kFailedPrecondition);
}

TEST_F(LeaseTest, EveryCallInItsNameKeepsItAlive) {
  const uint64_t incarnation = AcquireFor("w", seconds(5));
  OpenFile("w", "/f", incarnation);

  for (int i = 0; i < 4; ++i) {
    PassAlive(seconds(4));
    ASSERT_TRUE(master_->RenewLease("w", incarnation).ok());
    PassAlive(seconds(4));
    NewBlock("w");
    PassAlive(seconds(4));
    ASSERT_TRUE(Commit("w", {.epoch = 2, .incarnation = incarnation}).ok());
  }

  EXPECT_EQ(WriterOf("/f"), "w");
  EXPECT_EQ(LengthOf("/f"), 200U);
}

TEST_F(LeaseTest, WithoutALeaseNobodyIsGivenUp) {
  OpenFile("w", "/f", Acquire("w"));

  for (int i = 0; i < 100; ++i) {
    clock_.Advance(seconds(600));
    ASSERT_TRUE(master_->Tick().ok());
  }

  EXPECT_EQ(WriterOf("/f"), "w");
  EXPECT_EQ(StatusOfAppender("w").prepared.size(), 1U);
}

TEST_F(LeaseTest, TheSuccessorOfADeadWriterTakesOverAtOnceWithALeaseOfItsOwn) {
  const uint64_t dead = AcquireFor("w", seconds(5));
  OpenFile("w", "/f", dead);
  PassAlive(seconds(4));

  const uint64_t successor = AcquireFor("w", seconds(30));

  EXPECT_EQ(master_->RenewLease("w", dead).code(), Code::kAborted);
  EXPECT_TRUE(Commit("w", {.epoch = 2, .incarnation = dead}).ok());
  PassAlive(seconds(29));
  EXPECT_TRUE(master_->RenewLease("w", successor).ok());
  EXPECT_EQ(WriterOf("/f"), "w");
  EXPECT_EQ(LengthOf("/f"), 200U);
  // A writer that comes back without a lease has none.
  Acquire("w");
  PassAlive(seconds(60));
  EXPECT_EQ(WriterOf("/f"), "w");
}

TEST_F(LeaseTest, ARestartBeginsEveryLeaseAnew) {
  OpenFile("w", "/f", AcquireFor("w", seconds(10)));
  PassAlive(seconds(8));

  Crash();
  AddNodes();
  PassAlive(seconds(8));
  EXPECT_EQ(WriterOf("/f"), "w");
  EXPECT_EQ(StatusOfAppender("w").lease, milliseconds(10'000));

  PassAlive(seconds(3));
  EXPECT_EQ(WriterOf("/f"), "");
  Crash();
  AddNodes();
  EXPECT_EQ(WriterOf("/f"), "");
  EXPECT_EQ(StatusOfAppender("w").lease, milliseconds(0));
}

TEST_F(LeaseTest, AMasterThatStoodStillBlamesNobody) {
  OpenFile("w", "/f", AcquireFor("w", seconds(20)));
  PassAlive(seconds(1));

  clock_.Advance(seconds(60));
  ASSERT_TRUE(master_->Tick().ok());

  EXPECT_EQ(WriterOf("/f"), "w");
  AddNodes();
  PassAlive(seconds(21));
  EXPECT_EQ(WriterOf("/f"), "");
}

TEST_F(LeaseTest, AtEveryFailpointAnExpiryHappenedOrDidNot) {
  for (const char* step : {"before_write", "after_write", "after_sync"}) {
    const std::string path = std::string("/") + step;
    OpenFile(path, path, AcquireFor(path, seconds(5)));
    PassAlive(seconds(4));
    ASSERT_TRUE(
        failpoint::Configure("master.expire." + std::string(step) + "=error:unavailable").ok());

    clock_.Advance(seconds(1));
    EXPECT_EQ(master_->Tick().code(), Code::kUnavailable);
    ASSERT_TRUE(failpoint::Configure("").ok());
    Crash();
    AddNodes();

    EXPECT_EQ(WriterOf(path), std::string(step) == "after_sync" ? "" : path);
    EXPECT_EQ(StatusOfAppender(path).lease, milliseconds(WriterOf(path).empty() ? 0 : 5'000));
    PassAlive(seconds(6));
    EXPECT_EQ(WriterOf(path), "");
    EXPECT_EQ(LengthOf(path), 100U);
  }
}

TEST_F(LeaseTest, LengthsAreBounded) {
  for (int64_t length : {1, 999, 3'600'001})
    EXPECT_EQ(master_->AcquireAppender("w", milliseconds(length)).status().code(),
              Code::kInvalidArgument);
  for (int64_t length : {0, 1'000, 3'600'000})
    EXPECT_TRUE(master_->AcquireAppender("w", milliseconds(length)).ok());
  EXPECT_EQ(master_->RenewLease("nobody", 1).code(), Code::kAborted);
}

TEST_F(LeaseTest, ALeaseKeepsItsAppenderFromBeingForgotten) {
  const uint64_t incarnation = AcquireFor("w", seconds(3'600));
  clock_.JumpWall(std::chrono::hours(48));
  PassAlive(seconds(70));

  EXPECT_TRUE(master_->RenewLease("w", incarnation).ok());
}

}  // namespace
}  // namespace slipstream::dfs::master
