#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

#include "dfs-master/records.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// BlockMap: every block that is prepared or committed, and who is known to have it.
//
// Which blocks there are comes from the store; where they are is soft and comes from reports. A
// replica is *confirmed* when its node reported it in its present session with the identity that
// was prepared; until then it is there on the word of the writer who prepared it. It *counts* when
// it is not bad and its node is not dead.
//
// A node numbers its changes. A full report says which change it includes, so that what is newer
// stays; what a writer said of a node is believed for a minute against reports that do not have it
// yet.
//
// Replicas of blocks that are not here (being written, discarded, or of another cluster) are kept
// apart, for whoever decides to have them deleted.
// Threads: none; under the master's lock. Memory: about 100 bytes a block.
class BlockMap final {
 public:
  struct Replica {
    NodeNumber node = 0;
    bool is_confirmed = false;
    bool is_bad = false;
    uint64_t sequence = 0;  // the node's change that brought it; 0: none did
  };
  using Replicas = absl::InlinedVector<Replica, 2>;

  struct Entry {
    Block block;
    uint8_t replication = 0;
    bool is_committed = false;
    Replicas replicas;
    absl::InlinedVector<NodeNumber, 2> first_holders;
  };

  // A replica of a block that is not here.
  struct Stray {
    NodeNumber node = 0;
    Block block;
    uint64_t sequence = 0;
  };
  using Strays = absl::InlinedVector<Stray, 1>;

  struct Counts {
    uint64_t under_replicated = 0;  // at least one replica counts, but fewer than wanted
    uint64_t missing = 0;           // none counts
    uint64_t bad_replicas = 0;
    uint64_t unconfirmed = 0;  // committed blocks without a confirmed good replica
  };

  // ---- What the store says ----

  void Load(const FileBlock& block, bool is_committed);
  // Those acknowledged are taken for replicas.
  void Prepare(const FileBlock& block, const Now& now);
  void Commit(BlockId id);
  void Discard(BlockId id);

  // ---- What nodes say ----

  // Replicas of a node that is dead do not count.
  void SetCounted(NodeNumber node, bool is_counted);
  // The node started a session: what it had is to be confirmed anew.
  void BeginSession(NodeNumber node);
  void Added(NodeNumber node, const Block& block, uint64_t sequence);
  void Removed(NodeNumber node, BlockId id, uint64_t sequence);
  void Corrupt(NodeNumber node, BlockId id, uint64_t sequence);
  // All replicas the node had after its change `sequence`. False where too many of its later
  // changes are forgotten: the node has to report again.
  bool FullReport(NodeNumber node,
                  std::span<const Block> replicas,
                  uint64_t sequence,
                  const Now& now);

  // ---- What is asked ----

  bool Contains(BlockId id) const { return entries_.contains(id); }
  // What is known of a block now, as a copy: blocks are kept in less room than an Entry.
  std::optional<Entry> Find(BlockId id) const;
  // The ids of a range that are here, in order.
  std::vector<BlockId> LiveIds(BlockIdRange range) const;
  bool IsGood(const Replica& replica) const;
  uint32_t CountGood(const Entry& entry) const;

  // Blocks with fewer good replicas than wanted but at least one, with how many that is, the
  // scarcest first: at most `limit` of those behind `after`.
  using Scarce = std::pair<uint32_t, BlockId>;
  std::vector<Scarce> UnderReplicated(Scarce after, size_t limit) const;
  // Blocks with more good replicas than wanted, or with bad ones, by id: likewise.
  std::vector<BlockId> Trimmable(BlockId after, size_t limit) const;
  const absl::btree_map<BlockId, Strays>& strays() const { return strays_; }
  // Blocks without a good replica, at most `limit`.
  std::vector<BlockId> Missing(size_t limit) const;

  Counts counts() const;
  uint64_t replica_count(NodeNumber node) const;
  size_t size() const { return entries_.size(); }

 private:
  // How a block is entered in the sets and counts below.
  struct Standing {
    uint32_t good = 0;
    uint32_t bad = 0;
    bool is_confirmed = false;
    bool is_under = false;
    bool is_trimmable = false;
  };
  struct NodeMemory {
    // What a report that is older than it must not bring back: block → sequence of its removal.
    std::map<BlockId, uint64_t> removed_at;
    uint64_t forgotten_up_to = 0;
    // On a writer's word, and not yet confirmed.
    absl::flat_hash_map<BlockId, SteadyTime> acknowledged_at;
    uint64_t replicas = 0;
  };
  // Changes one block: its standing is taken out before and put back after.
  class Change;

  Standing StandingOf(const Entry& entry) const;
  void Enter(const Entry& entry);
  void Leave(const Entry& entry);
  Replica* FindReplica(Entry& entry, NodeNumber node) const;
  Replica& FindOrAddReplica(Entry& entry, NodeNumber node);
  void RemoveReplica(Entry& entry, NodeNumber node);
  void AddStray(const Stray& stray);
  void RemoveStray(BlockId id, NodeNumber node);
  static void Confirm(const Entry& entry, const Block& block, uint64_t sequence, Replica& replica);
  void RemoveUnreported(NodeNumber node,
                        const absl::flat_hash_set<BlockId>& reported,
                        uint64_t sequence,
                        const Now& now);

  absl::flat_hash_map<BlockId, Entry> entries_;
  absl::btree_map<BlockId, Strays> strays_;
  std::set<std::pair<uint32_t, BlockId>> under_;
  absl::btree_set<BlockId> trimmable_;
  absl::flat_hash_set<NodeNumber> counted_;
  absl::flat_hash_map<NodeNumber, NodeMemory> memory_;
  Counts counts_;
};

}  // namespace slipstream::dfs::master
