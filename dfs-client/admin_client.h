#pragma once

#include <cstdint>
#include <string>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "dfs-client/cluster_types.h"

namespace slipstream::dfs {

class DfsClient;
class MasterConnection;
class RandomIds;

// AdminClient: what operators ask of the master.
//
// Ownership  borrows the client's connection: must not outlive the client.
// Threads    thread-safe.
// Blocking   up to the client's timeout; transient failures are retried inside.
// Errors     as DfsClient.
class AdminClient final {
 public:
  explicit AdminClient(DfsClient& client);

  // In safe mode entered by hand every change is refused, and it is left by hand only.
  Status SetSafeMode(bool enter);

  // `node`: its id, or HOST:PORT, or HOST where that is one node. `until`: of maintenance; the
  // epoch means until it is ended by hand. kDecommissioned is not asked for: it comes.
  Status SetNodeService(const std::string& node, NodeService service, WallTime until = {});

  Status SetQuota(const std::string& path, const QuotaChange& change);

  // `threshold_percent`: of a start, until no node is farther from the average; 0: 10.
  Result<BalanceStatus> Balance(BalanceAction action, double threshold_percent = 0);

  // The health of the files below a path, a page at a time: go on with the answer's cursor.
  Result<FileCheckPage> CheckFiles(const FileCheck& check);

  // Of a master whose store was restored from a copy: how far it is.
  Result<RestoreReport> GetRestore();

 private:
  MasterConnection& master_;
  RandomIds& ids_;
};

}  // namespace slipstream::dfs
