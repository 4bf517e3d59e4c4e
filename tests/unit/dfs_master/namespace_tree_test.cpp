#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class NamespaceTest : public MasterHarness {
 protected:
  NamespaceTest() { AddNodes(); }
  Status Mkdir(const std::string& path, bool create_parents = false) {
    return master_->MakeDirectory(path, {}, create_parents).status();
  }
  std::string Names(const std::string& path,
                    const std::string& start_after = "",
                    uint32_t limit = 0) {
    auto listing = master_->List(path, start_after, limit);
    if (!listing.ok()) return std::string(CodeName(listing.status().code()));
    std::string names;
    for (const FileStatus& entry : listing->entries)
      names.append(entry.name).append(" ");
    return names + (listing->has_more ? "…" : "");
  }
};

TEST_F(NamespaceTest, MkdirWantsItsParentUnlessToldToMakeIt) {
  EXPECT_EQ(Mkdir("/a/b").code(), Code::kNotFound);
  EXPECT_TRUE(Mkdir("/a/b", true).ok());
  EXPECT_TRUE(Mkdir("/a/b", true).ok());
  EXPECT_EQ(Mkdir("/a/b").code(), Code::kAlreadyExists);
  EXPECT_EQ(master_->GetStatus("/a")->child_count, 1U);
}

TEST_F(NamespaceTest, MkdirBelowAFileIsRefused) {
  PutFile("/file");

  EXPECT_EQ(Mkdir("/file/x", true).code(), Code::kFailedPrecondition);
  EXPECT_EQ(CodeOf("/file/x"), Code::kFailedPrecondition);
}

TEST_F(NamespaceTest, ListIsSortedAndPaged) {
  for (const char* name : {"/c", "/a", "/b", "/a/below"})
    ASSERT_TRUE(Mkdir(name).ok());

  EXPECT_EQ(Names("/"), "a b c ");
  EXPECT_EQ(Names("/", "", 2), "a b …");
  EXPECT_EQ(Names("/", "b", 2), "c ");
  EXPECT_EQ(Names("/nothing"), "not_found");
}

TEST_F(NamespaceTest, ListOfAFileIsTheFile) {
  PutFile("/dir/file");

  EXPECT_EQ(Names("/dir/file"), "file ");
}

TEST_F(NamespaceTest, DeleteOfAFullDirectoryWantsRecursive) {
  PutFile("/a/b/file");

  EXPECT_EQ(master_->Delete("/a", false, "").code(), Code::kFailedPrecondition);
  EXPECT_TRUE(master_->Delete("/a", true, "").ok());
  EXPECT_EQ(CodeOf("/a/b/file"), Code::kNotFound);
  EXPECT_EQ(master_->Delete("/a", true, "").code(), Code::kNotFound);
  EXPECT_EQ(master_->Delete("/", true, "").code(), Code::kFailedPrecondition);
}

TEST_F(NamespaceTest, DeletedTreeIsReapedAndItsBlocksAreDeletedFromNodes) {
  Block block = PutFile("/a/b/file");
  for (const char* node : {"a", "b"})
    Beat(node, {Added(1, block)});
  ASSERT_TRUE(master_->Delete("/a", true, "").ok());

  Pass(std::chrono::seconds(3), {"a", "b", "c"});

  ClusterState state = master_->GetClusterState().value();
  EXPECT_EQ(state.totals.files, 0U);
  EXPECT_EQ(state.totals.directories, 1U);
  EXPECT_EQ(state.totals.blocks, 0U);
  ASSERT_EQ(commands_["a"].size(), 1U);
  EXPECT_EQ(commands_["a"][0].command.kind, NodeCommand::Kind::kDelete);
  EXPECT_EQ(commands_["a"][0].command.block.id, block.id);
  EXPECT_EQ(commands_["b"].size(), 1U);
}

TEST_F(NamespaceTest, RetriedDeleteDoesNotDeleteWhatCameAfter) {
  ASSERT_TRUE(Mkdir("/a").ok());
  ASSERT_TRUE(master_->Delete("/a", false, "request-1").ok());
  ASSERT_TRUE(Mkdir("/a").ok());
  Restart();

  EXPECT_TRUE(master_->Delete("/a", false, "request-1").ok());

  EXPECT_EQ(CodeOf("/a"), Code::kOk);
}

