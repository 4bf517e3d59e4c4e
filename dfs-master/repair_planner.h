#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "dfs-master/block_map.h"
#include "dfs-master/node_table.h"
#include "dfs-master/replica_placer.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// What a node is told with its heartbeat.
struct NodeCommand {
  enum class Kind { kCopy, kDelete, kVerify, kReport };

  Kind kind = Kind::kVerify;
  Block block;            // of a delete or a verify, only the id; of a report, none
  NodeNumber target = 0;  // of a copy
};

// RepairPlanner: what nodes are to do so that every block has the replicas it wants.
//
// Copies       of blocks with too few replicas that count, the scarcest first, from any live node
//              that has a confirmed good one, be it leaving; bounded per node in either role, and
//              the more so the more clients write there.
// Trimming     a bad replica goes once as many good ones as wanted are confirmed on live nodes in
//              service; of too many good ones those go that share a host, a failure domain or a
//              rack, then those on fuller nodes. A replica is never deleted unless the wanted
//              number of *others* are confirmed, good, on live nodes in service, and not themselves
//              told to go. Told is told: a node that does not answer may obey yet, so the order
//              stands, and is given again, until the node says that the replica is gone, dies, or
//              reports all it has. Where it may not be given again, since other replicas went
//              meanwhile, the node is asked for that report: until then the replica counts for
//              neither side, and the block could neither be trimmed nor copied.
// Moves        are a copy and a trim: nothing is deleted at the source before the target's replica
//              is confirmed.
// Garbage      replicas of collected ids are deleted; other strays are left alone.
// In safe mode nothing of this happens. A command that nothing came of is given again after a
// while. Each round looks at a bounded number of blocks and goes on where the last one ended, so
// that those that cannot be helped hold nobody up.
// Threads: none; under the master's lock.
class RepairPlanner final {
 public:
  struct Options {
    // Of copies under way, as source and as target each; for a node with few writes.
    uint32_t copies_per_node_max = 64;
    uint64_t copy_bytes_per_node_max = uint64_t{256} << 20;
    std::chrono::milliseconds command_timeout{60'000};
    size_t blocks_per_plan_max = 2'000;  // looked at, of each kind
    size_t commands_per_heartbeat_max = 500;
    // A node with so many waiting is given no more deletes.
    size_t commands_queued_max = 1'000;
  };

  // A replica that is to lie elsewhere.
  struct Move {
    BlockId id = 0;
    NodeNumber source = 0;
    NodeNumber target = 0;
    uint64_t bytes = 0;
  };

  // Tells whether an id may never be prepared any more.
  using IsCollected = std::function<bool(BlockId)>;

  // All are borrowed.
  RepairPlanner(const Options& options,
                const NodeTable& nodes,
                const BlockMap& blocks,
                ReplicaPlacer& placer);

  // Queues commands for what is wrong now. Call once a second, outside of safe mode.
  void Plan(const IsCollected& is_collected, const Now& now);
  // Has a node check one of its replicas, at a client's claim. Bounded; false when it is full.
  bool Verify(NodeNumber node, BlockId id);

  // Begins a move; its bytes need not be filled in. False where it cannot be now: the block is
  // being copied or trimmed or has not just what it wants, or one of the nodes is busy or not in
  // service. Moves take at most half of what copies may take, so that they never hold repair up.
  bool BeginMove(Move move, const Now& now);
  // The moves whose source was told to delete since this was asked last.
  std::vector<Move> TakeFinishedMoves();
  // Those under way.
  std::vector<Move> moves() const;
  size_t moves_in_flight() const { return moves_.size(); }
  // That copies under way bring to a node.
  uint64_t bytes_coming(NodeNumber node) const;

  // A node told of a replica that came or went: what was under way for it is done.
  void Settle(NodeNumber node, BlockId id);
  // The node died: it holds nothing, and what it was to do is void.
  void Forget(NodeNumber node);
  // The node registered anew: what it was not told yet is void; what it was told stands.
  void BeginSession(NodeNumber node);
  // The node reported all it has. It carries orders out before it reports, so those it was told
  // are carried out or lost.
  void Reported(NodeNumber node);

  // The next commands for a node; given once.
  std::vector<NodeCommand> TakeCommands(NodeNumber node, const Now& now);

  size_t copies_in_flight() const { return copies_.size(); }
  size_t deletions_in_flight() const { return deletes_.size(); }

 private:
  struct Copy {
    NodeNumber source = 0;
    NodeNumber target = 0;
    uint64_t bytes = 0;
    SteadyTime deadline;
  };
  struct MoveUnderWay {
    Move move;
    SteadyTime deadline;
  };
  struct CopyLoad {
    uint32_t copies = 0;
    uint64_t bytes = 0;
  };

  struct Deletion {
    bool is_queued = true;
    bool was_told = false;
    SteadyTime deadline;  // of the answer, once told
  };
  using Deletions = std::map<std::pair<NodeNumber, BlockId>, Deletion>;

  void ExpireCommands(const Now& now);
  void PlanCopies(const Now& now);
  void PlanCopy(BlockId id, const Now& now);
  void BeginCopy(const Block& block, NodeNumber source, NodeNumber target, const Now& now);
  std::optional<NodeNumber> ChooseSource(const BlockMap::Entry& entry) const;
  std::optional<NodeNumber> ChooseTarget(const BlockMap::Entry& entry);
  void PlanTrims();
  void PlanTrim(BlockId id);
  void TrimSurplus(const BlockMap::Entry& entry, std::vector<NodeNumber> sound);
  NodeNumber ChooseVictim(BlockId id, const std::vector<NodeNumber>& holders) const;
  void PlanGarbage(const IsCollected& is_collected);
  // False where the node has no room for another order.
  bool Delete(NodeNumber node, BlockId id);
  bool HasRoom(NodeNumber node) const;
  bool IsBeingDeleted(NodeNumber node, BlockId id) const { return deletes_.contains({node, id}); }
  bool IsLive(NodeNumber number) const;
  bool IsServing(NodeNumber number) const;
  // Whether a node has as much to copy as it may, or the given part of that.
  bool IsBusy(NodeNumber number, const CopyLoad& load, double part = 1.0) const;
  // Confirmed, good, on a live node.
  std::vector<NodeNumber> GoodHolders(const BlockMap::Entry& entry) const;
  // Those of them in service that are not to go.
  std::vector<NodeNumber> SoundHolders(const BlockMap::Entry& entry) const;
  bool IsStillDue(NodeNumber node, const NodeCommand& command) const;
  void EndCopiesOf(NodeNumber node);
  void EndCopy(std::map<BlockId, Copy>::iterator copy);

  const Options options_;
  const NodeTable& nodes_;
  const BlockMap& blocks_;
  ReplicaPlacer& placer_;
  std::map<BlockId, Copy> copies_;  // one at a time for each block
  std::map<NodeNumber, CopyLoad> load_by_source_;
  std::map<NodeNumber, CopyLoad> load_by_target_;
  Deletions deletes_;
  std::map<BlockId, MoveUnderWay> moves_;
  std::vector<Move> finished_moves_;
  std::map<NodeNumber, std::deque<NodeCommand>> commands_;
  // Where the next round begins.
  std::pair<uint32_t, BlockId> copy_cursor_;
  BlockId trim_cursor_ = 0;
  BlockId garbage_cursor_ = 0;
};

}  // namespace slipstream::dfs::master
