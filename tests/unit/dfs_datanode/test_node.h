#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <prometheus/registry.h>

#include "proto/dfs_datanode.grpc.pb.h"

#include "common/clock/manual_clock.h"
#include "common/fs/memory_file_system.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_transport.h"
#include "common/rpc/server.h"
#include "common/rpc/status_map.h"
#include "dfs-datanode/datanode_service.h"
#include "dfs-datanode/node.h"
#include "dfs-datanode/proto_map.h"
#include "tests/unit/dfs_datanode/fake_master.h"
#include "tests/unit/dfs_datanode/replica_fixture.h"

namespace slipstream::datanode {

// Leads to the test's master by its name, to all others over gRPC.
class TestTransport final : public rpc::Transport {
 public:
  FakeMaster& master() { return *master_; }

  std::shared_ptr<rpc::Peer> Connect(const std::string& address) override {
    if (address == "master") return master_;
    return grpc_->Connect(address);
  }

 private:
  const std::shared_ptr<FakeMaster> master_ = std::make_shared<FakeMaster>();
  const std::shared_ptr<rpc::Transport> grpc_ = rpc::MakeGrpcTransport();
};

// A datanode over a disk in memory, with its service on a loopback port. Nothing steps it but the
// test.
class TestNode {
 public:
  struct Options {
    bool wants_tokens = false;
  };

  TestNode() : TestNode(Options()) {}
  explicit TestNode(const Options& options) {
    node_ = Node::Open({.disks = {{.path = "/data", .fs = &fs_}},
                        .packed_stored_bytes_max = 4'096,
                        .pack_bytes_max = 8'192,
                        .session = {.master = "master", .rack = "/rack1", .version = "1"},
                        .wants_tokens = options.wants_tokens},
                       transport_,
                       clock_,
                       metrics_)
                .value();
    service_ = std::make_unique<DatanodeService>(node_->server(), metrics_.calls, clock_);
    server_ = rpc::Server::Start({.listen = "127.0.0.1:0"}, {&service_->service()}).value();
    channel_ = rpc::MakeChannel(server_->address());
    node_->session().SetAddresses(server_->address(), "127.0.0.1:2");
  }

  const std::string& id() const { return node_->node_id(); }
  NodeAddress address() const { return {.node_id = id(), .address = server_->address()}; }
  std::unique_ptr<dfs::v1::DfsDatanode::Stub> NewStub() {
    return dfs::v1::DfsDatanode::NewStub(channel_);
  }
  MemoryFileSystem& fs() { return fs_; }
  ManualClock& clock() { return clock_; }
  rpc::Transport& transport() { return transport_; }
  Node& node() { return *node_; }
  ReplicaStore& store() { return node_->store(); }
  FakeMaster& master() { return transport_.master(); }
  void Shutdown() { server_->Shutdown(std::chrono::milliseconds(0)); }

 private:
  MemoryFileSystem fs_;
  ManualClock clock_;
  prometheus::Registry registry_;
  Metrics metrics_{registry_};
  TestTransport transport_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<DatanodeService> service_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

// ---- A client's side ----

constexpr std::chrono::milliseconds kTestTimeout{10'000};

using WriteMessages = std::vector<dfs::v1::WriteBlocksRequest>;

inline dfs::v1::WriteBlocksRequest HeaderMessage(const std::vector<NodeAddress>& next = {},
                                                 bool is_repair = false) {
  dfs::v1::WriteBlocksRequest request;
  request.mutable_header()->set_is_repair(is_repair);
  for (const NodeAddress& peer : next) {
    dfs::v1::NodeAddress* node = request.mutable_header()->add_next();
    node->set_node_id(peer.node_id);
    node->set_address(peer.address);
  }
  return request;
}

inline dfs::v1::WriteBlocksRequest BlockMessage(const TestBlock& block) {
  dfs::v1::WriteBlocksRequest request;
  *request.mutable_block() = ToProto(block.meta);
  return request;
}

inline dfs::v1::WriteBlocksRequest DataMessage(std::string data) {
  dfs::v1::WriteBlocksRequest request;
  request.set_data(std::move(data));
  return request;
}

inline WriteMessages MessagesOf(const std::vector<TestBlock>& blocks,
                                const std::vector<NodeAddress>& next = {}) {
  WriteMessages messages = {HeaderMessage(next)};
  for (const TestBlock& block : blocks) {
    messages.push_back(BlockMessage(block));
    for (size_t at = 0; at < block.stored.size(); at += 3'000) {
      messages.push_back(DataMessage(block.stored.substr(at, 3'000)));
    }
  }
  return messages;
}

// The holders' ids.
inline Result<std::vector<std::string>> Send(TestNode& node,
                                             const WriteMessages& messages,
                                             std::chrono::milliseconds timeout = kTestTimeout) {
  grpc::ClientContext context;
  rpc::SetTimeout(context, timeout);
  dfs::v1::WriteBlocksResponse response;
  auto writer = node.NewStub()->WriteBlocks(&context, &response);
  for (const dfs::v1::WriteBlocksRequest& message : messages) {
    if (!writer->Write(message)) break;
  }
  writer->WritesDone();
  RETURN_IF_ERROR(rpc::FromGrpc(writer->Finish()));
  return std::vector<std::string>(response.holder_node_ids().begin(),
                                  response.holder_node_ids().end());
}

struct ReadFrames {
  uint64_t raw_offset = 0;  // where the first begins
  std::string raw;
};

inline Result<ReadFrames> Fetch(TestNode& node,
                                const block::Identity& identity,
                                uint64_t offset = 0,
                                uint64_t length = 0,
                                const std::string& token = {}) {
  grpc::ClientContext context;
  rpc::SetTimeout(context, kTestTimeout);
  dfs::v1::ReadBlockRequest request;
  *request.mutable_block() = ToProto(identity);
  request.set_offset_bytes(offset);
  request.set_length_bytes(length);
  request.set_token(token);
  auto reader = node.NewStub()->ReadBlock(&context, request);
  ReadFrames frames;
  dfs::v1::ReadBlockResponse response;
  while (reader->Read(&response)) {
    if (frames.raw.empty()) frames.raw_offset = response.raw_offset_bytes();
    RETURN_IF_ERROR(block::DecodeFrame({.raw_bytes = response.frame().raw_bytes(),
                                        .stored_bytes = response.frame().stored_bytes(),
                                        .crc32c = response.frame().crc32c()},
                                       response.data(),
                                       frames.raw));
  }
  RETURN_IF_ERROR(rpc::FromGrpc(reader->Finish()));
  return frames;
}

}  // namespace slipstream::datanode
