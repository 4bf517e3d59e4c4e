#pragma once

#include <memory>
#include <string_view>

#include "common/access/role.h"
#include "common/clock/clock.h"
#include "dfs-datanode/replica_server.h"

namespace grpc {
class Service;
}

namespace slipstream::metrics {
class CallMetrics;
}

namespace slipstream::datanode {

// DatanodeService: the gRPC face of a datanode (proto/dfs_datanode.proto), over a ReplicaServer.
//
// Ownership  borrows all it is given; they must outlive it.
// Threads    handlers run on the server's threads, one for each open stream.
// Blocking   handlers wait for disk, client and next node; the call's deadline bounds that, and a
//            call without one is refused.
class DatanodeService final {
 public:
  DatanodeService(ReplicaServer& replicas, metrics::CallMetrics& calls, const Clock& clock);
  ~DatanodeService();
  DatanodeService(const DatanodeService&) = delete;
  DatanodeService& operator=(const DatanodeService&) = delete;

  grpc::Service& service();

  // The role that a caller needs for a method ("/package.Service/Method") of this server.
  static access::Role RoleNeeded(std::string_view method);
  // Whether a method is asked for a block token, with TLS, which says all there is to know.
  static bool AsksItself(std::string_view method);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::datanode
