#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dfs-master/block_map.h"
#include "dfs-master/merge_finder.h"
#include "dfs-master/node_table.h"
#include "dfs-master/replica_placer.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// MergePlanner: who merges which blocks, one order at a time for each node.
//
// A node makes the new block and sends it along a chain of others, as a writer does. The order is
// told again now and then until the node answers: it knows an order it has. One that is not
// answered in time, or whose node went away, is overdue: its block's id is to be collected, so that
// what may come of it yet is garbage.
// Threads     none; under the master's lock.
// Durability  none: a restart forgets what is under way, and the ids are collected as those of any
//             writer that went away.
class MergePlanner final {
 public:
  struct Options {
    size_t merges_max = 16;  // under way in the cluster
    std::chrono::milliseconds timeout{300'000};
    std::chrono::milliseconds told_again{30'000};
  };
  struct Place {
    NodeNumber node = 0;           // that merges
    std::vector<NodeNumber> next;  // the chain behind it
  };
  struct Merge {
    BlockId id = 0;  // of the new block
    MergeRun run;
    Place place;
    SteadyTime deadline;
    std::optional<SteadyTime> told_at;
  };

  // All are borrowed.
  MergePlanner(const Options& options,
               const NodeTable& nodes,
               const BlockMap& blocks,
               ReplicaPlacer& placer)
      : options_(options), nodes_(nodes), blocks_(blocks), placer_(placer) {}

  // Whether one more may begin.
  bool HasRoom() const;
  // The files of those under way.
  std::vector<InodeId> files() const;
  size_t merges_in_flight() const { return merges_.size(); }

  // Chooses `copies` nodes for a run, fewer where there are no more: the first is idle, and has as
  // many of the blocks as any. nullopt where nobody is idle, or one of the blocks cannot be read.
  std::optional<Place> Choose(const MergeRun& run, uint32_t copies);
  void Begin(BlockId id, MergeRun run, Place place, const Now& now);

  // What a node is to be told now; null: nothing.
  const Merge* TakeOrder(NodeNumber node, const Now& now);
  // The node answered. nullopt: it was not asked for this block, or not lately.
  std::optional<Merge> End(BlockId id, NodeNumber node);
  // The node died, or began anew and has forgotten what it was told.
  void Forget(NodeNumber node);
  // Ends those that are overdue.
  std::vector<Merge> TakeOverdue(const Now& now);

 private:
  bool IsIdle(const Node& node) const;

  const Options options_;
  const NodeTable& nodes_;
  const BlockMap& blocks_;
  ReplicaPlacer& placer_;
  std::map<NodeNumber, Merge> merges_;  // by who merges
};

}  // namespace slipstream::dfs::master
