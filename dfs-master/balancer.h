#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/block_map.h"
#include "dfs-master/node_table.h"
#include "dfs-master/repair_planner.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

struct BalanceStatus {
  bool is_running = false;
  double threshold_percent = 0;
  uint64_t bytes_moved = 0;  // since it was started
  uint64_t bytes_left = 0;   // to move, by what is known now
  uint64_t blocks_moved = 0;
  double spread_percent = 0;  // the farthest that a node's used share is from the average
};

// Balancer: has replicas moved from fuller nodes to emptier ones until no node's used share is
// farther from the average than a threshold.
//
// It only chooses the moves; RepairPlanner carries them out by its own rules, so that a block never
// has fewer replicas than it wants, and so that repair comes first. A move never brings replicas
// nearer to one another (one host, failure domain or rack), nor makes its target fuller than its
// source. It goes through all blocks by id, a bounded number at a time, and ends when the threshold
// is kept, or when going through all of them helped no more.
//
// What was moved away lies parked on its node for a while yet and counts as used there; it is taken
// off here.
// Threads: none; under the master's lock. All of it is soft: after a restart of the master nothing
// runs, and what was moved half-way is a surplus like any other.
class Balancer final {
 public:
  struct Options {
    double threshold_percent = 10;       // where none is asked for
    size_t blocks_per_step_max = 2'000;  // looked at
    size_t moves_in_flight_max = 200;
    // How long a node keeps what it was told to delete.
    std::chrono::milliseconds parked{660'000};
  };

  // All are borrowed.
  Balancer(const Options& options,
           const NodeTable& nodes,
           const BlockMap& blocks,
           RepairPlanner& planner)
      : options_(options), nodes_(nodes), blocks_(blocks), planner_(planner) {}

  // `threshold_percent` 0 is the default. One that runs goes on with the new threshold.
  // kInvalidArgument outside of [0, 100].
  Status Start(double threshold_percent);
  // Begins no more moves.
  void Stop() { status_.is_running = false; }
  BalanceStatus GetStatus(const Now& now);

  // Begins moves. Call once a second, outside of safe mode, after RepairPlanner::Plan. True when
  // with this step it has ended.
  bool Step(const Now& now);

 private:
  struct Use {
    double used_bytes = 0;  // with what is on its way here, without what is to go
    double capacity_bytes = 0;

    double share() const { return used_bytes / capacity_bytes; }
  };
  struct Parked {
    NodeNumber node = 0;
    uint64_t bytes = 0;
    SteadyTime until;
  };

  void CountFinishedMoves(const Now& now);
  void Survey();
  bool IsSource(const Use& use) const;
  bool IsTarget(const Use& use) const;
  // False where nothing more can be begun now.
  bool Consider(BlockId id, const Now& now);
  bool TryMove(const BlockMap::Entry& entry, NodeNumber source, NodeNumber target, const Now& now);
  bool KeepsApart(const BlockMap::Entry& entry, NodeNumber source, NodeNumber target) const;

  const Options options_;
  const NodeTable& nodes_;
  const BlockMap& blocks_;
  RepairPlanner& planner_;
  BalanceStatus status_;
  std::deque<Parked> parked_;
  // As of the last survey.
  std::map<NodeNumber, Use> uses_;
  double average_share_ = 0;
  bool has_over_ = false;   // a node above the threshold
  bool has_under_ = false;  // and one below
  BlockId cursor_ = 0;
  bool has_begun_any_ = false;  // in this round through all blocks
};

}  // namespace slipstream::dfs::master
