// What users do to names and files besides making and deleting them: attributes, replication,
// truncation, concat, quotas; each over restarts; and what is carried out once.

#include <random>
#include <set>

#include "common/failpoint/failpoint.h"
#include "dfs-master/codec.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class NamesTest : public MasterHarness {
 protected:
  NamesTest() { AddNodes(); }
  ~NamesTest() override { (void)failpoint::Configure(""); }

  Status Mkdir(const std::string& path) { return master_->MakeDirectory(path, {}, true).status(); }
  // A closed file of blocks of 100 bytes, each stored as 50.
  void PutBlocks(const std::string& path, int blocks) {
    FileAppend file{.new_path = path, .is_closing = true};
    for (int i = 0; i < blocks; ++i)
      file.blocks.push_back(NewPreparedBlock("w"));
    EpochPair pair{.epoch = ++epoch_, .incarnation = Acquire("w")};
    auto prepared = Prepare(OneFile("w", pair, file), true);
    ASSERT_TRUE(prepared.ok()) << prepared.status().ToString();
  }
  Usage UsedBy(const std::string& path) {
    auto status = master_->GetStatus(path);
    return status.ok() && status->quota.has_value() ? status->quota->used : Usage{.names = -1};
  }
  Status SetQuota(const std::string& path, uint64_t names, uint64_t space = 0) {
    return master_->SetQuota(path, {.names_max = names, .space_max_bytes = space}, "");
  }

  uint64_t epoch_ = 0;
};

