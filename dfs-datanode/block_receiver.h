#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <spdlog/logger.h>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "dfs-datanode/block_sender.h"
#include "dfs-datanode/block_token_checker.h"
#include "dfs-datanode/metrics.h"
#include "dfs-datanode/replica_store.h"
#include "dfs-datanode/replica_writer.h"

namespace slipstream::dfs::v1 {
class WriteBlocksRequest;
class WriteBlocksRequest_BlockHeader;
class WriteBlocksRequest_Header;
class WriteBlocksRequest_WholeBlocks;
class WriteBlocksResponse;
}  // namespace slipstream::dfs::v1

namespace slipstream::datanode {

// BlockReceiver: one WriteBlocks stream as this node takes it: verifies and stores what comes, and
// passes it on to the next node of the chain. Destroyed before Finish, or after an error, it keeps
// nothing, and neither does the rest of the chain.
//
// Ownership  borrows all it is given; they must outlive it.
// Threads    not thread-safe.
// Blocking   waits for the disk and for the next node; the deadline bounds the latter.
// Errors     as WriteBlocks in proto/dfs_datanode.proto. After one the stream is over.
class BlockReceiver final {
 public:
  // More blocks than one allocation gives are no stream of our clients'.
  static constexpr size_t kBlocksPerStreamMax = 10'000;
  static constexpr int kChainMax = 8;

  // What the receivers of a node share.
  struct Node {
    std::string node_id;
    // Whether the master has answered lately; without it clients' writes are refused, since their
    // blocks could not be committed here.
    std::function<bool()> has_master;
    ReplicaStore& store;
    Peers& peers;
    Metrics& metrics;
    const Clock& clock;
    // Asks for a token with each call; null: nobody does.
    const BlockTokenChecker* tokens = nullptr;
  };

  // `writer` says in logs who sends. `deadline` is the writer's: the next node is given a little
  // less, so that there is time left to tell the writer which node hangs.
  BlockReceiver(const Node& node, std::string writer, SteadyTime deadline);
  ~BlockReceiver();
  BlockReceiver(const BlockReceiver&) = delete;
  BlockReceiver& operator=(const BlockReceiver&) = delete;

  // The next message of the stream.
  Status Receive(const dfs::v1::WriteBlocksRequest& request);

  // After the last message, once: OK when every node of the chain holds all blocks, durably.
  Status Finish(dfs::v1::WriteBlocksResponse& response);

 private:
  Status Take(const dfs::v1::WriteBlocksRequest& request);
  Status Begin(const dfs::v1::WriteBlocksRequest_Header& header);
  Status Store(const dfs::v1::WriteBlocksRequest& request);
  Status StoreWhole(const dfs::v1::WriteBlocksRequest_WholeBlocks& whole);
  Status BeginBlock(const dfs::v1::WriteBlocksRequest_BlockHeader& header);
  Status Append(std::string_view stored);
  Status Commit(dfs::v1::WriteBlocksResponse& response);
  // Writes down how the stream ended.
  Status Settle(const Status& status);

  const Node& node_;
  const std::string writer_name_;
  const std::shared_ptr<spdlog::logger> log_;  // shared with spdlog
  const SteadyTime began_;
  const SteadyTime deadline_;
  std::unique_ptr<ReplicaWriter> writer_;  // null before the header
  std::unique_ptr<BlockSender> next_;      // null: the end of the chain
  bool is_at_end_ = false;                 // the writer says that nothing follows
  block::Grant grant_;
  size_t block_count_ = 0;
  uint64_t stored_bytes_ = 0;
  bool is_settled_ = false;
};

}  // namespace slipstream::datanode
