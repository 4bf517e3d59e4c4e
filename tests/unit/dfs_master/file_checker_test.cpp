// The health of files, page by page.

#include "dfs-master/file_checker.h"

#include <map>
#include <optional>
#include <set>

#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class FileCheckerTest : public MasterHarness {
 protected:
  FileCheckerTest() { AddNodes(); }
  // All pages put together.
  CheckPage CheckAll(CheckRequest request) {
    CheckPage all;
    for (int pages = 0; pages < 1'000; ++pages) {
      Result<CheckPage> page = master_->CheckFiles(request);
      EXPECT_TRUE(page.ok()) << page.status().ToString();
      if (!page.ok()) return all;
      all.file_count += page->file_count;
      all.directory_count += page->directory_count;
      all.block_count += page->block_count;
      all.missing_blocks += page->missing_blocks;
      for (CheckedFile& file : page->files)
        all.files.push_back(std::move(file));
      if (page->next_cursor.empty()) return all;
      request.cursor = page->next_cursor;
    }
    ADD_FAILURE() << "no end";
    return all;
  }
  static std::vector<std::string> PathsOf(const CheckPage& page) {
    std::vector<std::string> paths;
    for (const CheckedFile& file : page.files)
      paths.push_back(file.path);
    return paths;
  }
};

TEST_F(FileCheckerTest, EveryNameIsLookedAtOnceWhateverThePage) {
  for (const char* path : {"/a", "/d/b", "/d/e/c", "/d/z", "/f"})
    PutFile(path);
  ASSERT_TRUE(master_->MakeDirectory("/d/empty", {}, false).ok());
  const std::vector<std::string> expected{
      "/", "/a", "/d", "/d/b", "/d/e", "/d/e/c", "/d/empty", "/d/z", "/f"};

  for (uint32_t limit : {1U, 2U, 3U, 4U, 100U}) {
    CheckPage all = CheckAll({.path = "/", .wants_all = true, .limit = limit});
    EXPECT_EQ(PathsOf(all), expected) << limit;
    EXPECT_EQ(all.file_count, 5U);
    EXPECT_EQ(all.directory_count, 4U);
    EXPECT_EQ(all.block_count, 5U);
  }
  EXPECT_EQ(PathsOf(CheckAll({.path = "/d/e", .wants_all = true, .limit = 1})),
            (std::vector<std::string>{"/d/e", "/d/e/c"}));
  EXPECT_EQ(PathsOf(CheckAll({.path = "/f", .wants_all = true})), std::vector<std::string>{"/f"});
}

TEST_F(FileCheckerTest, WhatLiesInDirectoriesThatOneMayNotListIsNotLookedAt) {
  for (const char* path : {"/a", "/closed/b", "/closed/d/c", "/f"})
    PutFile(path);
  ASSERT_TRUE(master_->SetAttributes("/closed", {.mode = 0711}, "").ok());
  const Caller eve{.user = "eve", .groups = {}, .is_superuser = false};

  const auto page = master_->CheckFiles({.path = "/", .wants_all = true}, eve);
  ASSERT_TRUE(page.ok()) << page.status().ToString();
  EXPECT_EQ(PathsOf(*page), (std::vector<std::string>{"/", "/a", "/closed", "/f"}));
  EXPECT_EQ(page->closed_directory_count, 1U);
  EXPECT_EQ(page->file_count, 2U);

  EXPECT_EQ(master_->CheckFiles({.path = "/closed"}, eve).status().code(), Code::kPermissionDenied);
  // What is below it may be open again, to who knows its name.
  EXPECT_TRUE(master_->CheckFiles({.path = "/closed/d"}, eve).ok());
  // Nor by a cursor that has been there.
  const auto first = master_->CheckFiles({.path = "/", .wants_all = true, .limit = 4});
  ASSERT_EQ(PathsOf(*first), (std::vector<std::string>{"/", "/a", "/closed", "/closed/b"}));
  const auto rest =
      master_->CheckFiles({.path = "/", .cursor = first->next_cursor, .wants_all = true}, eve);
  EXPECT_EQ(PathsOf(*rest), std::vector<std::string>{"/f"});
}

