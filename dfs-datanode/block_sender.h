#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "common/block/block_token.h"
#include "common/status/status.h"
#include "dfs-datanode/peers.h"

namespace slipstream::dfs::v1 {
class WriteBlocksRequest;
}

namespace slipstream::datanode {

// BlockSender: one WriteBlocks call to another datanode: the next of a chain, or the target of a
// copy. Its destructor cancels what was not finished.
// Threads   not thread-safe.
// Blocking  Send waits while the peer does not keep up; the timeout bounds all waiting.
class BlockSender final {
 public:
  struct Options {
    std::vector<NodeAddress> chain;  // the first is the one called; not empty
    bool is_repair = false;
    block::Grant grant;                          // what may be written
    std::string token;                           // for it; empty: none
    std::chrono::milliseconds timeout{120'000};  // of the whole call
    std::stop_token stop;                        // cancels it
  };

  BlockSender(Peers& peers, const Options& options);
  ~BlockSender();
  BlockSender(const BlockSender&) = delete;
  BlockSender& operator=(const BlockSender&) = delete;

  // False when the call is over: Finish() says why. Behind a message that says it is the end
  // nothing may come. The header of a message is not sent on: the call has its own, which travels
  // with the first message where that has whole blocks.
  bool Send(const dfs::v1::WriteBlocksRequest& request);
  // Nothing more comes: the peer makes durable what it has, while the caller does something else.
  void HalfClose();
  // The ids of all nodes that hold the blocks now. Any failure is kUnavailable and names the peer.
  // To be called once.
  Result<std::vector<std::string>> Finish();

 private:
  struct Call;
  bool SendWhole(const dfs::v1::WriteBlocksRequest& request);

  const NodeAddress peer_;
  std::unique_ptr<Call> call_;
};

}  // namespace slipstream::datanode
