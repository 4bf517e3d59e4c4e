#include "dfs-datanode/master_session.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dfs_datanode/test_node.h"

namespace slipstream::datanode {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

class MasterSessionTest : public testing::Test {
 protected:
  MasterSession& session() { return node_.node().session(); }
  FakeMaster& master() { return node_.master(); }

  // Another life of the same node's session.
  std::unique_ptr<MasterSession> NewSession() {
    Node& node = node_.node();
    return std::make_unique<MasterSession>(MasterSession::Options{.master = "master"},
                                           node_.transport(),
                                           node.store().disks(),
                                           node.store(),
                                           node.scrubber(),
                                           node.copier(),
                                           node.merger(),
                                           node.tokens(),
                                           node_.clock());
  }

  void Order(const std::function<void(dfs::v1::NodeCommand&)>& fill) {
    fill(master().commands.emplace_back());
  }
  void OrderDelete(block::BlockId id) {
    Order([&](dfs::v1::NodeCommand& c) { c.mutable_delete_()->set_block_id(id); });
  }
  void Damage(block::BlockId id) {
    const std::string path = "/data/blocks/00/" + block::BlockFileName(id) + ".zst";
    std::string bad = node_.fs().Content(path);
    bad[bad.size() / 2] ^= 1;
    node_.fs().SetContent(path, bad);
  }

