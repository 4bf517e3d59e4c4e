#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/rpc/authenticator.h"
#include "dfs-master/block_token_issuer.h"
#include "dfs-master/caller_table.h"
#include "dfs-master/master.h"
#include "dfs-master/metrics.h"

namespace grpc {
class Service;
}

namespace slipstream::dfs::master {

// MasterService: the gRPC services DfsMaster, DfsAdmin and DfsNodeRegistry over MasterHandlers.
// Ownership: borrows the master, the metrics and the clock. Threads: thread-safe.
class MasterService final {
 public:
  struct Options {
    std::string version;
    // How those who call are told apart by their names.
    CallerTable::Options callers;
    // Says who calls; those it knows act for others only where they may. Who is unknown, or with
    // null everybody, is whom he says he is, in the metadata rpc::kUserMetadata.
    std::shared_ptr<const rpc::Authenticator> authenticator;
    // Makes the tokens that go with blocks, borrowed; null: none do.
    BlockTokenIssuer* block_tokens = nullptr;
  };

  MasterService(Master& master, Metrics& metrics, const Clock& clock, Options options);
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
