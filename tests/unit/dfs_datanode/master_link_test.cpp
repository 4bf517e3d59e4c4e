#include "dfs-datanode/master_link.h"

#include <functional>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "proto/dfs_master.grpc.pb.h"

#include "common/rpc/server.h"
#include "common/sync/mutex.h"
#include "tests/unit/dfs_datanode/test_node.h"

namespace slipstream::datanode {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The master's registry as far as a datanode sees it, with its answers in the test's hand.
class FakeRegistry final : public dfs::v1::DfsNodeRegistry::Service {
 public:
  grpc::Status Register(grpc::ServerContext*,
                        const dfs::v1::RegisterRequest* request,
                        dfs::v1::RegisterResponse* response) override {
    MutexLock lock(mutex_);
    registrations_.push_back(*request);
    response->set_session(++session_);
    response->set_log_position(log_position_);
    changed_.NotifyAll();
    return grpc::Status::OK;
  }

  grpc::Status Heartbeat(grpc::ServerContext*,
                         const dfs::v1::HeartbeatRequest* request,
                         dfs::v1::HeartbeatResponse* response) override {
    MutexLock lock(mutex_);
    if (request->session() != session_) return {grpc::StatusCode::NOT_FOUND, "session"};
    ++heartbeats_;
    for (const dfs::v1::ReplicaChange& change : request->changes()) {
      changes_.push_back(change);
      response->set_acknowledged_sequence(change.sequence());
    }
    for (const dfs::v1::NodeCommand& command : commands_)
      *response->add_commands() = command;
    commands_.clear();
    response->set_log_position(log_position_);
    changed_.NotifyAll();
    return grpc::Status::OK;
  }

  grpc::Status ReportBlocks(grpc::ServerContext*,
                            grpc::ServerReader<dfs::v1::ReportBlocksRequest>* reader,
                            dfs::v1::ReportBlocksResponse* response) override {
    std::vector<block::BlockId> reported;
    dfs::v1::ReportBlocksRequest request;
    while (reader->Read(&request)) {
      for (const dfs::v1::Replica& replica : request.replicas()) {
        reported.push_back(replica.block().block_id());
      }
    }
    MutexLock lock(mutex_);
    reports_.push_back(reported);
    response->set_log_position(log_position_);
    changed_.NotifyAll();
    return grpc::Status::OK;
  }

  // What it was told, or what it answers; changed and looked at under its lock.
  struct State {
    std::vector<dfs::v1::RegisterRequest>& registrations;
    std::vector<std::vector<block::BlockId>>& reports;
    std::vector<dfs::v1::ReplicaChange>& changes;
    std::vector<dfs::v1::NodeCommand>& commands;
    int& heartbeats;
    uint64_t& session;
    uint64_t& log_position;
  };
  void With(const std::function<void(State)>& action) {
    MutexLock lock(mutex_);
    action(View());
  }
  // Until the condition holds; false after ten seconds.
  bool Await(const std::function<bool(State)>& condition) {
    MutexLock lock(mutex_);
    while (!condition(View())) {
      if (!changed_.WaitFor(mutex_, std::chrono::seconds(10))) return condition(View());
    }
    return true;
  }

 private:
  State View() REQUIRES(mutex_) {
    return {registrations_, reports_, changes_, commands_, heartbeats_, session_, log_position_};
  }

  Mutex mutex_;
  CondVar changed_;
  std::vector<dfs::v1::RegisterRequest> registrations_ GUARDED_BY(mutex_);
  std::vector<std::vector<block::BlockId>> reports_ GUARDED_BY(mutex_);
  std::vector<dfs::v1::ReplicaChange> changes_ GUARDED_BY(mutex_);
  std::vector<dfs::v1::NodeCommand> commands_ GUARDED_BY(mutex_);
  int heartbeats_ GUARDED_BY(mutex_) = 0;
  uint64_t session_ GUARDED_BY(mutex_) = 100;
  uint64_t log_position_ GUARDED_BY(mutex_) = 50;
};

class MasterLinkTest : public testing::Test {
 protected:
  MasterLinkTest() {
    server_ = rpc::Server::Start({.listen = "127.0.0.1:0"}, {&registry_}).value();
    data_dir_ = DataDir::Open("/data", node_.fs()).value();
    scrubber_ =
        std::make_unique<Scrubber>(Scrubber::Options{}, node_.store(), *data_dir_, node_.clock());
    copier_ = std::make_unique<ReplicaCopier>(node_.store(), node_.peers());
    MakeLink();
  }

  ~MasterLinkTest() override {
    link_->Stop();
    copier_->Stop();
    scrubber_->Stop();
  }