TEST_F(FileCheckerTest, WhatIsDeletedBetweenPagesIsPassedOver) {
  for (const char* path : {"/a", "/d/b", "/d/c", "/f"})
    PutFile(path);
  CheckPage first = master_->CheckFiles({.path = "/", .wants_all = true, .limit = 4}).value();
  ASSERT_EQ(PathsOf(first), (std::vector<std::string>{"/", "/a", "/d", "/d/b"}));
  ASSERT_TRUE(master_->Delete("/d", true, "").ok());

  CheckPage rest =
      CheckAll({.path = "/", .cursor = first.next_cursor, .wants_all = true, .limit = 4});

  EXPECT_EQ(PathsOf(rest), std::vector<std::string>{"/f"});
}

TEST_F(FileCheckerTest, MissingBlocksNameTheirLastHolders) {
  PutFile("/sound/f");
  Pass(std::chrono::seconds(35), {"c"});

  CheckPage all = CheckAll({.path = "/"});

  EXPECT_EQ(PathsOf(all), std::vector<std::string>{"/sound/f"});
  EXPECT_EQ(all.missing_blocks, 1U);
  ASSERT_EQ(all.files[0].blocks.size(), 1U);
  EXPECT_EQ(all.files[0].missing_bytes, 100U);
  EXPECT_EQ(all.files[0].blocks[0].located.missing_node_ids, (std::vector<std::string>{"a", "b"}));
}

TEST_F(FileCheckerTest, ACursorOfAnotherPathIsRefused) {
  PutFile("/d/f");
  for (const char* cursor : {"x", "0", "0:", "0:/e", ":/d"}) {
    EXPECT_EQ(master_->CheckFiles({.path = "/d", .cursor = cursor}).status().code(),
              Code::kInvalidArgument)
        << cursor;
  }
  EXPECT_EQ(master_->CheckFiles({.path = "/gone"}).status().code(), Code::kNotFound);
}

TEST_F(FileCheckerTest, FindsTheFileOfABlockAndHowItsReplicasAre) {
  for (const char* path : {"/a", "/d/b", "/d/e/c"})
    PutFile(path);
  const Block block = PutFile("/d/wanted");
  Beat("a", {Added(1, block)});
  ASSERT_TRUE(master_->SetNodeService("b", NodeService::kDecommissioning, 0).ok());

  for (uint32_t limit : {1U, 2U, 100U}) {
    const CheckPage found = CheckAll({.path = "/", .limit = limit, .block = block.id});
    ASSERT_EQ(PathsOf(found), std::vector<std::string>{"/d/wanted"}) << limit;
    ASSERT_EQ(found.files[0].blocks.size(), 1U);
    std::map<std::string, ReplicaState> states;
    for (const ReplicaReport& replica : found.files[0].blocks[0].replicas)
      states[replica.node.node_id] = replica.state;
    EXPECT_EQ(states,
              (std::map<std::string, ReplicaState>{{"a", ReplicaState::kLive},
                                                   {"b", ReplicaState::kDecommissioning}}));
  }
  EXPECT_TRUE(CheckAll({.path = "/", .block = 424'242}).files.empty());
}

TEST_F(FileCheckerTest, TellsHowEachReplicaIs) {
  const Block block = PutFile("/f");
  const auto state_of = [&](const std::string& node_id) -> std::optional<ReplicaState> {
    const CheckPage page = CheckAll({.path = "/f", .block = block.id});
    for (const ReplicaReport& replica : page.files.at(0).blocks.at(0).replicas)
      if (replica.node.node_id == node_id) return replica.state;
    return std::nullopt;
  };

  EXPECT_EQ(state_of("a"), ReplicaState::kUnconfirmed);  // its writer says so
  Beat("a", {Added(1, block)});
  EXPECT_EQ(state_of("a"), ReplicaState::kLive);
  Beat("b", {{.sequence = 1, .kind = ReplicaChange::Kind::kCorrupt, .block = block}});
  EXPECT_EQ(state_of("b"), ReplicaState::kCorrupt);
  Pass(std::chrono::seconds(15), {"b", "c"});
  EXPECT_EQ(state_of("a"), ReplicaState::kStaleNode);
  Pass(std::chrono::seconds(20), {"b", "c"});
  EXPECT_EQ(state_of("a"), std::nullopt);  // it is dead
}

}  // namespace
}  // namespace slipstream::dfs::master
