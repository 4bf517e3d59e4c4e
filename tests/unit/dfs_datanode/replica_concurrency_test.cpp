// Many streams, readers, deletions, checks and rewritings of packs on one store at the same time:
// what was written and not deleted is there and right, now and after a reopen. Also what the thread
// sanitizer looks at.

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/dfs_datanode/replica_fixture.h"

namespace slipstream::datanode {
namespace {

using Operation = MemoryFileSystem::Operation;

constexpr block::BlockId kWriters = 4;
constexpr block::BlockId kBlocksPerWriter = 60;

// Ids of a writer are consecutive; every fifth is large.
const TestBlock& BlockOf(block::BlockId id) {
  static const std::vector<TestBlock>* blocks = [] {
    auto* made = new std::vector<TestBlock>();
    for (block::BlockId i = 0; i < kWriters * kBlocksPerWriter; ++i) {
      made->push_back(i % 5 == 4 ? LargeBlock(i + 1) : SmallBlock(i + 1));
    }
    return made;
  }();
  return blocks->at(id - 1);
}

bool IsDeleted(block::BlockId id) {
  return id % 3 == 0;
}

class ReplicaConcurrencyTest : public testing::Test {
 protected:
  void Reopen() {
    store_.reset();
    store_ = ReplicaStore::Open(StoreOptions(fs_), clock_).value();
  }

  void WriteAndDelete(block::BlockId writer) {
    for (block::BlockId i = 1; i <= kBlocksPerWriter; i += 2) {
      const block::BlockId id = writer * kBlocksPerWriter + i;
      ASSERT_TRUE(Write(*store_, {BlockOf(id), BlockOf(id + 1)}).ok());
      for (block::BlockId written : {id, id + 1}) {
        ASSERT_EQ(ReadAll(*store_, written).value(), BlockOf(written).stored);
        if (!IsDeleted(written)) continue;
        ASSERT_TRUE(store_->Delete(written).ok());
      }
    }
  }

  void CheckAll() {
    for (block::BlockId id = 1; id <= kWriters * kBlocksPerWriter; ++id) {
      Result<std::string> read = ReadAll(*store_, id);
      if (IsDeleted(id)) {
        EXPECT_EQ(read.status().code(), Code::kNotFound) << id;
      } else {
        ASSERT_TRUE(read.ok()) << id << ": " << read.status().ToString();
        EXPECT_EQ(*read, BlockOf(id).stored);
        EXPECT_TRUE(store_->Verify(id).ok());
      }
    }
  }

  MemoryFileSystem fs_;
  ManualClock clock_;
  std::unique_ptr<ReplicaStore> store_;
};

TEST_F(ReplicaConcurrencyTest, StreamsDeletionsChecksAndRewritingsDoNotDisturbEachOther) {
  Reopen();
  std::atomic<bool> is_over = false;
  {
    std::vector<std::jthread> background;
    background.emplace_back([&] {
      while (!is_over) {
        clock_.Advance(ReplicaStore::Options().park_time);
        store_->Reap();
        EXPECT_TRUE(store_->Compact().ok());
      }
    });
    background.emplace_back([&] {
      block::BlockId cursor = 0;
      while (!is_over) {
        const std::optional<block::Identity> next = store_->NextAfter(cursor);
        cursor = next.has_value() ? next->block_id : 0;
        if (!next.has_value()) continue;
        const Status status = store_->Verify(cursor);
        EXPECT_TRUE(status.ok() || status.code() == Code::kNotFound) << status.ToString();
      }
    });
    std::vector<std::jthread> writers;
    for (block::BlockId writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([this, writer] { WriteAndDelete(writer); });
    }
    writers.clear();
    is_over = true;
  }
  clock_.Advance(ReplicaStore::Options().park_time);
  store_->Reap();

  CheckAll();
  Reopen();
  CheckAll();
}

// While one stream's sync is under way, all others wait; then one sync serves them all.
TEST_F(ReplicaConcurrencyTest, StreamsThatWaitShareOneSync) {
  Reopen();
  std::atomic<int> syncs = 0;
  std::atomic<int> started = 0;
  fs_.SetFault([&](Operation operation, const std::string& path) {
    if (operation != Operation::kSync || !path.starts_with("/data/packs/")) return Status();
    // The first sync is as slow as it takes the others to come.
    if (++syncs == 1) {
      while (started < static_cast<int>(kWriters))
        std::this_thread::yield();
    }
    return Status();
  });
  std::vector<std::jthread> writers;
  for (block::BlockId id = 1; id <= kWriters; ++id) {
    writers.emplace_back([&, id] {
      ++started;
      EXPECT_TRUE(Write(*store_, {BlockOf(5 * id - 1)}).ok());
    });
  }
  writers.clear();

  EXPECT_LE(syncs, static_cast<int>(kWriters));
  EXPECT_EQ(Ids(*store_).size(), kWriters);
}

}  // namespace
}  // namespace slipstream::datanode