  void MakeLink() {
    link_ = std::make_unique<MasterLink>(
        MasterLink::Options{.master = server_->address(),
                            .version = "1",
                            .heartbeat_period = std::chrono::milliseconds(20),
                            .change_delay = std::chrono::milliseconds(1)},
        *data_dir_,
        node_.store(),
        *scrubber_,
        *copier_,
        node_.clock());
    node_.store().SetChangeListener([this] { link_->NotifyChange(); });
  }

  void Order(const std::function<void(dfs::v1::NodeCommand&)>& fill) {
    dfs::v1::NodeCommand command;
    fill(command);
    registry_.With([&](FakeRegistry::State state) { state.commands.push_back(command); });
  }
  void OrderDelete(block::BlockId id) {
    Order([&](dfs::v1::NodeCommand& c) { c.mutable_delete_()->set_block_id(id); });
  }
  // Two heartbeats from now, so that what the first answered was carried out.
  bool AwaitRound() {
    int seen = 0;
    registry_.With([&](FakeRegistry::State state) { seen = state.heartbeats; });
    return registry_.Await([&](FakeRegistry::State state) {
      return state.commands.empty() && state.heartbeats >= seen + 2;
    });
  }

  FakeRegistry registry_;
  std::unique_ptr<rpc::Server> server_;
  TestNode node_{"node"};
  std::unique_ptr<DataDir> data_dir_;
  std::unique_ptr<Scrubber> scrubber_;
  std::unique_ptr<ReplicaCopier> copier_;
  std::unique_ptr<MasterLink> link_;
};

TEST_F(MasterLinkTest, RegistersThenReportsAllThenTellsChanges) {
  ASSERT_TRUE(Write(node_.store(), {SmallBlock(1), LargeBlock(2)}).ok());
  EXPECT_FALSE(link_->has_master());
  link_->Start("127.0.0.1:1", "127.0.0.1:2");
  ASSERT_TRUE(AwaitRound());
  EXPECT_TRUE(link_->has_master());
  registry_.With([&](FakeRegistry::State state) {
    EXPECT_EQ(state.registrations.at(0).node().node_id(), data_dir_->node_id());
    EXPECT_EQ(state.registrations.at(0).node().address(), "127.0.0.1:1");
    EXPECT_THAT(state.reports.at(0), ElementsAre(1, 2));
    EXPECT_THAT(state.changes, IsEmpty());
  });

  ASSERT_TRUE(Write(node_.store(), {SmallBlock(3)}).ok());
  ASSERT_TRUE(registry_.Await([](FakeRegistry::State state) { return !state.changes.empty(); }));
  registry_.With([](FakeRegistry::State state) {
    EXPECT_EQ(state.changes.at(0).added().block().block_id(), 3u);
  });
  ASSERT_TRUE(AwaitRound());
  EXPECT_FALSE(node_.store().HasPendingChanges());
}

TEST_F(MasterLinkTest, RegistersAgainWithAMasterThatDoesNotKnowIt) {
  link_->Start("127.0.0.1:1", "");
  ASSERT_TRUE(AwaitRound());
  registry_.With([](FakeRegistry::State state) { state.session += 1000; });

  EXPECT_TRUE(registry_.Await([](FakeRegistry::State state) {
    return state.registrations.size() == 2 && state.reports.size() == 2;
  }));
}

TEST_F(MasterLinkTest, ObeysDeletesByParking) {
  ASSERT_TRUE(Write(node_.store(), {SmallBlock(1), LargeBlock(2)}).ok());
  link_->Start("127.0.0.1:1", "");
  OrderDelete(2);
  OrderDelete(2);
  OrderDelete(77);
  ASSERT_TRUE(AwaitRound());

  EXPECT_THAT(Ids(node_.store()), ElementsAre(1));
  EXPECT_EQ(node_.store().GetUsage()->parked_count, 1u);
  ASSERT_TRUE(AwaitRound());
  // The master counts the third still, or it would not ask for it to go.
  registry_.With([](FakeRegistry::State state) {
    ASSERT_EQ(state.changes.size(), 3u);
    EXPECT_EQ(state.changes.at(0).removed_block_id(), 2u);
    EXPECT_EQ(state.changes.at(2).removed_block_id(), 77u);
  });
}

TEST_F(MasterLinkTest, RefusesDeletesFromAMasterThatIsBehindAlsoAfterARestart) {
  ASSERT_TRUE(Write(node_.store(), {SmallBlock(1)}).ok());
  link_->Start("127.0.0.1:1", "");
  ASSERT_TRUE(AwaitRound());
  registry_.With([](FakeRegistry::State state) { state.log_position = 49; });
  OrderDelete(1);
  ASSERT_TRUE(AwaitRound());
  EXPECT_THAT(Ids(node_.store()), ElementsAre(1));

  link_->Stop();
  MakeLink();
  EXPECT_EQ(link_->log_position(), 50u);
  link_->Start("127.0.0.1:1", "");
  OrderDelete(1);
  ASSERT_TRUE(AwaitRound());
  EXPECT_THAT(Ids(node_.store()), ElementsAre(1));

  registry_.With([](FakeRegistry::State state) { state.log_position = 50; });
  OrderDelete(1);
  ASSERT_TRUE(AwaitRound());
  EXPECT_THAT(Ids(node_.store()), IsEmpty());
}

TEST_F(MasterLinkTest, VerifiesOnOrderAndReportsWhatIsBad) {
  ASSERT_TRUE(Write(node_.store(), {LargeBlock(1), LargeBlock(2)}).ok());
  const std::string path = "/data/blocks/00/0000000000000001.zst";
  std::string bad = node_.fs().Content(path);
  bad[bad.size() / 2] ^= 1;
  node_.fs().SetContent(path, bad);
  link_->Start("127.0.0.1:1", "");
  for (block::BlockId id : {1, 2}) {
    Order([&](dfs::v1::NodeCommand& c) { c.mutable_verify()->set_block_id(id); });
  }
  ASSERT_TRUE(AwaitRound());
  scrubber_->Step();
  scrubber_->Step();

  ASSERT_TRUE(registry_.Await([](FakeRegistry::State state) { return !state.changes.empty(); }));
  registry_.With([](FakeRegistry::State state) {
    ASSERT_EQ(state.changes.size(), 1u);
    EXPECT_EQ(state.changes.at(0).corrupt_block_id(), 1u);
  });
  EXPECT_THAT(Ids(node_.store()), ElementsAre(2));
}

TEST_F(MasterLinkTest, CopiesToAnotherNodeOnOrder) {
  const std::vector<TestBlock> blocks = {SmallBlock(1), MakeBlock(2, 2'500'000)};
  ASSERT_TRUE(Write(node_.store(), blocks).ok());
  TestNode target("target");
  target.SetHasMaster(false);
  copier_->Start();
  link_->Start("127.0.0.1:1", "");
  for (const TestBlock& block : blocks) {
    Order([&](dfs::v1::NodeCommand& c) {
      *c.mutable_copy()->mutable_block() = ToProto(block.meta.identity);
      c.mutable_copy()->mutable_target()->set_node_id(target.id());
      c.mutable_copy()->mutable_target()->set_address(target.peer().address);
    });
  }
  ASSERT_TRUE(AwaitRound());

  // The order is carried out in the background.
  while (Ids(target.store()).size() < 2)
    ASSERT_TRUE(AwaitRound());
  for (const TestBlock& block : blocks) {
    EXPECT_EQ(*ReadAll(target.store(), block.id()), block.stored);
  }
}

TEST_F(MasterLinkTest, NoCopyIsMadeOfABadReplica) {
  const TestBlock block = LargeBlock(1);
  ASSERT_TRUE(Write(node_.store(), {block}).ok());
  TestNode target("target");
  block::Identity other = block.meta.identity;
  ++other.crc32c;
  EXPECT_EQ(copier_->Copy(other, target.peer()).code(), Code::kDataLoss);
  EXPECT_EQ(copier_->Copy(LargeBlock(9).meta.identity, target.peer()).code(), Code::kNotFound);
  EXPECT_THAT(Ids(node_.store()), ElementsAre(1));

  const std::string path = "/data/blocks/00/0000000000000001.zst";
  std::string bad = node_.fs().Content(path);
  bad[bad.size() / 2] ^= 1;
  node_.fs().SetContent(path, bad);
  EXPECT_EQ(copier_->Copy(block.meta.identity, target.peer()).code(), Code::kDataLoss);
  EXPECT_THAT(Ids(node_.store()), IsEmpty());
  EXPECT_THAT(Ids(target.store()), IsEmpty());
}

TEST_F(MasterLinkTest, SendsAFullReportOnOrder) {
  link_->Start("127.0.0.1:1", "");
  ASSERT_TRUE(AwaitRound());
  Order([](dfs::v1::NodeCommand& c) { c.mutable_send_full_report(); });

  EXPECT_TRUE(registry_.Await([](FakeRegistry::State state) { return state.reports.size() == 2; }));
}

TEST_F(MasterLinkTest, CountsTheMasterAsLostAfterItsTime) {
  link_->Start("127.0.0.1:1", "");
  ASSERT_TRUE(AwaitRound());
  server_->Shutdown(std::chrono::milliseconds(0));
  node_.clock().Advance(std::chrono::milliseconds(15'000));
  EXPECT_TRUE(link_->has_master());
  node_.clock().Advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(link_->has_master());
}

}  // namespace
}  // namespace slipstream::datanode
