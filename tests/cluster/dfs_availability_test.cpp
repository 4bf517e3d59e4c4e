// Whichever datanode dies: readers see no error, and writers hardly notice.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"

namespace slipstream::dfs {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test_support::Eventually;

constexpr size_t kMiB = size_t{1} << 20;
// What a writer may notice of a datanode's death: much less than the master takes to notice it.
constexpr std::chrono::seconds kPauseMax{2};

class DfsAvailabilityTest : public DfsTest {};

// Reads the same files over and over, each time from new connections' point of view.
class Readers {
 public:
  Readers(DfsClient& client, std::vector<std::string> paths, const std::string& content) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this, &client, paths, &content](const std::stop_token& stop) {
        for (size_t next = 0; !stop.stop_requested(); ++next)
          Read(client, paths[next % paths.size()], content);
      });
    }
  }

  int reads() const { return reads_; }
  int errors() const { return errors_; }

 private:
  void Read(DfsClient& client, const std::string& path, const std::string& content) {
    auto reader = client.OpenFile(path);
    std::string read;
    while (reader.ok()) {
      auto chunk = (*reader)->Next();
      if (!chunk.ok() || chunk->empty()) break;
      read += *chunk;
    }
    ++reads_;
    if (read != content) ++errors_;
  }

  std::atomic<int> reads_{0};
  std::atomic<int> errors_{0};
  std::vector<std::jthread> threads_;
};

// Writes one file after the other and remembers how long the longest pause between two was.
class Writer {
 public:
  Writer(DfsClient& client, const std::string& content)
      : thread_([this, &client, &content](const std::stop_token& stop) {
          for (int i = 0; !stop.stop_requested(); ++i)
            Write(client, "/written-" + std::to_string(i), content);
        }) {}

  int files() const { return files_; }
  int errors() const { return errors_; }
  // Since it was asked for last.
  milliseconds TakeLongestPause() { return milliseconds(longest_ms_.exchange(0)); }

 private:
  void Write(DfsClient& client, const std::string& path, const std::string& content) {
    const auto begin = steady_clock::now();
    auto writer = client.CreateFile(path);
    if (!writer->Write(content).ok() || !writer->Close().ok()) ++errors_;
    const auto pause = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
    longest_ms_ = std::max<int64_t>(longest_ms_, pause.count());
    ++files_;
  }

  std::atomic<int> files_{0};
  std::atomic<int> errors_{0};
  std::atomic<int64_t> longest_ms_{0};
  std::jthread thread_;
};

TEST_F(DfsAvailabilityTest, AnyDatanodeMayDieWhileFilesAreReadAndWritten) {
  StartCluster();
  const std::string content = RandomBytes(3 * kMiB, 1);
  std::vector<std::string> paths;
  for (int i = 0; i < 6; ++i) {
    paths.push_back("/read-" + std::to_string(i));
    ASSERT_OK(Store(paths.back(), content));
  }
  const auto reading_client = Connect();
  const auto writing_client = Connect();
  std::vector<milliseconds> pauses;
  {
    Readers readers(*reading_client, paths, content);
    Writer writer(*writing_client, content);
    for (int victim = 0; victim < cluster().datanode_count(); ++victim) {
      const int reads = readers.reads();
      const int files = writer.files();
      ASSERT_TRUE(Eventually([&] { return readers.reads() > reads && writer.files() > files; }));
      (void)writer.TakeLongestPause();

      cluster().KillDatanode(victim);
      // Until the master has given it up, which is when nobody asks for it any more.
      ASSERT_TRUE(Eventually([&]() -> Status {
        ASSIGN_OR_RETURN(const ClusterState state, client().GetClusterState());
        for (const NodeReport& node : state.nodes) {
          if (node.state == NodeState::kDead) return {};
        }
        return Unavailable("no node is dead");
      }));
      pauses.push_back(writer.TakeLongestPause());
      ASSERT_OK(cluster().StartDatanode(victim));
      ASSERT_TRUE(Eventually([&]() -> Status {
        ASSIGN_OR_RETURN(const ClusterState state, client().GetClusterState());
        for (const NodeReport& node : state.nodes) {
          if (node.state != NodeState::kLive) return Unavailable("a node is not back yet");
        }
        return state.under_replicated_blocks == 0 ? Status() : Unavailable("under-replicated");
      }));
    }
    EXPECT_EQ(readers.errors(), 0) << "of " << readers.reads();
    EXPECT_EQ(writer.errors(), 0) << "of " << writer.files();
  }
  for (const milliseconds pause : pauses) {
    std::cout << "longest pause of the writer with a datanode killed: " << pause.count() << " ms\n";
    EXPECT_LT(pause, kPauseMax);
  }
}

}  // namespace
}  // namespace slipstream::dfs
