// Owners, groups and modes: who may do what, in the words of HDFS; and that every request that
// names a path asks.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "dfs-master/caller_table.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

const Caller kAda{.user = "ada", .groups = {"staff", "lab"}, .is_superuser = false};
const Caller kBob{.user = "bob", .groups = {"staff"}, .is_superuser = false};
const Caller kEve{.user = "eve", .groups = {}, .is_superuser = false};
const Caller kNobody{};

class PermissionsTest : public MasterHarness {
 protected:
  PermissionsTest() {
    AddNodes();
    EXPECT_TRUE(master_->Tick().ok());
    const AttributeChange as_a_daemon_makes_it{
        .owner = "root", .group = "supergroup", .mode = 01777};
    EXPECT_TRUE(master_->SetAttributes("/", as_a_daemon_makes_it, "").ok());
  }

  void MakeDirectory(const std::string& path, const Caller& caller, uint32_t mode = 0755) {
    auto made = master_->MakeDirectory(path, {.mode = mode}, false, "", caller);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
  }
  // With one block, by a writer of its own.
  Status Put(const std::string& path, const Caller& caller, bool replace = false) {
    const std::string writer = "put-" + std::to_string(++writers_);
    FileAppend file{.new_path = path, .is_closing = true, .is_replacing = replace};
    file.attributes = {.owner = "claimed", .group = "claimed", .mode = 0640};
    return Write(writer, std::move(file), caller);
  }
  Status Append(const std::string& path, const Caller& caller) {
    const FileStatus status = *master_->GetStatus(path);
    const std::string writer = "append-" + std::to_string(++writers_);
    FileAppend file{.inode = status.id, .expected_length_bytes = status.length_bytes};
    file.is_closing = true;
    return Write(writer, std::move(file), caller);
  }
  Status Write(const std::string& writer, FileAppend file, const Caller& caller) {
    const EpochPair pair{.epoch = 1, .incarnation = Acquire(writer)};
    file.blocks.push_back(NewPreparedBlock(writer));
    const EpochAppend epoch = OneFile(writer, pair, std::move(file));
    return master_->Prepare({&epoch, 1}, true, caller).status();
  }

  int writers_ = 0;
};

TEST_F(PermissionsTest, WhatOneMakesIsHisAndOfItsDirectorysGroup) {
  ASSERT_TRUE(master_->MakeDirectory("/d", {.group = "lab"}, false, "").ok());
  ASSERT_TRUE(master_->SetAttributes("/d", {.owner = "ada"}, "").ok());
  ASSERT_EQ(Put("/d/sub/f", kAda), Status());
  for (const char* path : {"/d/sub", "/d/sub/f"}) {
    const auto status = master_->GetStatus(path);
    EXPECT_EQ(status->owner, "ada") << path;
    EXPECT_EQ(status->group, "lab") << path;
  }
  EXPECT_EQ(master_->GetStatus("/d/sub/f")->mode, 0640U);
  // A superuser's is whose he says.
  ASSERT_EQ(Put("/d/of-another", Caller::Process()), Status());
  EXPECT_EQ(master_->GetStatus("/d/of-another")->owner, "claimed");
}

TEST_F(PermissionsTest, TheFirstClassThatFitsCounts) {
  MakeDirectory("/d", kAda, 0755);
  ASSERT_TRUE(master_->SetAttributes("/d", {.group = "staff"}, "", kAda).ok());
  const auto may_list = [&](const Caller& caller) {
    return master_->List("/d", "", 0, caller).ok();
  };
  const auto set = [&](uint32_t mode) {
    ASSERT_TRUE(master_->SetAttributes("/d", {.mode = mode}, "", kAda).ok());
  };
  set(0700);
  EXPECT_TRUE(may_list(kAda) && !may_list(kBob) && !may_list(kEve) && !may_list(kNobody));
  set(0050);
  EXPECT_TRUE(!may_list(kAda) && may_list(kBob) && !may_list(kEve));
  set(0705);
  EXPECT_TRUE(may_list(kAda) && !may_list(kBob) && may_list(kEve) && may_list(kNobody));
  set(0000);
  EXPECT_TRUE(may_list(Caller::Process()));
}

