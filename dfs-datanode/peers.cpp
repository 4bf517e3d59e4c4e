#include "dfs-datanode/peers.h"

#include <chrono>

namespace slipstream::datanode {
namespace {

// More addresses than a cluster has only come of nodes that moved; then all are made anew.
constexpr size_t kPeersMax = 1'000;

// How long a call waits for a node that went away and may be back; its caller has others.
constexpr std::chrono::milliseconds kReconnectTimeout{200};

}  // namespace

std::shared_ptr<rpc::Peer> Peers::To(const std::string& address) {
  std::shared_ptr<rpc::Peer> peer;
  {
    MutexLock lock(mutex_);
    if (peers_.size() >= kPeersMax && !peers_.contains(address)) peers_.clear();
    std::shared_ptr<rpc::Peer>& known = peers_[address];
    if (known == nullptr) known = transport_.Connect(address);
    peer = known;
  }
  peer->AwaitReconnect(kReconnectTimeout);
  return peer;
}

}  // namespace slipstream::datanode
