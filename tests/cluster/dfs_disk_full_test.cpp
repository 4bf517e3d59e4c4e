// Real disks that fill up or vanish: small file systems in memory, in a mount namespace of the
// test's own, which the kernel takes away with it.

#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "tests/cluster/dfs_fixture.h"

namespace slipstream::dfs {
namespace {

using test_support::Eventually;

constexpr size_t kMiB = size_t{1} << 20;

// Before any thread is there: threads that are would stay in the old namespace.
class MountNamespace : public ::testing::Environment {
 public:
  void SetUp() override {
    if (geteuid() != 0) return;
    is_entered_ =
        unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  }
  static bool is_entered() { return is_entered_; }

 private:
  static inline bool is_entered_ = false;
};
const auto* const kMountNamespace =
    ::testing::AddGlobalTestEnvironment(new MountNamespace);  // GoogleTest owns it

class DfsDiskFullTest : public DfsTest {
 protected:
  void SetUp() override {
    if (!MountNamespace::is_entered()) GTEST_SKIP() << "mounting needs root";
  }
  // Before the cluster is started.
  void LimitDisk(int datanode, size_t bytes) {
    LimitDisk(dir_ / fmt::format("datanode-{}", datanode), bytes);
  }
  void LimitDisk(const std::filesystem::path& path, size_t bytes) {
    std::filesystem::create_directories(path);
    const std::string options = fmt::format("size={}", bytes);
    ASSERT_EQ(mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()), 0);
    mounts_.push_back(path);
  }
  void TearDown() override {
    for (const std::filesystem::path& path : mounts_)
      umount2(path.c_str(), MNT_DETACH);
  }

