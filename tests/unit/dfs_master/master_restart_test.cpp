// Promises over restarts and power failures, and at each failpoint; and random histories against a
// model that knows only what was answered.

#include <map>
#include <random>

#include "common/failpoint/failpoint.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class MasterRestartTest : public MasterHarness {
 protected:
  MasterRestartTest() { AddNodes(); }
  ~MasterRestartTest() override { (void)failpoint::Configure(""); }
  FileAppend NewFile(const std::string& path) {
    return {.new_path = path, .blocks = {NewPreparedBlock("w")}};
  }
};

TEST_F(MasterRestartTest, PreparedEpochCanBeCommittedAfterAPowerFailure) {
  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  ASSERT_TRUE(Prepare(OneFile("w", pair, NewFile("/d/f"))).ok());

  Crash();

  EXPECT_EQ(master_->AcquireAppender("w")->prepared, std::vector<EpochPair>{pair});
  EXPECT_EQ(master_->MakeDirectory("/d/f", {}, true).status().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(Commit("w", pair).ok());
  EXPECT_EQ(LengthOf("/d/f"), 100U);
  Crash();
  EXPECT_EQ(LengthOf("/d/f"), 100U);
  EXPECT_TRUE(Commit("w", pair).ok());
}

TEST_F(MasterRestartTest, FencingAndIdsSurvive) {
  uint64_t incarnation = Acquire("w");
  Block block = NewBlock("w");
  EpochAppend epoch = OneFile("w", {.epoch = 1, .incarnation = incarnation}, NewFile("/f"));
  ASSERT_TRUE(Prepare(epoch, true).ok());

  Crash();
  AddNodes();

  EXPECT_GT(Acquire("w"), incarnation);
  EXPECT_GT(NewBlock("w").id, block.id);
  EXPECT_EQ(Prepare(OneFile("w", {.epoch = 2, .incarnation = incarnation}, NewFile("/g")))
                .status()
                .code(),
            Code::kAborted);
}

TEST_F(MasterRestartTest, PrepareAndCommitWorkBeforeAnyNodeHasComeBack) {
  EpochAppend epoch = OneFile("w", {.epoch = 1, .incarnation = Acquire("w")}, NewFile("/f"));
  Crash();

  ASSERT_TRUE(Prepare(epoch).ok());
  ASSERT_TRUE(Commit("w", epoch.pair()).ok());

  LocatedRange range = master_->LocateBlocks({.path = "/f"}, 0, 0).value();
  EXPECT_EQ(range.blocks[0].nodes.size(), 0U);
  EXPECT_EQ(range.blocks[0].missing_node_ids, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(master_->AllocateBlocks({.writer = "w", .count = 1}).status().code(),
            Code::kUnavailable);
}

TEST_F(MasterRestartTest, FirstHoldersAreNamedWhileNobodyIsThere) {
  PutFile("/f");

  Crash();

  LocatedRange range = master_->LocateBlocks({.path = "/f"}, 0, 0).value();
  EXPECT_EQ(range.blocks[0].missing_node_ids, (std::vector<std::string>{"a", "b"}));
}

TEST_F(MasterRestartTest, AtEveryFailpointACommitHappenedOrDidNot) {
  for (const char* step : {"before_write", "after_write", "after_sync"}) {
    const std::string path = std::string("/") + step;
    EpochPair pair{.epoch = 1, .incarnation = Acquire(path)};
    EpochAppend epoch = OneFile(path, pair, NewFile(path));
    ASSERT_TRUE(Prepare(epoch).ok());
    ASSERT_TRUE(
        failpoint::Configure("master.commit." + std::string(step) + "=error:unavailable").ok());

    EXPECT_EQ(Commit(path, pair).status().code(), Code::kUnavailable);
    ASSERT_TRUE(failpoint::Configure("").ok());
    Crash();
    AddNodes();

    EXPECT_EQ(CodeOf(path), std::string(step) == "after_sync" ? Code::kOk : Code::kNotFound);
    EXPECT_TRUE(Commit(path, pair).ok());
    EXPECT_EQ(LengthOf(path), 100U);
  }
}

TEST_F(MasterRestartTest, StoreFailureEndsEverything) {
  int fatal_calls = 0;
  options_.on_fatal = [&](const Status&) { ++fatal_calls; };
  Restart();
  store_.FailWrites(Unavailable("disk gone"));

  EXPECT_EQ(master_->MakeDirectory("/a", {}, true).status().code(), Code::kUnavailable);
  store_.FailWrites({});

  EXPECT_EQ(master_->MakeDirectory("/a", {}, true).status().code(), Code::kUnavailable);
  EXPECT_EQ(fatal_calls, 1);
}

TEST_F(MasterRestartTest, ForeignFormatIsRefused) {
  WriteBatch batch;
  batch.Put(Table::kMeta, "format", std::string(8, '\x7f'));
  ASSERT_TRUE(store_.Apply(batch).ok());

  EXPECT_EQ(Master::Open(options_, store_, clock_).status().code(), Code::kFailedPrecondition);
}

// A store of so many blocks that not all are read before the master answers.
class MasterLoadingTest : public MasterHarness {
 protected:
  MasterLoadingTest() {
    AddNodes();
    for (int i = 0; i < kFiles; ++i)
      blocks_.push_back(PutFile("/f" + std::to_string(i)));
    options_.load_inline_max = 2;
    options_.load_step_max = 3;
    Crash();
  }
  void FinishLoading() {
    Result<bool> has_more = true;
    while (has_more.ok() && *has_more)
      has_more = master_->LoadStep();
    ASSERT_TRUE(has_more.ok()) << has_more.status().ToString();
  }
  Code RegisterCode() {
    return master_->Register({.node_id = "a", .address = "a:7410"}).status().code();
  }

  static constexpr int kFiles = 10;
  std::vector<Block> blocks_;
};

TEST_F(MasterLoadingTest, NamesAreAnsweredWhileBlocksAreRead) {
  EXPECT_EQ(LengthOf("/f9"), 100U);
  EXPECT_EQ(master_->List("/", "", 0)->entries.size(), 10U);
  EXPECT_TRUE(master_->MakeDirectory("/d", {}, false).ok());
  EXPECT_EQ(master_->LocateBlocks({.path = "/f9"}, 0, 0)->blocks[0].missing_node_ids,
            (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(master_->GetClusterState()->safe_mode_reason, "");
}

TEST_F(MasterLoadingTest, WhatNeedsAllBlocksWaitsForThem) {
  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  PreparedBlock taken{.block = blocks_.back(), .holder_node_ids = {"a", "b"}};
  EpochAppend epoch = OneFile("w", pair, {.new_path = "/g", .blocks = {taken}});

  EXPECT_EQ(RegisterCode(), Code::kUnavailable);
  EXPECT_EQ(Prepare(epoch).status().code(), Code::kUnavailable);
  EXPECT_EQ(master_->CheckFiles({.path = "/"}).status().code(), Code::kUnavailable);
  ASSERT_TRUE(master_->Tick().ok());
  EXPECT_NE(master_->GetClusterState()->safe_mode_reason, "");
  FinishLoading();

  EXPECT_EQ(RegisterCode(), Code::kOk);
  EXPECT_EQ(Prepare(epoch).status().code(), Code::kInvalidArgument);  // in a file already
  EXPECT_EQ(master_->GetClusterState()->blocks.unconfirmed, 10U);
}

TEST_F(MasterLoadingTest, WhatChangesMeanwhileStands) {
  ASSERT_TRUE(master_->Delete("/f9", false, "").ok());
  ASSERT_TRUE(master_->Delete("/f0", false, "").ok());
  ASSERT_TRUE(master_->SetReplication("/f8", 3, "").ok());
  ASSERT_TRUE(master_->Concat("/f7", std::vector<std::string>{"/f6", "/f1"}, "").ok());
  ASSERT_TRUE(master_->Tick().ok());  // reaps
  FinishLoading();
  AddNode("a", blocks_);
  AddNode("b", blocks_);

  EXPECT_EQ(master_->GetClusterState()->blocks.unconfirmed, 0U);
  EXPECT_EQ(master_->GetClusterState()->blocks.under_replicated, 1U);  // /f8
  EXPECT_EQ(master_->LocateBlocks({.path = "/f7"}, 0, 0)->blocks.size(), 3U);
  const auto located_after = master_->LocateBlocks({.path = "/f7"}, 0, 0);
  ASSERT_TRUE(located_after.ok());
  for (const LocatedBlock& block : located_after->blocks)
    EXPECT_EQ(block.nodes.size(), 2U);
}

TEST_F(MasterLoadingTest, NothingIsCollectedBeforeEveryBlockIsKnown) {
  options_.ledger.grace = std::chrono::seconds(10);
  Crash();
  Pass(std::chrono::seconds(60), {});
  FinishLoading();
  AddNode("a", blocks_);
  AddNode("b", blocks_);
  Pass(std::chrono::seconds(60), {"a", "b"});

  EXPECT_TRUE(commands_["a"].empty());
  EXPECT_EQ(master_->GetClusterState()->blocks.missing, 0U);
}

// Random prepares, commits, aborts, renames, deletes and power failures. The model holds the length
// of each file by inode as the answers promise it.
TEST_F(MasterRestartTest, RandomHistoriesKeepEveryPromise) {
  std::mt19937 random(20'261'121);
  std::map<InodeId, uint64_t> lengths;   // committed
  std::map<InodeId, std::string> paths;  // of those not deleted
  InodeId open_inode = kNoInode;
  EpochPair committed;
  uint64_t incarnation = Acquire("w");
  std::vector<std::pair<EpochPair, InodeId>> prepared;
  int files = 0;
  for (int step = 0; step < 2'000; ++step) {
    switch (random() % 8) {
      case 0:
      case 1: {  // prepare the next epoch
        EpochPair pair{.epoch = committed.epoch + 1, .incarnation = incarnation};
        bool is_standing = !prepared.empty() && prepared.back().first == pair;
        if (is_standing) break;
        FileAppend file{.blocks = {NewPreparedBlock("w")}};
        if (open_inode != kNoInode) {
          file.inode = open_inode;
          file.expected_length_bytes = lengths.contains(open_inode) ? lengths[open_inode] : 0;
        } else {
          file.new_path = "/f" + std::to_string(++files);
        }
        file.is_closing = random() % 8 == 0;
        auto result = Prepare(OneFile("w", pair, file));
        ASSERT_TRUE(result.ok()) << result.status().ToString();
        if (!result->appenders[0].lost_files.empty()) open_inode = kNoInode;
        InodeId inode = result->appenders[0].inodes[0];
        if (file.inode == kNoInode) paths[inode] = file.new_path;
        prepared.emplace_back(pair, inode);
        break;
      }
      case 2:
      case 3: {  // commit one of those that stand
        if (prepared.empty()) break;
        auto [pair, inode] = prepared[random() % prepared.size()];
        auto dropped = Commit("w", pair);
        ASSERT_TRUE(dropped.ok()) << dropped.status().ToString();
        committed = pair;
        prepared.clear();
        open_inode = kNoInode;
        bool is_there =
            paths.contains(inode) && dropped->empty() && CodeOf(paths[inode]) == Code::kOk;
        if (is_there) {
          lengths[inode] += 100;
          if (master_->GetStatus(paths[inode])->writer == "w") open_inode = inode;
        } else {
          paths.erase(inode);
        }
        break;
      }
      case 4:
        incarnation = Acquire("w");
        break;
      case 5: {  // rename
        if (lengths.empty() || random() % 2 == 0) break;
        auto it = std::next(lengths.begin(), static_cast<long>(random() % lengths.size()));
        if (!paths.contains(it->first)) break;
        std::string target = "/r" + std::to_string(step);
        ASSERT_TRUE(master_->Rename(paths[it->first], target, false, "").ok());
        paths[it->first] = target;
        break;
      }
      case 6: {  // delete, now and then
        if (lengths.empty() || random() % 8 != 0) break;
        auto it = std::next(lengths.begin(), static_cast<long>(random() % lengths.size()));
        if (!paths.contains(it->first)) break;
        ASSERT_TRUE(master_->Delete(paths[it->first], false, "").ok());
        paths.erase(it->first);
        lengths.erase(it->first);
        break;
      }
      default:
        if (random() % 4 == 0) {
          Crash();
          AddNodes();
        } else {
          ASSERT_TRUE(master_->Tick().ok());
        }
    }
  }

  uint64_t total = 0;
  for (const auto& [inode, length] : lengths) {
    ASSERT_EQ(LengthOf(paths[inode]), length) << paths[inode];
    EXPECT_EQ(master_->LocateBlocks({.inode = inode}, 0, 0)->blocks.size() * 100, length);
    total += length;
  }
  EXPECT_EQ(master_->GetClusterState()->totals.raw_bytes, total);
  EXPECT_EQ(master_->GetClusterState()->totals.files, lengths.size());
}

}  // namespace
}  // namespace slipstream::dfs::master
