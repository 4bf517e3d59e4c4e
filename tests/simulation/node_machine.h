#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "dfs-datanode/node.h"
#include "tests/simulation/master_machine.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/simulated_disk.h"

namespace slipstream::simulation {

// NodeMachine: the machine of one datanode: its disk, which stays, and the process, which comes and
// goes.
// Ownership  borrows scheduler and network.
class NodeMachine final {
 public:
  struct Options {
    std::string host;
    datanode::Node::Options node;  // without the disks and the seed
    Mutation mutation = Mutation::kNone;
  };

  NodeMachine(const Options& options, Scheduler& scheduler, Network& network, Random random);
  ~NodeMachine();

  const std::string& host() const { return options_.host; }
  std::string address() const { return options_.host + ":7410"; }

  void Start();
  // Goes down now; comes back after `down_time`, unless that is zero.
  void Crash(Fall fall, Micros down_time);
  // Goes down in the middle of the disk's `operations`-th operation from now.
  void CrashAfter(uint64_t operations, Fall fall, Micros down_time);
  // Comes back with an empty disk, and so as another node.
  void ReplaceDisk(Micros down_time);

  bool is_up() const;
  // The node, while it is up; else null.
  datanode::Node* node();
  // When it last went down or came up.
  Micros changed_at() const { return changed_at_; }
  SimulatedDisk& disk() { return disk_; }
  void JumpWall(Micros by);

  // Why the node could not be opened, with no error of the disk to blame; OK else.
  const Status& failure() const { return failure_; }

 private:
  class Life;

  void Ended(Fall fall, bool replaces_disk, Micros down_time);

  const Options options_;
  Scheduler& scheduler_;
  Network& network_;
  Random random_;
  SimulatedDisk disk_;
  std::unique_ptr<Life> life_;
  uint64_t lives_ = 0;
  bool replaces_disk_ = false;
  Micros wall_offset_{0};
  Micros changed_at_{0};
  Status failure_;
};

}  // namespace slipstream::simulation
