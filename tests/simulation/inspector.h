#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/records.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/stage.h"

namespace slipstream::simulation {

// Inspector: looks at a cluster from outside, behind everybody's back, and says what is not yet as
// it must be once nothing is broken and all is done.
// Ownership  borrows cluster and stage.
class Inspector final {
 public:
  Inspector(Cluster& cluster, Stage& stage) : cluster_(cluster), stage_(stage) {}

  // OK: every block is on as many nodes as it wants, nothing else is on any disk, nothing waits.
  Status CheckQuiet();

  // In a fiber: asks every node for each of its replicas, and compares what it sends, byte by byte.
  Status VerifyReplicas();

  // In a fiber: all that the master says of names, files, blocks and where they are, in lines.
  Result<std::vector<std::string>> DescribeState();

 private:
  using Blocks = std::map<uint64_t, dfs::master::FileBlock>;

  Result<Blocks> CommittedBlocks();
  Status CheckTables();
  Status CheckDisk(NodeMachine& machine, const Blocks& blocks);
  Status VerifyReplica(rpc::Transport& transport,
                       NodeMachine& machine,
                       const dfs::master::Block& block);

  Cluster& cluster_;
  Stage& stage_;
};

}  // namespace slipstream::simulation