 private:
  std::vector<std::filesystem::path> mounts_;
};

TEST_F(DfsDiskFullTest, ADatanodeWhoseDiskIsFullIsPassedOver) {
  LimitDisk(0, 40 * kMiB);
  StartCluster();
  // Twice as much as fits beside the others' share.
  std::vector<std::string> contents;
  for (int i = 0; i < 30; ++i) {
    contents.push_back(RandomBytes(4 * kMiB, static_cast<uint64_t>(i)));
    ASSERT_OK(Store(fmt::format("/f{}", i), contents.back()));
  }
  for (size_t i = 0; i < contents.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(const std::string read, Load(fmt::format("/f{}", i)));
    EXPECT_TRUE(read == contents[i]);
  }
  EXPECT_TRUE(cluster().datanode(0)->IsRunning());
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
}

TEST_F(DfsDiskFullTest, WhenAllDisksAreFullNothingIsLostAndDeletingMakesRoom) {
  Options options;
  options.datanode_flags = {"--park-seconds=1"};
  for (int i = 0; i < 3; ++i)
    LimitDisk(i, 32 * kMiB);
  StartCluster(options);
  const auto impatient = DfsClient::Connect(
      {.master = cluster().master_address(), .write_timeout = std::chrono::seconds(3)});
  std::vector<std::string> contents;
  Status full;
  for (int i = 0; i < 100 && full.ok(); ++i) {
    const std::string content = RandomBytes(4 * kMiB, static_cast<uint64_t>(i));
    full = Store(*impatient, fmt::format("/f{}", i), content);
    if (full.ok()) contents.push_back(content);
  }
  EXPECT_FALSE(full.ok());
  EXPECT_GT(contents.size(), 5U);
  for (size_t i = 0; i < contents.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(const std::string read, Load(fmt::format("/f{}", i)));
    EXPECT_TRUE(read == contents[i]);
  }

  for (size_t i = 0; i < contents.size(); ++i)
    ASSERT_OK(client().Delete(fmt::format("/f{}", i), false));
  EXPECT_TRUE(Eventually([&] { return Store(*impatient, "/again", contents[0]); },
                         std::chrono::seconds(120)));
  EXPECT_EQ(Load("/again"), contents[0]);
}

// Every epoch makes a thousand names, far more than fits, one epoch after another.
TEST_F(DfsDiskFullTest, AMasterWhoseLogCannotBeWrittenEndsAndHasEverythingItAnswered) {
  constexpr uint64_t kNames = 1'000;
  const std::filesystem::path disk = dir_ / "master";
  const std::filesystem::path ballast = disk / "ballast";
  LimitDisk(disk, 48 * kMiB);
  Options options;
  options.master_flags.emplace_back("--disk-reserve=0");
  StartCluster(options);
  ASSERT_OK(Store("/before", "content"));
  ASSERT_OK(test_support::WriteFile(ballast, std::string(16 * kMiB, '.')));
  const auto impatient = DfsClient::Connect(
      {.master = cluster().master_address(), .timeout = std::chrono::seconds(3)});
  ASSERT_OK_AND_ASSIGN(const AppenderState appender, impatient->AcquireAppender("w"));
  uint64_t acknowledged = 0;
  Status full;
  for (uint64_t number = 1; number <= 200 && full.ok(); ++number) {
    AppenderEpoch epoch{.owner = "w", .incarnation = appender.incarnation, .epoch = number};
    for (uint64_t i = 0; i < kNames; ++i) {
      epoch.files.push_back(
          {.target = fmt::format("/e{}/{}{:04}", number, std::string(200, 'x'), i), .close = true});
    }
    full = impatient->Prepare({&epoch, 1}, true).status();
    if (full.ok()) acknowledged = number;
  }
  EXPECT_FALSE(full.ok());
  EXPECT_GT(acknowledged, 3U);
  ASSERT_OK_AND_ASSIGN(const test_support::ExitStatus exit, cluster().master()->Wait());
  EXPECT_EQ(exit.code, 1) << exit.signal;
  EXPECT_OK(cluster().master()->WaitForOutput("metadata_store_failed"));

  std::filesystem::remove(ballast);
  ASSERT_OK(cluster().StartMaster());
  EXPECT_EQ(Load("/before"), "content");
  for (uint64_t number = 1; number <= acknowledged; ++number) {
    ASSERT_OK_AND_ASSIGN(const std::vector<FileStatus> entries,
                         client().ListAll(fmt::format("/e{}", number)));
    EXPECT_EQ(entries.size(), kNames) << number;
  }
  // The one that was refused is there as a whole or not at all.
  const auto refused = client().ListAll(fmt::format("/e{}", acknowledged + 1));
  EXPECT_TRUE(refused.ok() ? refused->size() == kNames
                           : refused.status().code() == Code::kNotFound);
  EXPECT_OK(Store("/after", "content"));
}

TEST_F(DfsDiskFullTest, AMasterWithLittleRoomLeftChangesNothingUntilThereIsMore) {
  const std::filesystem::path disk = dir_ / "master";
  const std::filesystem::path ballast = disk / "ballast";
  LimitDisk(disk, 64 * kMiB);
  Options options;
  options.master_flags.emplace_back("--disk-reserve=24MB");
  StartCluster(options);
  ASSERT_OK(Store("/before", "content"));

  ASSERT_OK(test_support::WriteFile(ballast, std::string(30 * kMiB, '.')));
  ASSERT_TRUE(Eventually([&]() -> Status {
    const Status status = client().MakeDirectory("/d", true).status();
    return status.code() == Code::kFailedPrecondition ? Status() : Unavailable("not refused");
  }));
  EXPECT_EQ(Load("/before"), "content");
  ASSERT_OK_AND_ASSIGN(const ClusterState state, client().GetClusterState());
  EXPECT_TRUE(state.is_in_safe_mode);

  std::filesystem::remove(ballast);
  EXPECT_OK(Store("/after", "content"));  // it waits, and goes on by itself
  EXPECT_OK(client().MakeDirectory("/e", true));
}

// A node of two disks, of which one goes while files are written and read.
class DfsDisksTest : public DfsDiskFullTest {
 protected:
  static constexpr int kFiles = 24;

