// The health of files, page by page.

#include "dfs-master/file_checker.h"

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

}  // namespace
}  // namespace slipstream::dfs::master