TEST_F(NamespaceTest, RequestIdsAreForgottenAfterAnHour) {
  ASSERT_TRUE(Mkdir("/a").ok());
  ASSERT_TRUE(master_->Delete("/a", false, "request-1").ok());
  clock_.Advance(std::chrono::hours(2));
  ASSERT_TRUE(master_->Tick().ok());

  EXPECT_EQ(master_->Delete("/a", false, "request-1").code(), Code::kNotFound);
}

TEST_F(NamespaceTest, RenameMovesATreeAndItsFilesKeepTheirInodes) {
  PutFile("/from/deep/file");
  InodeId inode = master_->GetStatus("/from/deep/file")->id;
  ASSERT_TRUE(Mkdir("/to").ok());

  ASSERT_TRUE(master_->Rename("/from", "/to/here", false, "").ok());

  EXPECT_EQ(master_->GetStatus("/to/here/deep/file")->id, inode);
  EXPECT_EQ(CodeOf("/from"), Code::kNotFound);
  EXPECT_EQ(master_->LocateBlocks({.inode = inode}, 0, 0)->blocks.size(), 1U);
}

TEST_F(NamespaceTest, RenameIntoItselfOntoOthersOrIntoNothingIsRefused) {
  ASSERT_TRUE(Mkdir("/a/b", true).ok());
  ASSERT_TRUE(Mkdir("/c/full", true).ok());
  PutFile("/file");

  EXPECT_EQ(master_->Rename("/a", "/a/b/c", false, "").code(), Code::kFailedPrecondition);
  EXPECT_EQ(master_->Rename("/a", "/c", false, "").code(), Code::kAlreadyExists);
  EXPECT_EQ(master_->Rename("/a", "/c", true, "").code(), Code::kFailedPrecondition);
  EXPECT_EQ(master_->Rename("/a", "/file", true, "").code(), Code::kFailedPrecondition);
  EXPECT_EQ(master_->Rename("/a", "/nothing/a", true, "").code(), Code::kNotFound);
  EXPECT_EQ(master_->Rename("/nothing", "/x", true, "").code(), Code::kNotFound);
  EXPECT_EQ(master_->Rename("/a", "/a", false, "").code(), Code::kAlreadyExists);
}

TEST_F(NamespaceTest, RenameReplacesAFileInOneStep) {
  PutFile("/old", 10);
  PutFile("/new", 20);

  ASSERT_TRUE(master_->Rename("/new", "/old", true, "id").ok());
  ASSERT_TRUE(master_->Rename("/new", "/old", true, "id").ok());

  EXPECT_EQ(LengthOf("/old"), 20U);
  EXPECT_EQ(Names("/"), "old ");
  EXPECT_EQ(master_->GetClusterState()->totals.files, 1U);
}

TEST_F(NamespaceTest, LocateFindsTheBlocksOfARange) {
  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  std::vector<PreparedBlock> blocks;
  for (int i = 0; i < 3; ++i)
    blocks.push_back(NewPreparedBlock("w", 100));
  ASSERT_TRUE(Prepare(OneFile("w", pair, {.new_path = "/f", .blocks = blocks}), true).ok());

  auto middle = master_->LocateBlocks({.path = "/f"}, 150, 60);
  auto rest = master_->LocateBlocks({.path = "/f"}, 100, 0);
  auto end = master_->LocateBlocks({.path = "/f"}, 300, 0);

  ASSERT_TRUE(middle.ok());
  EXPECT_EQ(middle->first_block_offset_bytes, 100U);
  EXPECT_EQ(middle->blocks.size(), 2U);
  EXPECT_EQ(middle->blocks[0].block.id, blocks[1].block.id);
  EXPECT_EQ(middle->blocks[0].nodes.size(), 2U);
  EXPECT_EQ(rest->blocks.size(), 2U);
  EXPECT_EQ(end->blocks.size(), 0U);
  EXPECT_EQ(master_->LocateBlocks({.path = "/f"}, 301, 0).status().code(), Code::kOutOfRange);
}

}  // namespace
}  // namespace slipstream::dfs::master
