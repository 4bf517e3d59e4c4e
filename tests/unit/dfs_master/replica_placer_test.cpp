#include "dfs-master/replica_placer.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "dfs-master/memory_store.h"

namespace slipstream::dfs::master {
namespace {

class ReplicaPlacerTest : public ::testing::Test {
 protected:
  NodeNumber AddNode(const std::string& id,
                     const std::string& host,
                     uint64_t free_bytes = 1'000'000,
                     const std::string& domain = "") {
    Transaction txn(store_);
    NodeRegistration registration{.node_id = id, .address = host + ":1", .failure_domain = domain};
    Node* node = nodes_.Register(txn, registration, ++session_, now_).value();
    EXPECT_TRUE(store_.Apply(txn.TakeBatch()).ok());
    NodeTable::Heartbeat(*node, {.free_bytes = free_bytes}, now_);
    return node->number;
  }
  std::vector<NodeNumber> Pick(uint32_t count, std::vector<NodeNumber> present = {}) {
    return placer_.Pick(nodes_, {.count = count, .bytes = 100, .present = std::move(present)});
  }

  MemoryStore store_;
  NodeTable nodes_{NodeTable::Options{}};
  ReplicaPlacer placer_{42};
  Now now_{.steady = SteadyTime(std::chrono::seconds(1)), .wall = {}};
  uint64_t session_ = 0;
};

TEST_F(ReplicaPlacerTest, NeverTwoOnOneHostWhileThereIsAChoice) {
  NodeNumber a1 = AddNode("a1", "host-a");
  NodeNumber a2 = AddNode("a2", "host-a");
  NodeNumber b = AddNode("b", "host-b");

  for (int round = 0; round < 200; ++round) {
    std::vector<NodeNumber> picked = Pick(2);
    ASSERT_EQ(picked.size(), 2U);
    ASSERT_TRUE(picked[0] == b || picked[1] == b);
  }
  EXPECT_EQ(Pick(3).size(), 3U);
  EXPECT_EQ(Pick(1, {a1}), std::vector<NodeNumber>{b});
  EXPECT_EQ(Pick(1, {a1, b}), std::vector<NodeNumber>{a2});
}

TEST_F(ReplicaPlacerTest, OtherFailureDomainIsPreferredToOtherHost) {
  NodeNumber a = AddNode("a", "host-a", 1'000'000, "rack-1");
  AddNode("b", "host-b", 1'000'000, "rack-1");
  NodeNumber c = AddNode("c", "host-c", 1'000'000, "rack-2");

  for (int round = 0; round < 50; ++round) {
    EXPECT_EQ(Pick(1, {a}), std::vector<NodeNumber>{c});
  }
}

TEST_F(ReplicaPlacerTest, FullNodesGetNothingAndEmptierOnesMore) {
  NodeNumber full = AddNode("full", "f", 50);
  NodeNumber small = AddNode("small", "s", 1'000'000);
  NodeNumber large = AddNode("large", "l", 4'000'000);
  std::map<NodeNumber, int> count;

  for (int round = 0; round < 1'000; ++round)
    ++count[Pick(1).at(0)];

  EXPECT_EQ(count[full], 0);
  EXPECT_GT(count[large], 3 * count[small]);
  EXPECT_GT(count[small], 100);
}

TEST_F(ReplicaPlacerTest, SilentNodesGetNothing) {
  AddNode("a", "a");
  now_.steady += std::chrono::seconds(11);
  NodeNumber b = AddNode("b", "b");

  EXPECT_TRUE(nodes_.Sweep(now_).empty());

  EXPECT_EQ(Pick(2), std::vector<NodeNumber>{b});
}

TEST_F(ReplicaPlacerTest, SameSeedSameChoices) {
  for (const char* id : {"a", "b", "c", "d"})
    AddNode(id, id);
  ReplicaPlacer other(42);

  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(Pick(2), other.Pick(nodes_, {.count = 2, .bytes = 100}));
  }
}

TEST_F(ReplicaPlacerTest, NodeDiesOnceAndHasToRegisterAnew) {
  NodeNumber a = AddNode("a", "a");
  EXPECT_TRUE(nodes_.Authenticate("a", session_).ok());
  now_.steady += std::chrono::seconds(30);

  EXPECT_EQ(nodes_.Sweep(now_), std::vector<NodeNumber>{a});
  EXPECT_TRUE(nodes_.Sweep(now_).empty());

  EXPECT_EQ(nodes_.Authenticate("a", session_).status().code(), Code::kNotFound);
  EXPECT_EQ(AddNode("a", "elsewhere"), a);
  EXPECT_TRUE(nodes_.Authenticate("a", session_).ok());
}

TEST_F(ReplicaPlacerTest, StrainedExcludedAndLeavingNodesAreNotTakenWhileThereAreOthers) {
  const NodeNumber busy = AddNode("busy", "host-a");
  const NodeNumber leaving = AddNode("leaving", "host-b");
  const NodeNumber c = AddNode("c", "host-c");
  const NodeNumber d = AddNode("d", "host-d");
  NodeTable::Heartbeat(*nodes_.Find(busy), {.free_bytes = 1'000'000, .active_writes = 1'000}, now_);
  Transaction txn(store_);
  NodeTable::SetService(txn, *nodes_.Find(leaving), NodeService::kDecommissioning, 0, now_);

  for (int round = 0; round < 50; ++round) {
    for (NodeNumber picked : Pick(2))
      EXPECT_TRUE(picked == c || picked == d);
    EXPECT_EQ(placer_.Pick(nodes_, {.count = 1, .bytes = 100, .excluded = {c}, .present = {}}),
              std::vector<NodeNumber>{d});
  }
  // Rather a busy one than too few, and rather fewer than fail.
  EXPECT_EQ(Pick(10).size(), 3U);
}

}  // namespace
}  // namespace slipstream::dfs::master
