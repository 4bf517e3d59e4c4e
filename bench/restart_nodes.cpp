#include "bench/restart_nodes.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>
#include <vector>

#include "proto/dfs_master.pb.h"

#include "bench/restart_store.h"
#include "common/clock/clock.h"
#include "common/rpc/grpc_transport.h"
#include "common/rpc/retry.h"

namespace slipstream::bench {
namespace {

namespace v1 = dfs::v1;

constexpr std::chrono::milliseconds kCallTimeout{10'000};
constexpr std::chrono::milliseconds kReportTimeout{60'000};
constexpr std::chrono::milliseconds kPollPeriod{50};
constexpr std::chrono::milliseconds kHeartbeatPeriod{1'000};
// As dfs-datanode/master_session.cpp.
constexpr uint64_t kReplicasPerChunk = 10'000;

class Stopwatch final {
 public:
  double seconds() const {
    return std::chrono::duration<double>(SystemClock::Get().Now() - begin_).count();
  }

 private:
  const SteadyTime begin_ = SystemClock::Get().Now();
};

void Print(const char* name, double seconds) {
  std::printf("%s=%.3f\n", name, seconds);
  std::fflush(stdout);
}

// A call that a master which starts may refuse for a while.
Status CallUntilTaken(rpc::Peer& master,
                      const RestartNodesOptions& options,
                      std::string_view method,
                      const google::protobuf::MessageLite& request,
                      google::protobuf::MessageLite& response) {
  const rpc::RetryOptions retry{.backoff = {.initial = kPollPeriod, .max = kPollPeriod},
                                .timeout = options.timeout,
                                .attempt_timeout_max = kCallTimeout,
                                .seed = 1,
                                .stop = {},
                                .on_retry = {}};
  return rpc::Retry(retry, [&](std::chrono::milliseconds timeout) {
    master.AwaitReconnect(kPollPeriod);
    return master.Call(method, request, response, {.timeout = timeout, .stop = {}});
  });
}

class Node final {
 public:
  Node(const RestartNodesOptions& options, std::string node_id)
      : options_(options),
        node_id_(std::move(node_id)),
        transport_(rpc::MakeGrpcTransport()),
        master_(transport_->Connect(options.master)) {}

  Status Register() {
    v1::RegisterRequest request;
    request.mutable_node()->set_node_id(node_id_);
    // Of a host of its own.
    request.mutable_node()->set_address(node_id_ + ":1");
    request.set_highest_block_id(options_.files);
    v1::RegisterResponse response;
    RETURN_IF_ERROR(CallUntilTaken(
        *master_, options_, "/slipstream.dfs.v1.DfsNodeRegistry/Register", request, response));
    session_ = response.session();
    return {};
  }

  Status Report() {
    v1::ReportBlocksResponse response;
    const std::unique_ptr<rpc::RequestStream> stream =
        master_->OpenRequestStream("/slipstream.dfs.v1.DfsNodeRegistry/ReportBlocks",
                                   response,
                                   {.timeout = kReportTimeout, .stop = {}});
    v1::ReportBlocksRequest request;
    request.set_node_id(node_id_);
    request.set_session(session_);
    bool is_open = true;
    for (uint64_t id = 1; is_open && id <= options_.files;) {
      request.clear_replicas();
      const uint64_t end = std::min(options_.files + 1, id + kReplicasPerChunk);
      for (; id < end; ++id) {
        const dfs::master::Block block = RestartBlock(id);
        v1::Block& reported = *request.add_replicas()->mutable_block();
        reported.set_block_id(block.id);
        reported.set_raw_bytes(block.raw_bytes);
        reported.set_stored_bytes(block.stored_bytes);
        reported.set_crc32c(block.crc32c);
      }
      is_open = stream->Send(request);
    }
    return stream->Finish();
  }

  Status Heartbeat() {
    v1::HeartbeatRequest request;
    request.set_node_id(node_id_);
    request.set_session(session_);
    request.set_capacity_bytes(uint64_t{1} << 40);
    request.set_free_bytes(uint64_t{1} << 39);
    v1::HeartbeatResponse response;
    return master_->Call("/slipstream.dfs.v1.DfsNodeRegistry/Heartbeat",
                         request,
                         response,
                         {.timeout = kCallTimeout, .stop = {}});
  }

 private:
  const RestartNodesOptions& options_;
  const std::string node_id_;
  const std::shared_ptr<rpc::Transport> transport_;
  const std::shared_ptr<rpc::Peer> master_;
  uint64_t session_ = 0;
};

using Nodes = std::vector<Node>;

// Does `step` for all nodes at once; the first error.
Status ForAll(Nodes& nodes, Status (Node::*step)()) {
  std::vector<Status> results(nodes.size());
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < nodes.size(); ++i)
      threads.emplace_back([&, i] { results[i] = (nodes[i].*step)(); });
  }
  for (const Status& result : results)
    RETURN_IF_ERROR(result);
  return {};
}

}  // namespace

Status ReportRestartNodes(const RestartNodesOptions& options) {
  const Stopwatch watch;
  Nodes nodes;
  for (const char* node_id : kRestartNodes)
    nodes.emplace_back(options, node_id);
  RETURN_IF_ERROR(ForAll(nodes, &Node::Register));
  Print("registered_s", watch.seconds());
  RETURN_IF_ERROR(ForAll(nodes, &Node::Report));
  Print("reported_s", watch.seconds());
  const std::shared_ptr<rpc::Transport> transport = rpc::MakeGrpcTransport();
  const std::shared_ptr<rpc::Peer> master = transport->Connect(options.master);
  for (double beat_at = 0; watch.seconds() * 1000 < static_cast<double>(options.timeout.count());) {
    if (watch.seconds() >= beat_at) {
      RETURN_IF_ERROR(ForAll(nodes, &Node::Heartbeat));
      beat_at = watch.seconds() + std::chrono::duration<double>(kHeartbeatPeriod).count();
    }
    v1::GetClusterStateResponse state;
    RETURN_IF_ERROR(CallUntilTaken(*master,
                                   options,
                                   "/slipstream.dfs.v1.DfsMaster/GetClusterState",
                                   v1::GetClusterStateRequest(),
                                   state));
    if (!state.in_safe_mode() && state.missing_blocks() == 0 &&
        state.under_replicated_blocks() == 0) {
      Print("located_s", watch.seconds());
      return {};
    }
    std::this_thread::sleep_for(kPollPeriod);
  }
  return DeadlineExceeded("not every block was located");
}

Status AwaitRestartedNames(const RestartNodesOptions& options) {
  const Stopwatch watch;
  const std::shared_ptr<rpc::Transport> transport = rpc::MakeGrpcTransport();
  const std::shared_ptr<rpc::Peer> master = transport->Connect(options.master);
  v1::StatRequest stat;
  stat.set_path(RestartPath(options.files / 2, options.files));
  v1::StatResponse status;
  RETURN_IF_ERROR(
      CallUntilTaken(*master, options, "/slipstream.dfs.v1.DfsMaster/Stat", stat, status));
  Print("stat_s", watch.seconds());
  v1::ListRequest list;
  list.set_path(stat.path().substr(0, stat.path().rfind('/')));
  v1::ListResponse names;
  RETURN_IF_ERROR(
      CallUntilTaken(*master, options, "/slipstream.dfs.v1.DfsMaster/List", list, names));
  Print("list_s", watch.seconds());
  if (names.entries_size() == 0) return DataLoss("the folder is empty");
  return {};
}

}  // namespace slipstream::bench
