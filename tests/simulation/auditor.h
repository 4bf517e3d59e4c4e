#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/status/status.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/stage.h"

namespace slipstream::simulation {

// Auditor: a reader who insists while everything is being broken: a committed file of whose blocks
// each has a good replica on a node that is up and within reach, is readable, now, by whoever waits
// for kPatience.
//
// His own machine is never cut off. Of nodes he counts those that stayed up, in reach of the master
// and whole from some time before he began until he gave up, and had the block all along.
// Ownership  borrows cluster and stage.
class Auditor final {
 public:
  // `fragile`: the node whose disks are being damaged.
  Auditor(Cluster& cluster, Stage& stage, size_t fragile, Random random);
  ~Auditor();

  // Runs in a fiber until the stage is closed.
  void Start();
  bool has_ended() const { return has_ended_; }
  void Stop() {
    process_.Kill([] {});
  }

 private:
  // Which blocks each node has.
  using Replicas = std::map<std::string, std::set<uint64_t>>;

  void Audit();
  Replicas CountReplicas() const;
  // Whether nothing excuses that `path`, which held one thing all the time, could not be read.
  bool MustBeReadable(uint64_t inode_id, const Replicas& replicas, Micros since) const;
  bool IsSteady(NodeMachine& machine, Micros since) const;
  // Whether it was there, and the same, since then.
  bool IsUnchanged(const std::string& path, Micros since) const;

  Cluster& cluster_;
  Stage& stage_;
  const size_t fragile_;
  Random random_;
  Process process_;
  std::unique_ptr<dfs::DfsClient> client_;
  bool has_ended_ = false;
};

}  // namespace slipstream::simulation