TEST_F(PermissionsTest, TheRefusalIsAsHdfsWordsIt) {
  MakeDirectory("/d", kAda, 0750);
  const Status refused = master_->GetStatus("/d/x", kEve).status();
  EXPECT_EQ(refused.code(), Code::kPermissionDenied);
  EXPECT_EQ(refused.message(),
            "Permission denied: user=eve, access=EXECUTE, "
            "inode=\"/d\":ada:supergroup:drwxr-x---");
  EXPECT_EQ(master_->Delete("/d", true, "", kEve).message(),
            "Permission denied by sticky bit: user=eve, path=\"/d\":ada:supergroup:drwxr-x---, "
            "parent=\"/\":root:supergroup:drwxrwxrwt");
}

// Each request that names a path, as somebody who may not; the owner may.
TEST_F(PermissionsTest, EveryRequestAsks) {
  struct Request {
    const char* name;
    std::function<Status(const Caller&)> ask;
  };
  const auto prepare = [&] {
    (void)master_->Delete("/ada", true, "");
    MakeDirectory("/ada", kAda, 0711);
    MakeDirectory("/ada/d", kAda, 0700);
    for (const char* file : {"/ada/f", "/ada/g", "/ada/d/f"})
      ASSERT_EQ(Put(file, kAda), Status());
    ASSERT_TRUE(master_->SetAttributes("/ada/f", {.mode = 0600}, "").ok());
  };
  const std::vector<std::string> hidden = {"/ada/d/f"};
  const std::vector<std::string> sources = {"/ada/g"};
  const std::vector<Request> requests = {
      {"stat", [&](const Caller& c) { return master_->GetStatus("/ada/d/f", c).status(); }},
      {"stat in a batch",
       [&](const Caller& c) { return master_->GetStatuses(hidden, c)->front().status(); }},
      {"access", [&](const Caller& c) { return master_->CheckAccess("/ada/f", 6, c); }},
      {"list", [&](const Caller& c) { return master_->List("/ada", "", 0, c).status(); }},
      {"mkdir",
       [&](const Caller& c) {
         return master_->MakeDirectory("/ada/n/m", {}, true, "", c).status();
       }},
      {"delete", [&](const Caller& c) { return master_->Delete("/ada/g", false, "", c); }},
      {"rename from",
       [&](const Caller& c) { return master_->Rename("/ada/g", "/moved", true, "", c); }},
      {"rename to",
       [&](const Caller& c) {
         const std::string own = "/of-" + c.user;
         (void)Put(own, c);
         return master_->Rename(own, "/ada/n", false, "", c);
       }},
      {"chmod",
       [&](const Caller& c) {
         return master_->SetAttributes("/ada/f", {.mode = 0777}, "", c).status();
       }},
      {"chgrp",
       [&](const Caller& c) {
         return master_->SetAttributes("/ada/f", {.group = "lab"}, "", c).status();
       }},
      {"touch",
       [&](const Caller& c) {
         return master_->SetAttributes("/ada/f", {.modified_at_ms = 1}, "", c).status();
       }},
      {"setrep", [&](const Caller& c) { return master_->SetReplication("/ada/f", 3, "", c); }},
      {"truncate", [&](const Caller& c) { return master_->Truncate("/ada/f", 0, "", c); }},
      {"concat", [&](const Caller& c) { return master_->Concat("/ada/f", sources, "", c); }},
      {"open",
       [&](const Caller& c) {
         return master_->LocateBlocks({.path = "/ada/f"}, 0, 0, c).status();
       }},
      {"open by number",
       [&](const Caller& c) {
         const InodeId inode = master_->GetStatus("/ada/f")->id;
         return master_->LocateBlocks({.inode = inode}, 0, 0, c).status();
       }},
      {"create", [&](const Caller& c) { return Put("/ada/new", c); }},
      {"overwrite", [&](const Caller& c) { return Put("/ada/f", c, true); }},
      {"append", [&](const Caller& c) { return Append("/ada/f", c); }},
  };
  for (const Request& request : requests) {
    prepare();
    EXPECT_EQ(request.ask(kEve).code(), Code::kPermissionDenied) << request.name;
    EXPECT_EQ(request.ask(kNobody).code(), Code::kPermissionDenied) << request.name;
    EXPECT_EQ(request.ask(kAda), Status()) << request.name;
  }
}

TEST_F(PermissionsTest, OwnersAndQuotasAreTheSuperusersToChange) {
  MakeDirectory("/d", kAda);
  const auto change = [&](const AttributeChange& to, const Caller& caller) {
    return master_->SetAttributes("/d", to, "", caller).status().code();
  };
  EXPECT_EQ(change({.owner = "eve"}, kAda), Code::kPermissionDenied);
  EXPECT_EQ(change({.owner = "ada"}, kAda), Code::kOk);
  EXPECT_EQ(change({.group = "wheel"}, kAda), Code::kPermissionDenied);
  EXPECT_EQ(change({.owner = "eve", .group = "wheel"}, Caller::Process()), Code::kOk);
  EXPECT_EQ(master_->SetQuota("/d", {.names_max = 1}, "", kEve).code(), Code::kPermissionDenied);
  EXPECT_EQ(master_->SetQuota("/d", {.names_max = 1}, "").code(), Code::kOk);
}