TEST_F(NamesTest, AttributesAreSetOneByOneAndKept) {
  PutFile("/f");

  ASSERT_TRUE(master_->SetAttributes("/f", {.owner = "ada", .mode = 0600}, "").ok());
  ASSERT_TRUE(master_->SetAttributes("/f", {.group = "g", .accessed_at_ms = 7}, "").ok());
  Crash();

  FileStatus status = master_->GetStatus("/f").value();
  EXPECT_EQ(status.owner, "ada");
  EXPECT_EQ(status.group, "g");
  EXPECT_EQ(status.mode, 0600U);
  EXPECT_EQ(status.accessed_at_ms, 7);
  EXPECT_EQ(master_->SetAttributes("/f", {.mode = 010000}, "").status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(master_->SetAttributes("/none", {.mode = 0}, "").status().code(), Code::kNotFound);
}

TEST_F(NamesTest, ReplicationReachesBlocksAndTheirPlanner) {
  PutFile("/f");

  ASSERT_TRUE(master_->SetReplication("/f", 3, "").ok());

  EXPECT_EQ(master_->GetStatus("/f")->replication, 3U);
  EXPECT_EQ(master_->GetClusterState()->blocks.under_replicated, 1U);
  EXPECT_EQ(master_->SetReplication("/f", 17, "").code(), Code::kInvalidArgument);
  EXPECT_EQ(master_->SetReplication("/", 2, "").code(), Code::kFailedPrecondition);
}

TEST_F(NamesTest, TruncatedFileEndsInsideABlockAndGrowsBehindIt) {
  PutBlocks("/f", 3);

  ASSERT_TRUE(master_->Truncate("/f", 150, "").ok());
  Crash();
  AddNodes();

  LocatedRange range = master_->LocateBlocks({.path = "/f"}, 0, 0).value();
  ASSERT_EQ(range.blocks.size(), 2U);
  EXPECT_EQ(range.blocks[0].length_bytes, 100U);
  EXPECT_EQ(range.blocks[1].length_bytes, 50U);
  EXPECT_EQ(range.blocks[1].block.raw_bytes, 100U);
  EpochPair pair{.epoch = ++epoch_, .incarnation = Acquire("w")};
  FileAppend more{.inode = range.status.id,
                  .expected_length_bytes = 150,
                  .blocks = {NewPreparedBlock("w")},
                  .is_closing = true};
  ASSERT_TRUE(Prepare(OneFile("w", pair, more), true).ok());
  EXPECT_EQ(LengthOf("/f"), 250U);
  EXPECT_EQ(master_->LocateBlocks({.path = "/f"}, 149, 2)->blocks.size(), 2U);
  ASSERT_TRUE(master_->Truncate("/f", 0, "").ok());
  EXPECT_EQ(master_->LocateBlocks({.path = "/f"}, 0, 0)->blocks.size(), 0U);
  ClusterState state = master_->GetClusterState().value();
  EXPECT_EQ(state.totals.blocks, 0U);
  EXPECT_EQ(state.totals.raw_bytes, 0U);
  EXPECT_EQ(state.totals.stored_bytes, 0U);
}

TEST_F(NamesTest, FilesBeingWrittenAreNeitherCutNorJoined) {
  PutFile("/done");
  EpochPair pair{.epoch = 1, .incarnation = Acquire("x")};
  PreparedBlock block = NewPreparedBlock("x");
  ASSERT_TRUE(Prepare(OneFile("x", pair, {.new_path = "/open", .blocks = {block}}), true).ok());
  const std::vector<std::string> open = {"/open"};
  const std::vector<std::string> done = {"/done"};

  EXPECT_EQ(master_->Truncate("/open", 0, "").code(), Code::kFailedPrecondition);
  EXPECT_EQ(master_->Concat("/done", open, "").code(), Code::kFailedPrecondition);
  EXPECT_EQ(master_->Concat("/open", done, "").code(), Code::kFailedPrecondition);
  EXPECT_EQ(master_->Concat("/done", done, "").code(), Code::kInvalidArgument);
  EXPECT_EQ(master_->Truncate("/done", 101, "").code(), Code::kInvalidArgument);
}

TEST_F(NamesTest, ConcatMovesBlocksAndTakesTheNamesAway) {
  PutBlocks("/a", 2);
  PutBlocks("/b", 1);
  PutBlocks("/c", 1);
  ASSERT_TRUE(master_->Truncate("/a", 150, "").ok());
  const std::vector<std::string> sources = {"/c", "/b"};
  const auto block_of_c = master_->LocateBlocks({.path = "/c"}, 0, 0)->blocks[0].block.id;

  ASSERT_TRUE(master_->Concat("/a", sources, "id").ok());
  Crash();
  ASSERT_TRUE(master_->Concat("/a", sources, "id").ok());
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(master_->Tick().ok());

  EXPECT_EQ(LengthOf("/a"), 350U);
  EXPECT_EQ(CodeOf("/b"), Code::kNotFound);
  LocatedRange range = master_->LocateBlocks({.path = "/a"}, 150, 0).value();
  ASSERT_EQ(range.blocks.size(), 2U);
  EXPECT_EQ(range.blocks[0].block.id, block_of_c);
  ClusterState state = master_->GetClusterState().value();
  EXPECT_EQ(state.totals.files, 1U);
  EXPECT_EQ(state.totals.blocks, 4U);
  EXPECT_EQ(state.totals.raw_bytes, 350U);
}

TEST_F(NamesTest, QuotaOfNamesRefusesInHdfsWords) {
  ASSERT_TRUE(Mkdir("/d").ok());
  ASSERT_TRUE(SetQuota("/d", 2).ok());
  ASSERT_TRUE(Mkdir("/d/a").ok());

  Status refused = Mkdir("/d/b");

  EXPECT_EQ(refused.code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.message(),
            "The NameSpace quota (directories and files) of directory /d is exceeded: quota=2 "
            "file count=3");
  ASSERT_TRUE(master_->Delete("/d/a", false, "").ok());
  EXPECT_TRUE(Mkdir("/d/b").ok());
  ASSERT_TRUE(SetQuota("/d", 0).ok());
  EXPECT_TRUE(Mkdir("/d/c").ok());
}

TEST_F(NamesTest, QuotaOfSpaceIsChargedWhenPreparedAndGivenBack) {
  ASSERT_TRUE(Mkdir("/d").ok());
  ASSERT_TRUE(SetQuota("/d", 0, 150).ok());
  EpochPair pair{.epoch = 1, .incarnation = Acquire("x")};
  FileAppend file{.new_path = "/d/f", .blocks = {NewPreparedBlock("x")}};
  ASSERT_TRUE(Prepare(OneFile("x", pair, file)).ok());
  EXPECT_EQ(UsedBy("/d"), (Usage{.names = 2, .space_bytes = 100}));
  EpochPair other{.epoch = 1, .incarnation = Acquire("y")};
  FileAppend second{.new_path = "/d/g", .blocks = {NewPreparedBlock("y")}};

  EXPECT_EQ(Prepare(OneFile("y", other, second)).status().code(), Code::kResourceExhausted);
  Crash();
  AddNodes();

  ASSERT_TRUE(master_->AbortAppender("x").ok());
  EXPECT_EQ(UsedBy("/d"), (Usage{.names = 1}));
  ASSERT_TRUE(Prepare(OneFile("y", other, second), true).ok());
  EXPECT_EQ(UsedBy("/d"), (Usage{.names = 2, .space_bytes = 100}));
  EXPECT_EQ(master_->SetReplication("/d/g", 4, "").code(), Code::kResourceExhausted);
  EXPECT_TRUE(master_->SetReplication("/d/g", 3, "").ok());
  EXPECT_EQ(UsedBy("/d").space_bytes, 150);
}

TEST_F(NamesTest, RenameAcrossQuotasMovesWhatIsUsed) {
  PutFile("/a/tree/f");
  ASSERT_TRUE(Mkdir("/b").ok());
  ASSERT_TRUE(SetQuota("/a", 100).ok());
  ASSERT_TRUE(SetQuota("/b", 2).ok());

  EXPECT_EQ(master_->Rename("/a/tree", "/b/tree", false, "").code(), Code::kResourceExhausted);
  ASSERT_TRUE(SetQuota("/b", 3).ok());
  ASSERT_TRUE(master_->Rename("/a/tree", "/b/tree", false, "").ok());

  EXPECT_EQ(UsedBy("/a"), (Usage{.names = 1}));
  EXPECT_EQ(UsedBy("/b"), (Usage{.names = 3, .space_bytes = 100}));
  ASSERT_TRUE(master_->Delete("/b/tree", true, "").ok());
  EXPECT_EQ(UsedBy("/b"), (Usage{.names = 1}));
}

TEST_F(NamesTest, LargeTreesAreCountedInTheBackgroundWhileTheyChange) {
  options_.quota_count_inline_max = 3;
  Restart();
  AddNodes();
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(Mkdir("/d/" + std::to_string(i) + "/x").ok());

  ASSERT_TRUE(SetQuota("/d", 1'000).ok());
  EXPECT_TRUE(master_->GetStatus("/d")->quota->is_counting);
  ASSERT_TRUE(Mkdir("/d/late").ok());
  ASSERT_TRUE(master_->Delete("/d/0", true, "").ok());
  Restart();
  AddNodes();
  ASSERT_TRUE(master_->Delete("/d/1", true, "").ok());
  ASSERT_TRUE(master_->Tick().ok());

  EXPECT_FALSE(master_->GetStatus("/d")->quota->is_counting);
  EXPECT_EQ(UsedBy("/d"), (Usage{.names = 1 + 36 + 1}));
}

TEST_F(NamesTest, RepeatedRequestsAreAnsweredAsTheFirstWas) {
  FileStatus first = master_->MakeDirectory("/d", {.owner = "ada"}, false, "mk").value();
  ASSERT_TRUE(master_->Delete("/d", false, "rm").ok());
  Crash();

  FileStatus again = master_->MakeDirectory("/d", {.owner = "ada"}, false, "mk").value();

  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.owner, "ada");
  EXPECT_EQ(CodeOf("/d"), Code::kNotFound);
  EXPECT_EQ(master_->Delete("/other", false, "rm").code(), Code::kInvalidArgument);
}

TEST_F(NamesTest, ALateCopyOfARefusedRequestIsRefusedAgain) {
  EXPECT_EQ(master_->Rename("/a", "/b", false, "mv").code(), Code::kNotFound);
  ASSERT_TRUE(master_->MakeDirectory("/a", {}, false, "mk").ok());

  EXPECT_EQ(master_->Rename("/a", "/b", false, "mv").code(), Code::kNotFound);

  EXPECT_EQ(CodeOf("/a"), Code::kOk);
  EXPECT_TRUE(master_->Rename("/a", "/b", false, "another").ok());
}

TEST_F(NamesTest, ALateCopyOfARefusedPutIsRefusedAgain) {
  ASSERT_TRUE(Mkdir("/d").ok());
  ASSERT_TRUE(SetQuota("/d", 1).ok());
  EpochPair pair{.epoch = 1, .incarnation = Acquire("x")};
  FileAppend file{.new_path = "/d/f", .blocks = {NewPreparedBlock("x")}};
  ASSERT_EQ(Prepare(OneFile("x", pair, file), true).status().code(), Code::kResourceExhausted);
  ASSERT_TRUE(SetQuota("/d", 0).ok());

  EXPECT_EQ(Prepare(OneFile("x", pair, file), true).status().code(), Code::kResourceExhausted);

  EXPECT_EQ(CodeOf("/d/f"), Code::kNotFound);
}

TEST_F(NamesTest, ManyStatusesAtOnceAreThoseOfEach) {
  PutFile("/a/f");
  PutFile("/a/g");
  std::vector<std::string> paths = {
      "/a/f", "/a/g", "/a/none", "/", "/a", "/a/f/x", "/a//", "bad", "/a/g"};
  // More than are fetched together.
  for (int i = 0; i < 100; ++i) {
    paths.push_back("/d" + std::to_string(i % 7) + "/f" + std::to_string(i));
    if (i % 3 != 0) PutFile(paths.back());
  }

  auto statuses = master_->GetStatuses(paths);

  ASSERT_TRUE(statuses.ok());
  ASSERT_EQ(statuses->size(), paths.size());
  for (size_t i = 0; i < paths.size(); ++i) {
    auto alone = master_->GetStatus(paths[i]);
    EXPECT_EQ((*statuses)[i].status().code(), alone.status().code()) << paths[i];
    if (!alone.ok()) continue;
    EXPECT_EQ((*statuses)[i]->id, alone->id) << paths[i];
  }
}

TEST_F(NamesTest, AtEveryFailpointATruncationHappenedOrDidNot) {
  for (const char* step : {"before_write", "after_write", "after_sync"}) {
    const std::string path = std::string("/") + step;
    PutBlocks(path, 2);
    ASSERT_TRUE(
        failpoint::Configure("master.truncate." + std::string(step) + "=error:unavailable").ok());

    EXPECT_EQ(master_->Truncate(path, 50, step).code(), Code::kUnavailable);
    ASSERT_TRUE(failpoint::Configure("").ok());
    Crash();
    AddNodes();

    EXPECT_EQ(LengthOf(path), std::string(step) == "after_sync" ? 50U : 200U);
    EXPECT_TRUE(master_->Truncate(path, 50, step).ok());
    EXPECT_EQ(LengthOf(path), 50U);
  }
}

// Directories made, moved and deleted by chance, with a restart now and then; the model is the set
// of paths. The quota's sum is what lies below it.
TEST_F(NamesTest, RandomTreesAgreeWithASetOfPathsAndQuotasWithTheirSize) {
  options_.quota_count_inline_max = 4;
  Restart();
  std::mt19937 random(20'261'121);
  std::set<std::string> model = {"/q", "/r"};
  for (const std::string& path : model)
    ASSERT_TRUE(Mkdir(path).ok());
  ASSERT_TRUE(SetQuota("/q", 1'000'000).ok());
  auto below = [&](const std::string& path) {
    std::vector<std::string> paths;
    for (const std::string& other : model)
      if (other == path || other.starts_with(path + "/")) paths.push_back(other);
    return paths;
  };
  auto any = [&] { return *std::next(model.begin(), static_cast<long>(random() % model.size())); };
  for (int step = 0; step < 1'500; ++step) {
    const std::string path = any();
    const std::string fresh = any() + "/" + std::to_string(random() % 6);
    const bool is_root = path == "/q" || path == "/r";
    switch (random() % 6) {
      case 0:
      case 1:
      case 2:
        EXPECT_EQ(master_->MakeDirectory(fresh, {}, false).ok(), model.insert(fresh).second);
        break;
      case 3: {
        if (is_root) break;
        bool is_possible = !model.contains(fresh) && !fresh.starts_with(path + "/");
        ASSERT_EQ(master_->Rename(path, fresh, false, "").ok(), is_possible) << path << fresh;
        if (!is_possible) break;
        for (const std::string& moved : below(path)) {
          model.erase(moved);
          model.insert(fresh + moved.substr(path.size()));
        }
        break;
      }
      case 4:
        if (is_root || random() % 3 != 0) break;
        ASSERT_TRUE(master_->Delete(path, true, "").ok());
        for (const std::string& gone : below(path))
          model.erase(gone);
        break;
      default:
        if (random() % 4 == 0) {
          Crash();
        } else {
          ASSERT_TRUE(master_->Tick().ok());
        }
    }
  }

  for (int i = 0; i < 200 && master_->GetStatus("/q")->quota->is_counting; ++i)
    ASSERT_TRUE(master_->Tick().ok());
  for (const std::string& path : model)
    EXPECT_EQ(CodeOf(path), Code::kOk) << path;
  EXPECT_EQ(master_->GetClusterState()->totals.directories, model.size() + 1);
  EXPECT_EQ(UsedBy("/q").names, static_cast<int64_t>(below("/q").size()));
}

TEST_F(NamesTest, RecordsOfTheFirstVersionAreRead) {
  Encoder old;
  for (uint64_t number : {1U, 42U, 100U, 50U, 7U, 2U, 1U, 3U})  // version, id, raw, stored, crc, …
    old.Number(number);
  FileBlock block;

  ASSERT_TRUE(Decode(old.bytes(), block).ok());

  EXPECT_EQ(block.block.id, 42U);
  EXPECT_EQ(block.length_bytes(), 100U);
  EXPECT_EQ(block.replication, 2U);
  EXPECT_EQ(block.first_holders, std::vector<NodeNumber>{3});
}

TEST_F(NamesTest, AStoreOfTheFirstFormatOpensAndBecomesTheNewest) {
  WriteBatch batch;
  batch.Put(Table::kMeta, "format", BigEndian(1));
  ASSERT_TRUE(store_.Apply(batch).ok());

  Restart();

  EXPECT_EQ(store_.Get(Table::kMeta, "format").value(), BigEndian(kStoreFormatVersion));
}

}  // namespace
}  // namespace slipstream::dfs::master
