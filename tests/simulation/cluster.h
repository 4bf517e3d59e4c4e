#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/master_machine.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/network.h"
#include "tests/simulation/node_machine.h"
#include "tests/simulation/scheduler.h"

namespace slipstream::simulation {

// Cluster: the machines of a simulation. Times that are minutes and hours in production are seconds
// here: what matters is their order.
// Ownership  borrows scheduler and network.
class Cluster final {
 public:
  struct Options {
    size_t nodes = 3;
    uint32_t replication = 2;
    size_t disks = 1;  // of each node
    std::chrono::milliseconds report_interval{90'000};
    Mutation mutation = Mutation::kNone;
  };

  Cluster(const Options& options, Scheduler& scheduler, Network& network, Random random);

  void Start();
  // Everything goes down for good.
  void Stop();
  // All machines up, disks whole, no network faults: from here on only time is needed.
  void Mend();

  MasterMachine& master() { return *master_; }
  std::vector<std::unique_ptr<NodeMachine>>& nodes() { return nodes_; }
  uint32_t replication() const { return options_.replication; }
  bool is_up() const;
  // A failure that no fault excuses; OK while there is none.
  Status failure() const;

 private:
  const Options options_;
  Network& network_;
  std::unique_ptr<MasterMachine> master_;
  std::vector<std::unique_ptr<NodeMachine>> nodes_;
};

}  // namespace slipstream::simulation