  void SetUp() override {
    DfsDiskFullTest::SetUp();
    if (IsSkipped()) return;
    LimitDisk(disk_, 200 * kMiB);
    Options options;
    options.disks = 2;
    StartCluster(options);
    for (int i = 0; i < kFiles; ++i) {
      contents_.push_back(RandomBytes(2 * kMiB, static_cast<uint64_t>(i)));
      ASSERT_OK(Store(fmt::format("/f{}", i), contents_.back()));
    }
  }

  // The disks the master knows of the node, those that failed first.
  Result<std::vector<DiskReport>> Disks() {
    ASSIGN_OR_RETURN(const ClusterState state, client().GetClusterState());
    for (const NodeReport& node : state.nodes) {
      if (node.node.address != cluster().datanode_address(0)) continue;
      std::vector<DiskReport> disks = node.disks;
      std::stable_partition(
          disks.begin(), disks.end(), [](const DiskReport& disk) { return !disk.failure.empty(); });
      return disks;
    }
    return NotFound("no such node");
  }

  // The node stays, says what is wrong, and what was on the disk is made anew elsewhere.
  void ExpectTheDiskIsDoneWithout() {
    ASSERT_TRUE(Eventually(
        [&]() -> Status {
          ASSIGN_OR_RETURN(const std::vector<DiskReport> disks, Disks());
          return disks.at(0).failure.empty() ? Unavailable("no disk has failed") : Status();
        },
        std::chrono::seconds(120)));
    ASSERT_OK_AND_ASSIGN(const std::vector<DiskReport> disks, Disks());
    EXPECT_EQ(disks.at(0).path, disk_.string());
    EXPECT_EQ(disks.at(1).failure, "");
    EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }, std::chrono::seconds(120)));
    ASSERT_OK(Store("/after", contents_[0]));
    contents_.push_back(contents_[0]);
    for (int i = 0; i < kFiles; ++i) {
      ASSERT_OK_AND_ASSIGN(const std::string read, Load(fmt::format("/f{}", i)));
      EXPECT_TRUE(read == contents_[static_cast<size_t>(i)]) << i;
    }
    EXPECT_TRUE(cluster().datanode(0)->IsRunning());
  }

  const std::filesystem::path disk_ = test_support::DfsCluster::DatanodeDisk(dir_.path(), 0, 1);
  std::vector<std::string> contents_;
};

TEST_F(DfsDisksTest, ADiskThatVanishesIsDoneWithout) {
  ASSERT_EQ(umount2(disk_.c_str(), MNT_DETACH), 0);

  ExpectTheDiskIsDoneWithout();

  // Nothing is written to what lies below the mount point.
  EXPECT_TRUE(std::filesystem::is_empty(disk_));
}

TEST_F(DfsDiskFullTest, OneOfTwoDisksThatIsFullCostsNothing) {
  LimitDisk(test_support::DfsCluster::DatanodeDisk(dir_.path(), 0, 1), 12 * kMiB);
  Options options;
  options.disks = 2;
  StartCluster(options);
  std::vector<std::string> contents;
  for (int i = 0; i < 24; ++i) {
    contents.push_back(RandomBytes(2 * kMiB, static_cast<uint64_t>(i)));
    ASSERT_OK(Store(fmt::format("/f{}", i), contents.back()));
  }

  for (size_t i = 0; i < contents.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(const std::string read, Load(fmt::format("/f{}", i)));
    EXPECT_TRUE(read == contents[i]) << i;
  }
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
  ASSERT_OK_AND_ASSIGN(const ClusterState state, client().GetClusterState());
  for (const NodeReport& node : state.nodes) {
    for (const DiskReport& disk : node.disks)
      EXPECT_EQ(disk.failure, "");
  }
}

}  // namespace
}  // namespace slipstream::dfs
