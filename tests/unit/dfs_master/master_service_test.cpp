// The generated client against a real server on a free port, over a master in memory.

#include "dfs-master/master_service.h"

#include <grpcpp/grpcpp.h>

#include "proto/dfs_master.grpc.pb.h"

#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "common/rpc/status_map.h"
#include "common/rpc/transport.h"
#include "dfs-master/master_handlers.h"
#include "dfs-master/metrics.h"
#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class MasterServiceTest : public MasterHarness {
 protected:
  MasterServiceTest()
      : service_(*master_,
                 metrics_,
                 clock_,
                 {.version = "test", .callers = {.superusers = {"ada"}, .supergroup = {}}}) {
    server_ = rpc::Server::Start({.listen = "127.0.0.1:0"}, service_.services()).value();
    auto channel = rpc::MakeChannel(server_->address());
    clients_ = v1::DfsMaster::NewStub(channel);
    registry_ = v1::DfsNodeRegistry::NewStub(channel);
  }

  template <class Stub, class Request, class Response>
  Status Call(Stub& stub,
              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request,
              Response& response) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(10));
    context.AddMetadata(rpc::kUserMetadata, user_);
    return rpc::FromGrpc((stub.*method)(&context, request, &response));
  }

  uint64_t RegisterNode(const std::string& id) {
    v1::RegisterRequest request;
    request.mutable_node()->set_node_id(id);
    request.mutable_node()->set_address(id + ":7410");
    v1::RegisterResponse response;
    EXPECT_TRUE(Call(*registry_, &v1::DfsNodeRegistry::Stub::Register, request, response).ok());
    v1::HeartbeatRequest beat;
    beat.set_node_id(id);
    beat.set_session(response.session());
    beat.set_free_bytes(1ULL << 40);
    v1::HeartbeatResponse answer;
    EXPECT_TRUE(Call(*registry_, &v1::DfsNodeRegistry::Stub::Heartbeat, beat, answer).ok());
    return response.session();
  }

  std::string user_ = "ada";
  Metrics metrics_;
  MasterService service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::DfsMaster::Stub> clients_;
  std::unique_ptr<v1::DfsNodeRegistry::Stub> registry_;
};

