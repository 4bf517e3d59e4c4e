#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "dfs-datanode/node.h"
#include "tests/simulation/master_machine.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/simulated_disk.h"

namespace slipstream::simulation {

// NodeMachine: the machine of one datanode: its disks, which stay, and the process, which comes and
// goes; also by itself, when it finds that too few of its disks work.
// Ownership  borrows scheduler and network.
class NodeMachine final {
 public:
  struct Options {
    std::string host;
    datanode::Node::Options node;  // without the disks and the seed
    size_t disks = 1;
    Mutation mutation = Mutation::kNone;
  };

  NodeMachine(const Options& options, Scheduler& scheduler, Network& network, Random random);
  ~NodeMachine();

  const std::string& host() const { return options_.host; }
  std::string address() const { return options_.host + ":7410"; }

  void Start();
  // Goes down now; comes back after `down_time`, unless that is zero.
  void Crash(Fall fall, Micros down_time);
  // Goes down in the middle of the `operations`-th operation from now of one of its disks.
  void CrashAfter(uint64_t operations, Fall fall, Micros down_time);
  // Goes down and comes back with a disk of it empty; where all are, as another node.
  void ReplaceDisk(size_t index, Micros down_time);

  bool is_up() const;
  // The node, while it is up; else null.
  datanode::Node* node();
  // When it last went down or came up.
  Micros changed_at() const { return changed_at_; }
  std::vector<std::unique_ptr<SimulatedDisk>>& disks() { return disks_; }
  SimulatedDisk& SomeDisk() { return *disks_[random_.Below(disks_.size())]; }
  // Whether an operation on one of them ever failed.
  bool HasFailedDisk() const;
  void JumpWall(Micros by);

  // Why the node could not be opened, with no error of a disk to blame; OK else.
  const Status& failure() const { return failure_; }

 private:
  class Life;

  void Ended(Fall fall, const std::set<size_t>& replaced, Micros down_time);

  const Options options_;
  Scheduler& scheduler_;
  Network& network_;
  Random random_;
  std::vector<std::unique_ptr<SimulatedDisk>> disks_;
  std::unique_ptr<Life> life_;
  uint64_t lives_ = 0;
  std::set<size_t> replaced_;  // disks, by their index, when the process is down
  Micros wall_offset_{0};
  Micros changed_at_{0};
  Status failure_;
};

}  // namespace slipstream::simulation