  TestNode node_;
};

TEST_F(MasterSessionTest, RegistersThenReportsAllThenTellsChanges) {
  ASSERT_TRUE(Write(node_.store(), {SmallBlock(1), LargeBlock(2)}).ok());
  EXPECT_FALSE(session().has_master());
  EXPECT_EQ(session().Step(), milliseconds(1'000));
  EXPECT_TRUE(session().has_master());
  const dfs::v1::RegisterRequest& registration = master().registrations.at(0);
  EXPECT_EQ(registration.node().node_id(), node_.id());
  EXPECT_EQ(registration.node().address(), node_.address().address);
  EXPECT_EQ(registration.rack(), "/rack1");
  EXPECT_THAT(master().reports.at(0), ElementsAre(1, 2));
  EXPECT_THAT(master().changes, IsEmpty());

  ASSERT_TRUE(Write(node_.store(), {SmallBlock(3)}).ok());
  session().Step();
  EXPECT_EQ(master().changes.at(0).added().block().block_id(), 3u);
  EXPECT_FALSE(node_.store().HasPendingChanges());
}

TEST_F(MasterSessionTest, RegistersAgainWithAMasterThatDoesNotKnowIt) {
  session().Step();
  master().session += 1000;
  node_.clock().Advance(session().Step());
  session().Step();

  EXPECT_EQ(master().registrations.size(), 2u);
  EXPECT_EQ(master().reports.size(), 2u);
}

TEST_F(MasterSessionTest, WaitsLongerAndLongerForAMasterThatIsAway) {
  master().fault = Unavailable("away");
  const milliseconds first = session().Step();
  EXPECT_LE(first, milliseconds(50));
  // Changes do not make it ask before that.
  EXPECT_EQ(session().Step(), first);
  for (int i = 0; i < 10; ++i)
    node_.clock().Advance(session().Step());
  EXPECT_GE(session().Step(), milliseconds(500));

  master().fault = Status();
  node_.clock().Advance(milliseconds(1'000));
  EXPECT_EQ(session().Step(), milliseconds(1'000));
}

TEST_F(MasterSessionTest, ObeysDeletesByParking) {
  ASSERT_TRUE(Write(node_.store(), {SmallBlock(1), LargeBlock(2)}).ok());
  OrderDelete(2);
  OrderDelete(2);
  OrderDelete(77);
  session().Step();

  EXPECT_THAT(Ids(node_.store()), ElementsAre(1));
  EXPECT_EQ(node_.store().GetUsage()->parked_count, 1u);
  session().Step();
  // The master counts the third still, or it would not ask for it to go.
  ASSERT_EQ(master().changes.size(), 3u);
  EXPECT_EQ(master().changes.at(0).removed_block_id(), 2u);
  EXPECT_EQ(master().changes.at(2).removed_block_id(), 77u);
}

TEST_F(MasterSessionTest, RefusesDeletesFromAMasterThatIsBehindAlsoAfterARestart) {
  ASSERT_TRUE(Write(node_.store(), {SmallBlock(1)}).ok());
  session().Step();
  master().log_position = 49;
  OrderDelete(1);
  session().Step();
  EXPECT_THAT(Ids(node_.store()), ElementsAre(1));

  node_.node().SaveState();
  std::unique_ptr<MasterSession> restarted = NewSession();
  EXPECT_EQ(restarted->log_position(), 50u);
  OrderDelete(1);
  restarted->Step();
  EXPECT_EQ(master().registrations.back().newest_log_position(), 50u);
  EXPECT_THAT(Ids(node_.store()), ElementsAre(1));

  master().log_position = 50;
  OrderDelete(1);
  restarted->Step();
  EXPECT_THAT(Ids(node_.store()), IsEmpty());
}

TEST_F(MasterSessionTest, VerifiesOnOrderAndReportsWhatIsBad) {
  ASSERT_TRUE(Write(node_.store(), {LargeBlock(1), LargeBlock(2)}).ok());
  Damage(1);
  for (block::BlockId id : {1U, 2U}) {
    Order([&](dfs::v1::NodeCommand& c) { c.mutable_verify()->set_block_id(id); });
  }
  session().Step();
  node_.node().scrubber().Step();
  node_.node().scrubber().Step();
  session().Step();

  ASSERT_EQ(master().changes.size(), 1u);
  EXPECT_EQ(master().changes.at(0).corrupt_block_id(), 1u);
  EXPECT_THAT(Ids(node_.store()), ElementsAre(2));
}

TEST_F(MasterSessionTest, CopiesToAnotherNodeOnOrder) {
  const std::vector<TestBlock> blocks = {SmallBlock(1), MakeBlock(2, 2'500'000)};
  ASSERT_TRUE(Write(node_.store(), blocks).ok());
  TestNode target;  // without a master
  for (const TestBlock& block : blocks) {
    Order([&](dfs::v1::NodeCommand& c) {
      *c.mutable_copy()->mutable_block() = ToProto(block.meta.identity);
      c.mutable_copy()->mutable_target()->set_node_id(target.id());
      c.mutable_copy()->mutable_target()->set_address(target.address().address);
    });
  }
  session().Step();
  EXPECT_EQ(node_.node().copier().Step(), milliseconds(0));
  EXPECT_GT(node_.node().copier().Step(), milliseconds(0));

  for (const TestBlock& block : blocks) {
    EXPECT_EQ(*ReadAll(target.store(), block.id()), block.stored);
  }
}

TEST_F(MasterSessionTest, AnOrderThatWaitedForTooLongIsDropped) {
  const TestBlock block = LargeBlock(1);
  ASSERT_TRUE(Write(node_.store(), {block}).ok());
  TestNode target;
  ReplicaCopier& copier = node_.node().copier();
  copier.Enqueue(block.meta.identity, target.address());
  node_.clock().Advance(ReplicaCopier::kOrderLife + milliseconds(1));
  copier.Step();
  EXPECT_THAT(Ids(target.store()), IsEmpty());

  copier.Enqueue(block.meta.identity, target.address());  // what was dropped may be ordered again
  node_.clock().Advance(ReplicaCopier::kOrderLife);
  copier.Step();
  EXPECT_THAT(Ids(target.store()), ElementsAre(1));
}

TEST_F(MasterSessionTest, NoCopyIsMadeOfABadReplica) {
  const TestBlock block = LargeBlock(1);
  ASSERT_TRUE(Write(node_.store(), {block}).ok());
  TestNode target;
  ReplicaCopier& copier = node_.node().copier();
  block::Identity other = block.meta.identity;
  ++other.crc32c;
  EXPECT_EQ(copier.Copy(other, target.address()).code(), Code::kDataLoss);
  EXPECT_EQ(copier.Copy(LargeBlock(9).meta.identity, target.address()).code(), Code::kNotFound);
  EXPECT_THAT(Ids(node_.store()), ElementsAre(1));

  Damage(1);
  EXPECT_EQ(copier.Copy(block.meta.identity, target.address()).code(), Code::kDataLoss);
  EXPECT_THAT(Ids(node_.store()), IsEmpty());
  EXPECT_THAT(Ids(target.store()), IsEmpty());
}

TEST_F(MasterSessionTest, SendsAFullReportOnOrder) {
  session().Step();
  Order([](dfs::v1::NodeCommand& c) { c.mutable_send_full_report(); });
  EXPECT_EQ(session().Step(), MasterSession::Options().change_delay);
  session().Step();

  EXPECT_EQ(master().reports.size(), 2u);
}

TEST_F(MasterSessionTest, SendsAFullReportNowAndThen) {
  session().Step();
  node_.clock().Advance(std::chrono::hours(3) - milliseconds(1));
  session().Step();
  EXPECT_EQ(master().reports.size(), 1u);
  node_.clock().Advance(std::chrono::hours(3) + milliseconds(1));
  session().Step();
  session().Step();
  EXPECT_EQ(master().reports.size(), 2u);
}

TEST_F(MasterSessionTest, CountsTheMasterAsLostAfterItsTime) {
  session().Step();
  master().fault = Unavailable("away");
  node_.clock().Advance(milliseconds(15'000));
  session().Step();
  EXPECT_TRUE(session().has_master());
  node_.clock().Advance(milliseconds(1));
  EXPECT_FALSE(session().has_master());
}

}  // namespace
}  // namespace slipstream::datanode
