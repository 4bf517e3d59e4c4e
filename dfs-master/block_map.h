#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

#include "dfs-master/block_id_set.h"
#include "dfs-master/block_table.h"
#include "dfs-master/records.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// BlockMap: every block that is prepared or committed, and who is known to have it.
//
// Which blocks there are comes from the store; where they are is soft and comes from reports. A
// replica is *confirmed* when its node reported it in its present session with the identity that
// was prepared; until then it is there on the word of the writer who prepared it. It is *good* when
// it is not bad and its node is not dead.
//
// A block wants as many replicas as its replication says. Good ones on nodes in service count;
// those on nodes being decommissioned do not; those on nodes in maintenance do, dead or alive, as
// long as at least one node in service has a good one.
//
// A node numbers its changes. A full report says which change it includes, so that what is newer
// stays. What a writer said of a node is believed for a minute against reports that do not have it
// yet, but not beyond the session it was said in: before the next one the node may have lost a
// disk. Longer than that no word goes unconfirmed by a node that is there: it is asked for a
// report, or a replica that nobody has would count until the next.
//
// Replicas of blocks that are not here (being written, discarded, or of another cluster) are kept
// apart, for whoever decides to have them deleted.
// Threads: none; under the master's lock. Memory: about 20 bytes a block (BlockTable), and a few
// megabytes a node.
class BlockMap final {
 public:
  using Replica = BlockTable::Replica;
  using Replicas = BlockTable::Replicas;
  using Entry = BlockTable::Entry;

  // A replica of a block that is not here.
  struct Stray {
    NodeNumber node = 0;
    Block block;
    uint64_t sequence = 0;
  };
  using Strays = absl::InlinedVector<Stray, 1>;

  // A block's replicas, by what they are good for.
  struct Tally {
    uint32_t in_service = 0;  // good, on nodes in service
    uint32_t leaving = 0;     // good, on nodes being decommissioned
    uint32_t resting = 0;     // not bad, on nodes in maintenance, be they dead
    uint32_t good = 0;        // on whatever node that is there
    uint32_t bad = 0;

    // How many of those wanted are there.
    uint32_t counted() const { return in_service == 0 ? 0 : in_service + resting; }
  };

  // A node as its replicas see it.
  struct Presence {
    bool is_there = false;  // not dead
    NodeService service = NodeService::kInService;

    bool is_leaving() const {
      return service == NodeService::kDecommissioning || service == NodeService::kDecommissioned;
    }
    friend bool operator==(const Presence&, const Presence&) = default;
  };

  struct Counts {
    uint64_t under_replicated = 0;  // at least one replica is good, but fewer count than wanted
    uint64_t missing = 0;           // none is good
    uint64_t bad_replicas = 0;
    uint64_t unconfirmed = 0;  // committed blocks without a confirmed good replica
  };

  // ---- What the store says ----

  // Between BeginLoad and EndLoad blocks are read from the store beside other work: Load may bring
  // what was discarded, or given another replication, meanwhile, and then does not count.
  void BeginLoad() { is_loading_ = true; }
  void EndLoad();
  bool is_loading() const { return is_loading_; }
  void Load(const FileBlock& block, bool is_committed);
  // Those acknowledged are taken for replicas.
  void Prepare(const FileBlock& block, const Now& now);
  void Commit(BlockId id);
  void Discard(BlockId id);
  void SetReplication(BlockId id, uint8_t replication);

  // ---- What nodes say ----

  // A node never spoken of is not there. What a replica is good for (IsGood, Count) changes at
  // once; the sets and counts of many blocks follow in steps, the first of which is done here: a
  // node of ten million replicas takes a second.
  void SetPresence(NodeNumber node, const Presence& presence);
  // The next step; false: all sets and counts are up to date.
  bool FollowPresence();
  // Whether those of this node's blocks are.
  bool HasFollowed(NodeNumber node) const { return !following_.contains(node); }
  void SetCounted(NodeNumber node, bool is_counted) { SetPresence(node, {.is_there = is_counted}); }
  // The node starts a session: what it had, on whosever word, is to be confirmed anew. Its full
  // report is yet to come, and has all that was written there before. Goes through the node's
  // replicas in steps: from `position` on, which begins at 0 and moves on; false: that was the
  // last. What the node says in the session comes behind it; all else may come in between.
  bool BeginSession(NodeNumber node, BlockId& position);
  void Added(NodeNumber node, const Block& block, uint64_t sequence);
  void Removed(NodeNumber node, BlockId id, uint64_t sequence);
  void Corrupt(NodeNumber node, BlockId id, uint64_t sequence);
  // A full report comes in parts, in any order: all replicas the node had after its change
  // `sequence`. Their ids gather in `reported`; what it lacks is taken away at its end. A report
  // that breaks off before has only brought what is true. One that is older than another that was
  // taken (a copy that comes late) changes nothing. False where too many of the node's later
  // changes are forgotten: it has to report again.
  bool ReportPart(NodeNumber node,
                  std::span<const Block> replicas,
                  uint64_t sequence,
                  BlockIdSet& reported);
  // The end goes through the node's replicas in steps as well: from `position` on, which begins at
  // 0 and moves on. Changes and further words about the node may come in between.
  enum class ReportEnd { kForgotten, kHasMore, kDone };
  ReportEnd EndReport(NodeNumber node,
                      uint64_t sequence,
                      const BlockIdSet& reported,
                      const Now& now,
                      BlockId& position);

  // ---- What is asked ----

