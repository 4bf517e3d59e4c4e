// A master that is lost with its disk and comes back from a copy made while it ran.

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"
#include "tests/support/process.h"

namespace slipstream::dfs {
namespace {

using test_support::Eventually;
using test_support::ToolResult;
using ::testing::HasSubstr;
using ::testing::Not;

class DfsBackupTest : public DfsTest {
 protected:
  // Blocks of their own files: small ones would share packs.
  static constexpr size_t kBytes = size_t{3} << 20;

  static std::string Content(const std::string& path) {
    return RandomBytes(kBytes, std::hash<std::string>()(path));
  }
  Status StoreOwn(const std::string& path) { return Store(path, Content(path)); }

  Result<std::string> Master(std::vector<std::string> args) {
    ASSIGN_OR_RETURN(const ToolResult result,
                     test_support::RunTool({.program = "dfs-master", .args = std::move(args)}));
    if (result.exit.code != 0) return Unavailable(result.err);
    return result.out;
  }
  Result<std::string> Restored(const std::string& word = "") {
    std::vector<std::string> args = {"restored", "--master=" + cluster().master_address()};
    if (!word.empty()) args.push_back(word);
    return Master(std::move(args));
  }

  // The blocks that lie on the datanodes, parked ones left out.
  std::set<std::string> BlocksOnDisk() {
    std::set<std::string> blocks;
    for (int i = 0; i < cluster().datanode_count(); ++i) {
      for (const auto& entry :
           std::filesystem::recursive_directory_iterator(cluster().datanode_data_dir(i))) {
        const std::string path = entry.path();
        const bool is_block = path.ends_with(".zst") && path.find("/blocks/") != std::string::npos;
        if (is_block) blocks.insert(path);
      }
    }
    return blocks;
  }
};

TEST_F(DfsBackupTest, WhatWasAcknowledgedBeforeTheCopyIsThereAndNothingElseIsLost) {
  StartCluster({.master_flags = {"--node-stale-after=2", "--node-dead-after=4", "--block-grace=1"},
                .datanode_flags = {"--park-seconds=1"}});
  const std::filesystem::path backup = dir_ / "backup";
  std::vector<std::string> before;
  for (int i = 0; i < 5; ++i) {
    before.push_back(fmt::format("/before-{}", i));
    ASSERT_OK(StoreOwn(before.back()));
  }
  {  // The copy is made while others write.
    std::atomic<bool> is_done = false;
    std::jthread writer([&] {
      const auto client = Connect();
      for (int i = 0; !is_done; ++i) {
        const std::string path = fmt::format("/meanwhile-{}", i);
        EXPECT_OK(Store(*client, path, Content(path)));
      }
    });
    EXPECT_OK(Master({"backup", "--master=" + cluster().master_address(), backup}).status());
    is_done = true;
  }
  for (int i = 0; i < 5; ++i)
    ASSERT_OK(StoreOwn(fmt::format("/after-{}", i)));
  const std::set<std::string> blocks = BlocksOnDisk();
  ASSERT_GE(blocks.size(), 20U);

  cluster().KillMaster();
  std::filesystem::rename(cluster().master_data_dir(), dir_ / "lost");
  ASSERT_OK(Master({"restore",
                    "--from=" + backup.string(),
                    "--data-dir=" + cluster().master_data_dir().string()})
                .status());
  // Not over what is there.
  EXPECT_FALSE(Master({"restore",
                       "--from=" + backup.string(),
                       "--data-dir=" + cluster().master_data_dir().string()})
                   .ok());
  ASSERT_OK(cluster().StartMaster());

  EXPECT_TRUE(Eventually([&]() -> Status {
    ASSIGN_OR_RETURN(const std::string status, Restored());
    return status.find("keeps replicas") != std::string::npos ? Status() : Unavailable(status);
  }));
  ASSERT_OK_AND_ASSIGN(const std::string report, cluster().MustDfs({"report"}));
  EXPECT_THAT(report, HasSubstr("Restored from a copy: "));
  EXPECT_THAT(report, HasSubstr(" unknown blocks are kept, "));
  for (const std::string& path : before) {
    ASSERT_OK_AND_ASSIGN(const std::string content, Load(path));
    EXPECT_TRUE(content == Content(path)) << path;
  }
  EXPECT_EQ(Load("/after-0").status().code(), Code::kNotFound);
  // Ids that the lost master gave out are not given again, or these would meet their blocks.
  for (int i = 0; i < 5; ++i)
    ASSERT_OK(StoreOwn(fmt::format("/again-{}", i)));
  for (int i = 0; i < 5; ++i) {
    const std::string path = fmt::format("/again-{}", i);
    ASSERT_OK_AND_ASSIGN(const std::string content, Load(path));
    EXPECT_TRUE(content == Content(path)) << path;
  }
  const std::set<std::string> now = BlocksOnDisk();
  EXPECT_TRUE(std::includes(now.begin(), now.end(), blocks.begin(), blocks.end()));
  EXPECT_EQ(now.size(), blocks.size() + 10);

  ASSERT_OK(Restored("--forget-unknown").status());
  ASSERT_OK_AND_ASSIGN(const std::string settled, cluster().MustDfs({"report"}));
  EXPECT_THAT(settled, Not(HasSubstr("Restored from a copy")));
  EXPECT_TRUE(Eventually(
      [&] { return BlocksOnDisk().size() < now.size() ? Status() : Unavailable("all are there"); },
      std::chrono::seconds(90)));
  for (const std::string& path : before)
    EXPECT_OK(Load(path).status());
}

TEST_F(DfsBackupTest, ADamagedOrUnfinishedCopyIsRefused) {
  StartCluster();
  ASSERT_OK(StoreOwn("/f"));
  const std::filesystem::path backup = dir_ / "backup";
  const std::string data_dir = dir_ / "other";
  ASSERT_OK(Master({"backup", "--master=" + cluster().master_address(), backup}).status());
  EXPECT_FALSE(Master({"backup", "--master=" + cluster().master_address(), backup}).ok());
  EXPECT_FALSE(Master({"backup", "--master=" + cluster().master_address(), "relative"}).ok());

  for (const auto& entry : std::filesystem::directory_iterator(backup / "meta")) {
    if (entry.path().extension() != ".sst") continue;
    // A hard link: the master's own file must stay as it is.
    const std::string bytes = test_support::ReadFile(entry.path());
    std::string damaged = bytes;
    damaged[damaged.size() / 3] ^= 1;
    std::filesystem::remove(entry.path());
    ASSERT_OK(test_support::WriteFile(entry.path(), damaged));
    EXPECT_FALSE(Master({"restore", "--from=" + backup.string(), "--data-dir=" + data_dir}).ok())
        << entry.path();
    ASSERT_OK(test_support::WriteFile(entry.path(), bytes));
    std::filesystem::remove_all(data_dir);
  }
  ASSERT_OK(Master({"restore", "--from=" + backup.string(), "--data-dir=" + data_dir}).status());
  std::filesystem::remove_all(data_dir);
  std::filesystem::remove(backup / "BACKUP");
  EXPECT_FALSE(Master({"restore", "--from=" + backup.string(), "--data-dir=" + data_dir}).ok());
}

}  // namespace
}  // namespace slipstream::dfs
