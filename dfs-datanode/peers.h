#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "common/sync/mutex.h"

namespace grpc {
class Channel;
class ServerContext;
}  // namespace grpc

namespace slipstream::dfs::v1 {
class WriteBlocksRequest;
}

namespace slipstream::datanode {

// A datanode of a chain.
struct Peer {
  std::string node_id;
  std::string address;  // HOST:PORT
};

// Peers: the connections to other datanodes, one each, kept. Threads: thread-safe.
class Peers final {
 public:
  // The channel to an address; makes no connection yet. Blocks for a moment where the last attempt
  // to connect failed.
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address);

 private:
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_ GUARDED_BY(mutex_);
};

// BlockSender: one WriteBlocks call to another datanode: the next of a chain, or the target of a
// copy. Its destructor cancels what was not finished.
// Threads   not thread-safe.
// Blocking  Send waits while the peer does not keep up; the call's deadline bounds all waiting.
class BlockSender final {
 public:
  struct Options {
    std::vector<Peer> chain;  // the first is the one called; not empty
    bool is_repair = false;
    // The call it serves: its end is ours, and so, a little earlier, is its deadline. Absent:
    // `timeout` from now.
    const grpc::ServerContext* parent = nullptr;
    std::chrono::milliseconds timeout{120'000};
  };

  BlockSender(Peers& peers, const Options& options);
  ~BlockSender();
  BlockSender(const BlockSender&) = delete;
  BlockSender& operator=(const BlockSender&) = delete;

  // False when the call is over: Finish() says why.
  bool Send(const dfs::v1::WriteBlocksRequest& request);
  // Nothing more comes: the peer makes durable what it has, while the caller does something else.
  void HalfClose();
  // The ids of all nodes that hold the blocks now. Any failure is kUnavailable and names the peer.
  Result<std::vector<std::string>> Finish();

 private:
  struct Call;
  const Peer peer_;
  std::unique_ptr<Call> call_;
};

}  // namespace slipstream::datanode
