#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dfs_master.pb.h"

#include "common/block/block.h"
#include "common/block/block_token.h"
#include "common/check/check.h"
#include "common/rpc/transport.h"

namespace slipstream::datanode {

// The master as far as a datanode sees it, with its answers in the test's hand. Called directly,
// by the thread that steps the session.
class FakeMaster final : public rpc::Peer {
 public:
  std::vector<dfs::v1::RegisterRequest> registrations;
  std::vector<std::vector<block::BlockId>> reports;
  std::vector<dfs::v1::HeartbeatRequest> heartbeats;
  std::vector<dfs::v1::ReplicaChange> changes;
  std::vector<dfs::v1::FinishMergeRequest> merges;
  std::vector<dfs::v1::NodeCommand> commands;  // go with the next heartbeat's answer
  std::vector<block::TokenKey> token_keys;     // told where the node lacks the newest
  uint64_t session = 100;
  uint64_t log_position = 50;
  Status fault;  // what every call returns

  // ---- rpc::Peer ----

  Status Call(std::string_view method,
              const google::protobuf::MessageLite& request,
              google::protobuf::MessageLite& response,
              const rpc::CallOptions&) override {
    RETURN_IF_ERROR(fault);
    method.remove_prefix(std::string_view("/slipstream.dfs.v1.DfsNodeRegistry/").size());
    if (method == "Register") {
      return Register(static_cast<const dfs::v1::RegisterRequest&>(request),
                      static_cast<dfs::v1::RegisterResponse&>(response));
    }
    if (method == "Heartbeat") {
      return Heartbeat(static_cast<const dfs::v1::HeartbeatRequest&>(request),
                       static_cast<dfs::v1::HeartbeatResponse&>(response));
    }
    SLIPSTREAM_CHECK(method == "FinishMerge", "method={}", method);
    merges.push_back(static_cast<const dfs::v1::FinishMergeRequest&>(request));
    static_cast<dfs::v1::FinishMergeResponse&>(response).set_is_taken(true);
    return {};
  }

  std::unique_ptr<rpc::RequestStream> OpenRequestStream(std::string_view method,
                                                        google::protobuf::MessageLite& response,
                                                        const rpc::CallOptions&) override {
    SLIPSTREAM_CHECK(method.ends_with("/ReportBlocks"), "method={}", method);
    return std::make_unique<ReportStream>(*this,
                                          static_cast<dfs::v1::ReportBlocksResponse&>(response));
  }

  std::unique_ptr<rpc::ResponseStream> OpenResponseStream(std::string_view,
                                                          const google::protobuf::MessageLite&,
                                                          const rpc::CallOptions&) override {
    return nullptr;
  }

  void AwaitReconnect(std::chrono::milliseconds) override {}

 private:
  class ReportStream final : public rpc::RequestStream {
   public:
    ReportStream(FakeMaster& master, dfs::v1::ReportBlocksResponse& response)
        : master_(master), response_(response) {}

    bool Send(const google::protobuf::MessageLite& message) override {
      const auto& request = static_cast<const dfs::v1::ReportBlocksRequest&>(message);
      for (const dfs::v1::Replica& replica : request.replicas()) {
        reported_.push_back(replica.block().block_id());
      }
      return master_.fault.ok();
    }
    void HalfClose() override {}
    Status Finish() override {
      RETURN_IF_ERROR(master_.fault);
      master_.reports.push_back(reported_);
      response_.set_log_position(master_.log_position);
      return {};
    }

   private:
    FakeMaster& master_;
    dfs::v1::ReportBlocksResponse& response_;
    std::vector<block::BlockId> reported_;
  };

  Status Register(const dfs::v1::RegisterRequest& request, dfs::v1::RegisterResponse& response) {
    registrations.push_back(request);
    response.set_session(++session);
    response.set_log_position(log_position);
    TellKeys(*response.mutable_token_keys());
    return {};
  }

  void TellKeys(google::protobuf::RepeatedPtrField<dfs::v1::BlockTokenKey>& told) const {
    for (const block::TokenKey& key : token_keys) {
      dfs::v1::BlockTokenKey& out = *told.Add();
      out.set_id(key.id);
      out.set_secret(key.secret);
    }
  }

  Status Heartbeat(const dfs::v1::HeartbeatRequest& request, dfs::v1::HeartbeatResponse& response) {
    if (request.session() != session) return NotFound("session");
    heartbeats.push_back(request);
    for (const dfs::v1::ReplicaChange& change : request.changes()) {
      changes.push_back(change);
      response.set_acknowledged_sequence(change.sequence());
    }
    for (const dfs::v1::NodeCommand& command : commands)
      *response.add_commands() = command;
    commands.clear();
    if (!token_keys.empty() && token_keys.back().id != request.newest_token_key_id()) {
      TellKeys(*response.mutable_token_keys());
    }
    response.set_log_position(log_position);
    return {};
  }
};

}  // namespace slipstream::datanode