  bool Contains(BlockId id) const { return table_.Contains(id); }
  // What is known of a block now, as a copy.
  std::optional<Entry> Find(BlockId id) const { return table_.Find(id); }
  // Whether a writer said of the node, longer ago than it is believed, that it has a block, and the
  // node did not. It takes a full report to tell.
  bool HasOldWord(NodeNumber node, const Now& now) const;
  // The ids of a range that are here, in order, at most `limit`.
  std::vector<BlockId> LiveIds(BlockIdRange range, size_t limit) const {
    return table_.IdsIn(range, limit);
  }
  bool IsGood(const Replica& replica) const;
  Tally Count(const Entry& entry) const;
  uint32_t CountGood(const Entry& entry) const { return Count(entry).in_service; }

  // Blocks for which fewer replicas count than wanted, but with a good one, with how many good ones
  // there are, the scarcest first: at most `limit` of those behind `after`.
  using Scarce = std::pair<uint32_t, BlockId>;
  std::vector<Scarce> UnderReplicated(Scarce after, size_t limit) const;
  // Blocks with more good replicas in service than wanted, or with bad ones, by id: likewise.
  std::vector<BlockId> Trimmable(BlockId after, size_t limit) const {
    return trimmable_.Above(after, limit);
  }
  const absl::btree_map<BlockId, Strays>& strays() const { return strays_; }
  // Blocks without a good replica, at most `limit`.
  std::vector<BlockId> Missing(size_t limit) const { return missing_.Above(0, limit); }

  Counts counts() const;
  uint64_t replica_count(NodeNumber node) const;
  // Of a node being decommissioned, dead or alive: the blocks it has of which fewer replicas count
  // than wanted, more than `enough` never being wanted.
  uint64_t BlocksToMove(NodeNumber node, uint32_t enough) const;
  size_t size() const { return table_.size(); }

 private:
  static constexpr size_t kScarcityMax = 16;
  static constexpr size_t kFollowedAtOnceMax = 50'000;

  // How a block is entered in the sets and counts below.
  struct Standing {
    // Blocks with more good replicas than this are as scarce as one another.
    size_t scarcity() const { return std::min<size_t>(tally.good, kScarcityMax); }

    Tally tally;
    bool is_confirmed = false;
    bool is_under = false;
    bool is_trimmable = false;
  };
  struct NodeMemory {
    // What the node told of a block last, by the number of that change, so that a report older than
    // it changes nothing of it. Bounded: beyond that all is forgotten, and reports up to
    // `forgotten_up_to` are not taken.
    absl::flat_hash_map<BlockId, uint64_t> changed_at;
    uint64_t forgotten_up_to = 0;
    // The last full report was taken with this number: one before it that comes late says nothing.
    uint64_t reported_up_to = 0;
    // On a writer's word, and not yet confirmed. At most one for each replica.
    absl::flat_hash_map<BlockId, SteadyTime> acknowledged_at;
    uint64_t replicas = 0;
    // Of a node being decommissioned: how many of its blocks have so many replicas that count, of
    // so many wanted, where it is fewer.
    std::map<std::pair<uint32_t, uint32_t>, uint64_t> to_move;
  };
  // Changes one block: its standing is taken out before and put back after.
  class Change;

  // A node's blocks of which the sets and counts still are by what it was: those from
  // `followed_to` on. Where it changed again before all had followed, they are by several things it
  // was, each up to an id; the last up to the end.
  struct Following {
    struct Before {
      BlockId end = 0;
      Presence presence;
    };
    BlockId followed_to = 0;
    std::vector<Before> before;
  };

  template <class PresenceOfNode>
  static Tally CountBy(const Entry& entry, PresenceOfNode presence_of);
  Standing StandingOf(const Entry& entry) const;
  // As the sets and counts of this block have it.
  const Presence& EnteredAs(NodeNumber node, BlockId id) const;
  void CountLeaving();
  void Follow(NodeNumber node);
  void Enter(const Entry& entry);
  void Leave(const Entry& entry);
  void CountToMove(const Entry& entry, const Standing& standing, bool is_entering);
  const Presence& PresenceOf(NodeNumber node) const;
  static Replica* FindReplica(Entry& entry, NodeNumber node);
  Replica& FindOrAddReplica(Entry& entry, NodeNumber node);
  void RemoveReplica(Entry& entry, NodeNumber node);
  void AddStray(const Stray& stray);
  void RemoveStray(BlockId id, NodeNumber node);
  static void Confirm(const Entry& entry, const Block& block, Replica& replica);
  void Take(NodeNumber node, const Block& block, uint64_t sequence);
  static bool IsOutdated(const NodeMemory& memory, BlockId id, uint64_t sequence);
  static void Remember(NodeMemory& memory, BlockId id, uint64_t sequence);
  void Insert(const FileBlock& block, uint8_t replication, bool is_committed);
  // One step of it; returns where to go on.
  std::optional<BlockId> RemoveUnreported(NodeNumber node,
                                          uint64_t sequence,
                                          const BlockIdSet& reported,
                                          BlockId begin);
  void RemoveUnreportedStrays(NodeNumber node, uint64_t sequence, const BlockIdSet& reported);

  BlockTable table_;
  absl::btree_map<BlockId, Strays> strays_;
  std::array<BlockIdSet, kScarcityMax + 1> under_;  // by how many good replicas there are
  BlockIdSet trimmable_;
  BlockIdSet missing_;
  std::vector<Presence> presence_;  // by node number
  absl::btree_map<NodeNumber, Following> following_;
  bool has_leaving_nodes_ = false;                     // or had, and not all blocks have followed
  std::unordered_map<NodeNumber, NodeMemory> memory_;  // references stay good
  Counts counts_;

  bool is_loading_ = false;
  BlockIdSet discarded_while_loading_;
  absl::flat_hash_map<BlockId, uint8_t> replication_while_loading_;
};

}  // namespace slipstream::dfs::master
