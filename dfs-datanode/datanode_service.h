#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dfs-datanode/metrics.h"
#include "dfs-datanode/peers.h"
#include "dfs-datanode/replica_store.h"

namespace grpc {
class Service;
}

namespace slipstream::datanode {

// DatanodeService: the gRPC face of a datanode (proto/dfs_datanode.proto): translates, passes
// blocks along the chain, and leaves the rest to the store.
//
// Ownership  borrows all it is given; they must outlive it.
// Threads    handlers run on the server's threads, one for each open stream.
// Blocking   handlers wait for disk, client and next node; the call's deadline bounds that, and a
//            call without one is refused.
class DatanodeService final {
 public:
  // More blocks than one allocation gives are no stream of our clients'.
  static constexpr size_t kBlocksPerStreamMax = 10'000;
  static constexpr int kChainMax = 8;

  struct Options {
    std::string node_id;
    // Whether the master has answered lately; without it clients' writes are refused, since their
    // blocks could not be committed here.
    std::function<bool()> has_master;
  };

  DatanodeService(Options options, ReplicaStore& store, Peers& peers, Metrics& metrics);
  ~DatanodeService();
  DatanodeService(const DatanodeService&) = delete;
  DatanodeService& operator=(const DatanodeService&) = delete;

  grpc::Service& service();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::datanode
