// Many small commits make small blocks, and these become large ones under whoever reads the file.

#include <atomic>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"

namespace slipstream::dfs {
namespace {

using test_support::Eventually;

class DfsMergeTest : public DfsTest {
 protected:
  // Commits `count` blocks of some kilobytes, one by one.
  void Grow(int count) {
    if (incarnation_ == 0) {
      ASSERT_OK_AND_ASSIGN(AppenderState state, client().AcquireAppender("job/0"));
      incarnation_ = state.incarnation;
    }
    for (int i = 0; i < count; ++i) {
      const std::string raw = RandomBytes(3'000 + 10 * (epoch_ % 100), epoch_);
      const block::EncodedBlock encoded = Encode(raw);
      const block::EncodedBlock* blocks[] = {&encoded};
      ASSERT_OK_AND_ASSIGN(auto durable, client().WriteBlocks("job/0", blocks));
      AppenderEpoch epoch{.owner = "job/0", .incarnation = incarnation_, .epoch = ++epoch_};
      epoch.files.push_back({.expected_length_bytes = content_.size(), .blocks = durable});
      if (inode_ == 0) {
        epoch.files[0].target = path_;
      } else {
        epoch.files[0].target = inode_;
      }
      ASSERT_OK_AND_ASSIGN(auto prepared, client().Prepare({&epoch, 1}, true));
      inode_ = prepared.at(0).inode_ids.at(0);
      content_ += raw;
    }
  }
  uint32_t BlockCount() {
    auto file = client().Stat(path_);
    EXPECT_OK(file);
    return file.ok() ? file->block_count : 0;
  }
  // No replica but those of the blocks that the file has.
  Status CheckNothingLeftOver() {
    ASSIGN_OR_RETURN(const ClusterState state, client().GetClusterState());
    uint64_t replicas = 0;
    for (const NodeReport& node : state.nodes)
      replicas += node.replica_count;
    return replicas == 2 * state.block_count ? Status() : Unavailable("replicas are left over");
  }

  std::string path_ = "/logs/part-0";
  uint64_t incarnation_ = 0;
  uint64_t epoch_ = 0;
  uint64_t inode_ = 0;
  std::string content_;
};

// Reads ranges of a file that was opened once, at random, until it goes.
class SteadyReader {
 public:
  SteadyReader(std::unique_ptr<FileReader> reader, std::string content)
      : reader_(std::move(reader)),
        content_(std::move(content)),
        thread_([this](const std::stop_token& stop) {
          std::mt19937_64 random(1);
          while (!stop.stop_requested()) {
            const uint64_t offset = random() % content_.size();
            Check(offset, random() % 20'000);
          }
        }) {}

  // All of it, by the reader that was open all the time.
  void Finish() {
    thread_.request_stop();
    thread_.join();
    Check(0, content_.size());
  }
  int reads() const { return reads_; }
  int errors() const { return errors_; }

 private:
  void Check(uint64_t offset, uint64_t length) {
    const Result<std::string> read = reader_->ReadAt(offset, length);
    if (!read.ok()) ADD_FAILURE() << offset << "+" << length << ": " << read.status().ToString();
    const bool is_right = read.ok() && *read == content_.substr(offset, length);
    if (!is_right) ++errors_;
    ++reads_;
  }

  const std::unique_ptr<FileReader> reader_;
  const std::string content_;
  std::atomic<int> reads_{0};
  std::atomic<int> errors_{0};
  std::jthread thread_;
};

TEST_F(DfsMergeTest, TwoHundredCommitsBecomeFewBlocksUnderAReader) {
  Options options;
  options.datanode_flags = {"--park-seconds=1"};  // the old replicas are gone at once
  StartCluster(options);
  Grow(100);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<FileReader> opened, client().OpenFile(path_));
  ASSERT_OK_AND_ASSIGN(const FileChecksum before, client().Checksum(path_));
  SteadyReader reader(std::move(opened), content_);

  Grow(100);

  EXPECT_TRUE(Eventually([&] { return BlockCount() <= 16; }, std::chrono::seconds(120)))
      << BlockCount();
  EXPECT_TRUE(Eventually([&] { return CheckNothingLeftOver(); }));
  const int reads = reader.reads();
  EXPECT_TRUE(Eventually([&] { return reader.reads() > reads + 100; }));
  reader.Finish();
  EXPECT_EQ(reader.errors(), 0) << "of " << reader.reads();
  ASSERT_OK_AND_ASSIGN(const std::string read, Load(path_));
  EXPECT_TRUE(read == content_);
  EXPECT_NE(client().Checksum(path_).value(), before);
  std::cout << "200 commits lie in " << BlockCount() << " blocks; " << reader.reads()
            << " reads meanwhile\n";

  // The writer never noticed, and the merged blocks are as durable as any.
  Grow(1);
  cluster().KillMaster();
  for (int i = 0; i < 3; ++i)
    cluster().KillDatanode(i);
  ASSERT_OK(cluster().StartMaster());
  for (int i = 1; i < 3; ++i)
    ASSERT_OK(cluster().StartDatanode(i));
  ASSERT_TRUE(Eventually([&] { return Load(path_).status(); }));
  EXPECT_TRUE(Load(path_).value() == content_);
}

// Each step with a cluster of its own: a datanode that was not answered tells a merge again, and
// would make the next master die before its time.
class DfsMergeStepTest : public DfsMergeTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(DfsMergeStepTest, AMasterKilledThereLosesNothing) {
  StartCluster();
  // One fewer than are merged, so that the next makes the master merge, and die.
  Grow(7);
  cluster().KillMaster();
  ASSERT_OK(cluster().StartMaster("master.merge." + std::string(GetParam()) + "=kill"));
  Grow(1);
  ASSERT_TRUE(
      Eventually([&] { return !cluster().master()->IsRunning(); }, std::chrono::seconds(60)));
  ASSERT_OK(cluster().StartMaster());
  ASSERT_TRUE(Eventually([&] { return Load(path_).status(); }));
  EXPECT_TRUE(Load(path_).value() == content_);
  EXPECT_TRUE(Eventually([&] { return BlockCount() == 1; }, std::chrono::seconds(60)));
  EXPECT_TRUE(Load(path_).value() == content_);
}

INSTANTIATE_TEST_SUITE_P(All,
                         DfsMergeStepTest,
                         ::testing::Values("before_write", "after_write", "after_sync"),
                         [](const auto& step) { return std::string(step.param); });

}  // namespace
}  // namespace slipstream::dfs