TEST_F(MasterServiceTest, AFileIsWrittenListedAndLocated) {
  for (const char* id : {"a", "b"})
    RegisterNode(id);
  v1::AcquireAppenderRequest acquire;
  acquire.set_owner("put-1");
  v1::AcquireAppenderResponse acquired;
  ASSERT_TRUE(Call(*clients_, &v1::DfsMaster::Stub::AcquireAppender, acquire, acquired).ok());
  v1::AllocateBlocksRequest allocate;
  allocate.set_writer("put-1");
  allocate.set_count(1);
  v1::AllocateBlocksResponse allocated;
  ASSERT_TRUE(Call(*clients_, &v1::DfsMaster::Stub::AllocateBlocks, allocate, allocated).ok());
  ASSERT_EQ(allocated.nodes_size(), 2);

  v1::PrepareRequest prepare;
  prepare.set_commit(true);
  v1::AppenderEpoch& epoch = *prepare.add_appenders();
  epoch.set_owner("put-1");
  epoch.set_epoch(1);
  epoch.set_incarnation(acquired.incarnation());
  v1::FileAppend& file = *epoch.add_files();
  file.set_new_path("/d/f");
  file.set_close(true);
  v1::PreparedBlock& block = *file.add_blocks();
  block.mutable_block()->set_block_id(allocated.first_block_id());
  block.mutable_block()->set_raw_bytes(1'000);
  block.mutable_block()->set_stored_bytes(400);
  for (const auto& node : allocated.nodes())
    block.add_holder_node_ids(node.node_id());
  v1::PrepareResponse prepared;
  ASSERT_TRUE(Call(*clients_, &v1::DfsMaster::Stub::Prepare, prepare, prepared).ok());

  v1::ListRequest list;
  list.set_path("/d");
  v1::ListResponse listed;
  ASSERT_TRUE(Call(*clients_, &v1::DfsMaster::Stub::List, list, listed).ok());
  ASSERT_EQ(listed.entries_size(), 1);
  EXPECT_EQ(listed.entries(0).length_bytes(), 1'000U);
  EXPECT_EQ(listed.entries(0).inode_id(), prepared.appenders(0).inode_ids(0));
  v1::LocateBlocksRequest locate;
  locate.set_inode_id(listed.entries(0).inode_id());
  v1::LocateBlocksResponse located;
  ASSERT_TRUE(Call(*clients_, &v1::DfsMaster::Stub::LocateBlocks, locate, located).ok());
  ASSERT_EQ(located.blocks_size(), 1);
  EXPECT_EQ(located.blocks(0).nodes_size(), 2);
}

TEST_F(MasterServiceTest, ACallIsItsUsers) {
  v1::MakeDirectoryRequest make;
  make.set_path("/of-ada");
  make.set_mode(0700);
  make.set_owner("ada");
  v1::MakeDirectoryResponse made;
  ASSERT_TRUE(Call(*clients_, &v1::DfsMaster::Stub::MakeDirectory, make, made).ok());
  v1::ListRequest list;
  list.set_path("/of-ada");
  v1::ListResponse listed;
  EXPECT_TRUE(Call(*clients_, &v1::DfsMaster::Stub::List, list, listed).ok());
  for (const char* user : {"eve", "", "\xff\n"}) {
    user_ = user;
    EXPECT_EQ(Call(*clients_, &v1::DfsMaster::Stub::List, list, listed).code(),
              Code::kPermissionDenied);
  }
}

// As HDFS's superuser's: each call of DfsAdmin but those that only look.
TEST_F(MasterServiceTest, WhatChangesTheClusterIsForSuperusers) {
  const auto caller = std::make_shared<const Caller>(Caller{.user = "eve"});
  MasterHandlers of_eve(*master_, "test", caller);
  const auto ask = [&]<class Request, class Response>(const Request& request, Response response) {
    return of_eve.Answer(request, response).code();
  };
  EXPECT_EQ(ask(v1::SetSafeModeRequest(), v1::SetSafeModeResponse()), Code::kPermissionDenied);
  EXPECT_EQ(ask(v1::SetNodeServiceRequest(), v1::SetNodeServiceResponse()),
            Code::kPermissionDenied);
  EXPECT_EQ(ask(v1::BackupRequest(), v1::BackupResponse()), Code::kPermissionDenied);
  v1::BalanceRequest balance;
  balance.set_action(v1::BalanceRequest::ACTION_START);
  EXPECT_EQ(ask(balance, v1::BalanceResponse()), Code::kPermissionDenied);
  v1::RestoreRequest restore;
  restore.set_word(v1::RestoreRequest::WORD_FORGET_UNKNOWN);
  EXPECT_EQ(ask(restore, v1::RestoreResponse()), Code::kPermissionDenied);
  EXPECT_EQ(ask(v1::RestoreRequest(), v1::RestoreResponse()), Code::kOk);
}

TEST_F(MasterServiceTest, ErrorsKeepTheirCodes) {
  v1::StatRequest stat;
  v1::StatResponse status;
  stat.set_path("/nothing");
  EXPECT_EQ(Call(*clients_, &v1::DfsMaster::Stub::Stat, stat, status).code(), Code::kNotFound);
  stat.set_path("relative");
  EXPECT_EQ(Call(*clients_, &v1::DfsMaster::Stub::Stat, stat, status).code(),
            Code::kInvalidArgument);
  v1::AllocateBlocksRequest allocate;
  allocate.set_writer("w");
  allocate.set_count(1);
  v1::AllocateBlocksResponse allocated;
  EXPECT_EQ(Call(*clients_, &v1::DfsMaster::Stub::AllocateBlocks, allocate, allocated).code(),
            Code::kUnavailable);
}

TEST_F(MasterServiceTest, ReportsComeInChunksAndUnknownSessionsAreTurnedAway) {
  uint64_t session = RegisterNode("a");
  auto report = [&](uint64_t as_session) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(10));
    v1::ReportBlocksResponse response;
    auto writer = registry_->ReportBlocks(&context, &response);
    for (uint64_t id = 1; id <= 3; ++id) {
      v1::ReportBlocksRequest chunk;
      chunk.set_node_id("a");
      chunk.set_session(as_session);
      chunk.add_replicas()->mutable_block()->set_block_id(id);
      writer->Write(chunk);
    }
    writer->WritesDone();
    return rpc::FromGrpc(writer->Finish()).code();
  };

  EXPECT_EQ(report(session), Code::kOk);
  EXPECT_EQ(report(session + 1), Code::kNotFound);
}

TEST_F(MasterServiceTest, ClusterStateNamesTheNodes) {
  RegisterNode("a");
  v1::GetClusterStateResponse state;

  ASSERT_TRUE(
      Call(*clients_, &v1::DfsMaster::Stub::GetClusterState, v1::GetClusterStateRequest(), state)
          .ok());

  ASSERT_EQ(state.nodes_size(), 1);
  EXPECT_EQ(state.nodes(0).node().node_id(), "a");
  EXPECT_EQ(state.nodes(0).state(), v1::NODE_STATE_LIVE);
  EXPECT_EQ(state.version(), "test");
}

}  // namespace
}  // namespace slipstream::dfs::master