TEST_F(PermissionsTest, OfAStickyDirectoryEverybodyRemovesHisOwn) {
  MakeDirectory("/tmp", kAda, 01777);
  for (const char* file : {"/tmp/of-bob", "/tmp/also-of-bob"})
    ASSERT_EQ(Put(file, kBob), Status());
  ASSERT_EQ(Put("/tmp/of-eve", kEve), Status());
  EXPECT_EQ(master_->Delete("/tmp/of-bob", false, "", kEve).code(), Code::kPermissionDenied);
  EXPECT_EQ(master_->Rename("/tmp/of-eve", "/tmp/of-bob", true, "", kEve).code(),
            Code::kPermissionDenied);
  EXPECT_EQ(master_->Delete("/tmp/of-bob", false, "", kBob), Status());
  // The directory's owner, too.
  EXPECT_EQ(master_->Delete("/tmp/also-of-bob", false, "", kAda), Status());
}

TEST_F(PermissionsTest, AccessIsAskedForRightByRight) {
  MakeDirectory("/d", kAda, 0754);
  EXPECT_EQ(master_->CheckAccess("/d", 7, kAda), Status());
  EXPECT_EQ(master_->CheckAccess("/d", 4, kEve), Status());
  EXPECT_EQ(master_->CheckAccess("/d", 0, kEve), Status());
  EXPECT_EQ(master_->CheckAccess("/d", 5, kEve).code(), Code::kPermissionDenied);
  EXPECT_EQ(master_->CheckAccess("/none", 4, kEve).code(), Code::kNotFound);
}

TEST_F(PermissionsTest, WhatIsNotThereIsSaidToBeNotThere) {
  EXPECT_EQ(master_->GetStatus("/none", kEve).status().code(), Code::kNotFound);
  EXPECT_EQ(master_->Delete("/none/at/all", false, "", kEve).code(), Code::kNotFound);
  EXPECT_EQ(master_->GetStatus("no path", kEve).status().code(), Code::kInvalidArgument);
  ASSERT_EQ(Put("/f", kEve), Status());
  EXPECT_EQ(master_->GetStatus("/f/below", kEve).status().code(), Code::kFailedPrecondition);
  // Not what only those may know who may look.
  MakeDirectory("/ada", kAda, 0700);
  EXPECT_EQ(master_->GetStatus("/ada/none", kEve).status().code(), Code::kPermissionDenied);
}

TEST_F(PermissionsTest, AnAnswerSentAgainIsTheSameAfterTheRightWasTaken) {
  MakeDirectory("/ada", kAda, 0777);
  ASSERT_EQ(master_->MakeDirectory("/ada/d", {}, false, "id", kBob).status(), Status());
  ASSERT_TRUE(master_->SetAttributes("/ada", {.mode = 0700}, "", kAda).ok());
  EXPECT_EQ(master_->MakeDirectory("/ada/d", {}, false, "id", kBob).status(), Status());
}

TEST(CallerTableTest, SuperusersAreTheProcessUserAndTheGroup) {
  ManualClock clock;
  CallerTable callers({.superusers = {"ada"}, .supergroup = "root"}, clock);
  EXPECT_TRUE(callers.Find("ada")->is_superuser);
  // Every machine has this user, in the group of his name.
  EXPECT_TRUE(callers.Find("root")->is_superuser);
  EXPECT_EQ(callers.Find("root")->groups.front(), "root");
  for (const char* name : {"", "no-such-user-here", "line\nbreak"})
    EXPECT_FALSE(callers.Find(name)->is_superuser) << name;
  EXPECT_EQ(callers.Find("line\nbreak")->user, "");
  EXPECT_EQ(callers.Find("no-such-user-here")->user, "no-such-user-here");
}

TEST(CallerTableTest, WhoDoesNotCheckLetsEverybodyDoEverything) {
  ManualClock clock;
  CallerTable callers({.is_checking = false}, clock);
  EXPECT_TRUE(callers.Find("")->is_superuser);
  EXPECT_TRUE(callers.Find("eve")->is_superuser);
}

}  // namespace
}  // namespace slipstream::dfs::master
