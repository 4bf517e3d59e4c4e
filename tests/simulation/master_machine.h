#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "dfs-master/master.h"
#include "tests/simulation/mutation.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/simulated_store.h"

namespace slipstream::simulation {

// How a machine goes down.
enum class Fall {
  kProcessKilled,  // what was written is in the kernel's hands and stays
  kPowerCut,       // what was not synced may be lost or torn
};

// MasterMachine: the machine of dfs-master: its disk, which stays, and the process, which comes and
// goes.
// Ownership  borrows scheduler and network.
class MasterMachine final {
 public:
  static constexpr const char* kHost = "master";
  static constexpr const char* kAddress = "master:7400";

  struct Options {
    dfs::master::Master::Options master;
    Mutation mutation = Mutation::kNone;
  };

  MasterMachine(const Options& options, Scheduler& scheduler, Network& network, Random random);
  ~MasterMachine();

  void Start();
  // Goes down now; comes back after `down_time`, unless that is zero.
  void Crash(Fall fall, Micros down_time);
  // Goes down in the middle of the disk's `operations`-th operation from now.
  void CrashAfter(uint64_t operations, Fall fall, Micros down_time);

  bool is_up() const;
  // When it last went down or came up.
  Micros changed_at() const { return changed_at_; }
  SimulatedStore& store() { return store_; }
  // A piece of a node's full report takes up to so long before the master looks at it.
  void SetReportTimeMax(Micros time) { report_time_max_ = time; }
  void JumpWall(Micros by);

  // Why the master could not be opened; OK else.
  const Status& failure() const { return failure_; }

 private:
  class Life;

  void Ended(Fall fall, Micros down_time);

  const Options options_;
  Scheduler& scheduler_;
  Network& network_;
  Random random_;
  SimulatedStore store_;
  std::unique_ptr<Life> life_;
  uint64_t lives_ = 0;
  Micros wall_offset_{0};
  Micros changed_at_{0};
  Micros report_time_max_{0};
  Status failure_;
};

}  // namespace slipstream::simulation
