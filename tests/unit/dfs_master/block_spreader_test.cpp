// Replicas that lie too near to one another, and a failure domain that comes later.

#include "dfs-master/block_spreader.h"

#include <map>
#include <set>

#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

using std::chrono::seconds;

class BlockSpreaderTest : public MasterHarness {
 protected:
  static constexpr int kFiles = 30;

  void AddNodeIn(const std::string& node_id, const std::string& domain) {
    const auto registered = master_->Register(
        {.node_id = node_id, .address = node_id + ":7410", .failure_domain = domain});
    ASSERT_TRUE(registered.ok());
    sessions_[node_id] = registered->session;
    Beat(node_id);
    ASSERT_TRUE(master_->ReportBlocks(node_id, registered->session, 0, {}).ok());
    nodes_.push_back(node_id);
  }
  void PutFiles() {
    for (int i = 0; i < kFiles; ++i) {
      const Block block = PutFile("/f" + std::to_string(i));
      for (const char* node_id : {"a", "b"})
        Take(node_id, block);
    }
  }
  void Take(const std::string& node_id, const Block& block) {
    held_[node_id].insert(block.id);
    Beat(node_id, {Added(++sequence_, block)});
  }
  // Time passes, and nodes do what they are told.
  void Work(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      Pass(seconds(1), nodes_);
      for (const std::string& node_id : nodes_) {
        for (const auto& [command, target] : std::exchange(commands_[node_id], {})) {
          if (command.kind == NodeCommand::Kind::kCopy) {
            ++copies_;
            Take(target.node_id, command.block);
          } else if (command.kind == NodeCommand::Kind::kDelete) {
            held_[node_id].erase(command.block.id);
            Beat(node_id,
                 {{.sequence = ++sequence_,
                   .kind = ReplicaChange::Kind::kRemoved,
                   .block = command.block}});
          }
        }
      }
    }
  }

  std::vector<std::string> nodes_;
  std::map<std::string, std::set<BlockId>> held_;
  uint64_t sequence_ = 0;
  int copies_ = 0;
};

TEST_F(BlockSpreaderTest, BlocksMoveToADomainThatComesLater) {
  AddNodeIn("a", "one");
  AddNodeIn("b", "one");
  PutFiles();
  Work(40);
  EXPECT_EQ(copies_, 0);

  AddNodeIn("c", "two");
  Work(200);

  // Each block has two replicas, one of them in the other domain; and it was copied once for that.
  EXPECT_EQ(held_["c"].size(), size_t{kFiles});
  EXPECT_EQ(held_["a"].size() + held_["b"].size(), size_t{kFiles});
  EXPECT_EQ(copies_, kFiles);
  EXPECT_EQ(master_->GetClusterState()->blocks.under_replicated, 0U);
}

TEST_F(BlockSpreaderTest, AnotherNodeOfTheSameDomainsChangesNothing) {
  AddNodeIn("a", "one");
  AddNodeIn("b", "two");
  PutFiles();

  AddNodeIn("c", "one");
  AddNodeIn("d", "three");
  Work(60);

  EXPECT_EQ(copies_, 0);
}

// A domain that goes takes nothing with it that is not copied to where it still is apart.
TEST_F(BlockSpreaderTest, ADomainMaySleepAndComeBack) {
  AddNodeIn("a", "one");
  AddNodeIn("b", "one");
  PutFiles();
  AddNodeIn("c", "two");
  Work(200);
  const int copies = copies_;

  nodes_ = {"a", "b"};
  Work(60);  // c dies: what it had is copied
  EXPECT_EQ(copies_, copies + kFiles);
  EXPECT_EQ(held_["a"].size() + held_["b"].size(), size_t{2 * kFiles});
}

}  // namespace
}  // namespace slipstream::dfs::master
