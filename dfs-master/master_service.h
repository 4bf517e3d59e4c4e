#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "dfs-master/block_token_issuer.h"
#include "dfs-master/caller_table.h"
#include "dfs-master/master.h"
#include "dfs-master/metrics.h"

namespace grpc {
class Service;
}

namespace slipstream::dfs::master {

// MasterService: the gRPC services DfsMaster, DfsAdmin and DfsNodeRegistry over MasterHandlers.
// Ownership: borrows the master, the metrics, the clock and the issuer. Threads: thread-safe.
class MasterService final {
 public:
  // `callers`: how those who call are told apart, by the metadata rpc::kUserMetadata. `tokens`
  // makes the block tokens that go with blocks; null: none do.
  MasterService(Master& master,
                Metrics& metrics,
                const Clock& clock,
                std::string version,
                CallerTable::Options callers,
                BlockTokenIssuer* tokens = nullptr);
  ~MasterService();
  MasterService(const MasterService&) = delete;
  MasterService& operator=(const MasterService&) = delete;

  // For rpc::Server::Start.
  std::vector<grpc::Service*> services();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::dfs::master
