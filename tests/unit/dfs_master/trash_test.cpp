// The emptier of the trash: what it takes and when, and what it leaves alone.

#include "common/failpoint/failpoint.h"
#include "dfs-master/trash_emptier.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The harness begins at 22:13:20 UTC on 14 November 2023; with an interval of an hour a round is
// due at 23:00, after 2,800 s.
constexpr seconds kToFirstRound{2'800};

class TrashTest : public MasterHarness {
 protected:
  TrashTest() {
    options_.trash_interval = hours(1);
    Restart();
    AddNodes();
    EXPECT_TRUE(master_->Tick().ok());
  }
  ~TrashTest() override { (void)failpoint::Configure(""); }

  // As `rm` does.
  void Remove(const std::string& user, const std::string& name) {
    const std::string trash = "/user/" + user + "/.Trash/Current";
    ASSERT_TRUE(master_->MakeDirectory(trash, {}, true).ok());
    AddNodes();
    PutFile("/" + name);
    ASSERT_TRUE(master_->Rename("/" + name, trash + "/" + name, false, "").ok());
  }
  void Let(milliseconds pass) {
    clock_.Advance(pass);
    ASSERT_TRUE(master_->Tick().ok());
  }
  std::vector<std::string> TrashOf(const std::string& user) {
    auto listing = master_->List("/user/" + user + "/.Trash", "", 0);
    std::vector<std::string> names;
    if (!listing.ok()) return {"none"};
    for (const FileStatus& entry : listing->entries)
      names.push_back(entry.name);
    return names;
  }
  using Names = std::vector<std::string>;
};

TEST_F(TrashTest, WhatWasRemovedBecomesACheckpointAndGoesAnIntervalLater) {
  Remove("ada", "f");
  Let(kToFirstRound - seconds(1));
  EXPECT_EQ(TrashOf("ada"), Names{"Current"});

  Let(seconds(1));
  EXPECT_EQ(TrashOf("ada"), Names{"231114230000"});
  EXPECT_EQ(CodeOf("/user/ada/.Trash/231114230000/f"), Code::kOk);
  Remove("ada", "g");

  Let(hours(1) - seconds(1));
  EXPECT_EQ(TrashOf("ada"), (Names{"231114230000", "Current"}));
  Let(seconds(1));
  EXPECT_EQ(TrashOf("ada"), Names{"231115000000"});
  Let(hours(1));
  EXPECT_EQ(TrashOf("ada"), Names{});
  // And the blocks with it.
  EXPECT_EQ(master_->GetClusterState()->totals.files, 0U);
}

TEST_F(TrashTest, EveryUserHasItsTurnAndNobodyElse) {
  for (int user = 0; user < 250; ++user)
    ASSERT_TRUE(master_->MakeDirectory("/user/" + std::to_string(user), {}, true).ok());
  Remove("137", "f");
  Remove("zoe", "g");
  PutFile("/user/file");
  PutFile("/user/7/.Trash");
  ASSERT_TRUE(master_->MakeDirectory("/elsewhere/ada/.Trash/Current", {}, true).ok());

  Let(kToFirstRound);

  EXPECT_EQ(TrashOf("137"), Names{"231114230000"});
  EXPECT_EQ(TrashOf("zoe"), Names{"231114230000"});
  EXPECT_EQ(CodeOf("/user/7/.Trash"), Code::kOk);
  EXPECT_EQ(CodeOf("/elsewhere/ada/.Trash/Current"), Code::kOk);
}

TEST_F(TrashTest, WhatIsNoCheckpointIsLeftAlone) {
  const Names others = {"2", "231114", "231314000000", "2311140000001", "231114000000-", "notes"};
  for (const std::string& name : others)
    ASSERT_TRUE(master_->MakeDirectory("/user/ada/.Trash/" + name, {}, true).ok());
  ASSERT_TRUE(master_->MakeDirectory("/user/ada/.Trash/231114000000-12", {}, true).ok());
  PutFile("/user/ada/.Trash/231114000001");

  Let(kToFirstRound);

  Names expected = others;
  expected.push_back("231114000001");
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(TrashOf("ada"), expected);
}

TEST_F(TrashTest, ATakenNameGetsANumberBehindIt) {
  Remove("ada", "f");
  for (const char* name : {"231114230000", "231114230000-1"})
    ASSERT_TRUE(master_->MakeDirectory(std::string("/user/ada/.Trash/") + name, {}, true).ok());

  Let(kToFirstRound);

  EXPECT_EQ(CodeOf("/user/ada/.Trash/231114230000-2/f"), Code::kOk);
}

TEST_F(TrashTest, AClockSetBackBringsNoRoundAndSafeModePutsItOff) {
  Remove("ada", "f");
  clock_.JumpWall(-hours(5));
  Let(seconds(1));
  EXPECT_EQ(TrashOf("ada"), Names{"Current"});
  clock_.JumpWall(hours(5));
  ASSERT_TRUE(master_->SetSafeMode(true).ok());
  Let(kToFirstRound);
  EXPECT_EQ(TrashOf("ada"), Names{"Current"});
  ASSERT_TRUE(master_->SetSafeMode(false).ok());
  Let(seconds(9));

  EXPECT_EQ(TrashOf("ada"), Names{"231114230010"});
}

TEST_F(TrashTest, WithoutAnIntervalNothingIsTouched) {
  options_.trash_interval = milliseconds(0);
  Restart();
  AddNodes();
  Remove("ada", "f");

  Let(hours(48));
  Let(hours(48));

  EXPECT_EQ(TrashOf("ada"), Names{"Current"});
  EXPECT_EQ(master_->GetDefaults().trash_interval, milliseconds(0));
}

TEST_F(TrashTest, AtEveryFailpointACheckpointWasMadeOrWasNot) {
  for (const char* step : {"before_write", "after_write", "after_sync"}) {
    Restart();
    AddNodes();
    const std::string user = step;
    Remove(user, user);
    ASSERT_TRUE(master_->Tick().ok());
    ASSERT_TRUE(
        failpoint::Configure("master.trash." + std::string(step) + "=error:unavailable").ok());

    clock_.Advance(hours(1));
    EXPECT_EQ(master_->Tick().code(), Code::kUnavailable);
    ASSERT_TRUE(failpoint::Configure("").ok());
    Crash();
    AddNodes();

    EXPECT_EQ(TrashOf(user) == Names{"Current"}, user != "after_sync") << step;
  }
}

TEST_F(TrashTest, NamesOfCheckpointsAreTimes) {
  for (int64_t ms :
       {int64_t{946'684'800'000}, int64_t{1'700'000'000'000}, int64_t{1'709'164'799'000}})
    EXPECT_EQ(TrashEmptier::CheckpointTime(TrashEmptier::CheckpointName(ms)), ms);
  EXPECT_EQ(TrashEmptier::CheckpointName(1'709'164'799'999), "240228235959");
  for (const char* name :
       {"", "Current", "24022823595", "240230000000", "240228245959", "2402282359a9"})
    EXPECT_EQ(TrashEmptier::CheckpointTime(name), std::nullopt) << name;
}

}  // namespace
}  // namespace slipstream::dfs::master
