#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/rpc/transport.h"
#include "common/sync/mutex.h"

namespace slipstream::datanode {

// A datanode as others reach it.
struct NodeAddress {
  std::string node_id;
  std::string address;  // HOST:PORT
};

// Peers: the connections to other datanodes, one each, kept.
// Ownership  borrows the transport, which must outlive it.
// Threads    thread-safe.
class Peers final {
 public:
  explicit Peers(rpc::Transport& transport) : transport_(transport) {}

  // Makes no connection yet. Blocks for a moment where the last attempt to connect failed.
  std::shared_ptr<rpc::Peer> To(const std::string& address);

 private:
  rpc::Transport& transport_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<rpc::Peer>> peers_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::datanode
