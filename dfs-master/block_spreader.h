#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <tuple>

#include "dfs-master/block_map.h"
#include "dfs-master/node_table.h"
#include "dfs-master/repair_planner.h"
#include "dfs-master/replica_placer.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// BlockSpreader: moves replicas of one block apart that lie nearer to one another than they need:
// on one host, in one failure domain or one rack, because there was no other when they were
// written.
//
// Goes once through all blocks whenever nodes of another host, domain or rack than before are in
// service, some thousand a step; and again while it found anything to do. A replica is only moved
// to where it is less near to the others, so that it comes to an end.
// Threads  none; under the master's lock. Borrows all it is made of.
class BlockSpreader final {
 public:
  BlockSpreader(const NodeTable& nodes,
                const BlockMap& blocks,
                RepairPlanner& planner,
                ReplicaPlacer& placer)
      : nodes_(nodes), blocks_(blocks), planner_(planner), placer_(placer) {}

  // Call once a second, outside of safe mode.
  void Step(const Now& now);

 private:
  // Host, failure domain, rack.
  using Places = std::set<std::tuple<std::string, std::string, std::string>>;

  void Survey();
  void Consider(BlockId id, const Now& now);

  const NodeTable& nodes_;
  const BlockMap& blocks_;
  RepairPlanner& planner_;
  ReplicaPlacer& placer_;
  Places places_;
  bool is_due_ = false;
  bool is_again_due_ = false;  // something could not be moved yet
  BlockId cursor_ = 0;
};

}  // namespace slipstream::dfs::master
