#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/appends.h"
#include "dfs-master/node_table.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// How far a master is whose store was restored from a copy.
enum class RestorePhase : uint8_t {
  kNone = 0,      // it never was
  kRestored = 1,  // and has not been opened since
  kWaiting = 2,   // for the datanodes that the copy knows
  kKeeping = 3,   // every replica that the copy does not know
  kSettled = 4,   // an operator let those go
};

struct RestoreStatus {
  RestorePhase phase = RestorePhase::kNone;
  uint64_t backup_position = 0;
  std::vector<std::string> missing_node_ids;  // that are waited for
  uint64_t unknown_replicas = 0;
  uint64_t writers_ahead = 0;
};

// RestoreGate: what a master must not do after its store was restored from a copy.
//
// The copy lacks what happened after it was made: datanodes have blocks it knows nothing of, ids
// were given out, writers were told of commits. Until every node that the copy knows has registered
// again (those decommissioned need not), or an operator says to go on without the others, no block
// id is given out and nothing is copied or deleted. From then on the master works, but keeps every
// replica it does not know, and takes back no ids that writers may hold, until an operator lets
// them go: an older or newer copy may still be found that names them.
//
// Numbers that must never be given twice skip a range with the first opening, so that what the lost
// master gave out since stays its own. Registrations tell what nodes have seen of that master:
// positions of the log go on above the newest of them (a node obeys no delete otherwise), ids of
// blocks above the highest.
//
// A writer that names a commit which is not in the store is *ahead* of it: that is remembered for
// operators, in memory only, since such a writer comes again.
// Threads: none; under the master's lock.
class RestoreGate final {
 public:
  // Skipped of every kind of number with a restore: more than are ever given between two copies.
  static constexpr uint64_t kNumbersSkipped = uint64_t{1} << 32;

  // Marks a store as restored from a copy that was made at `backup_position` of the log. To be
  // applied before a master opens it.
  static Status MarkRestored(KeyValueStore& store, uint64_t backup_position, int64_t now_ms);

  Status Load(const KeyValueStore& store);
  // kRestored becomes kWaiting.
  void Begin(Transaction& txn);

  RestorePhase phase() const { return state_.phase; }
  bool is_restored() const { return state_.phase != RestorePhase::kNone; }
  bool is_waiting() const { return state_.phase == RestorePhase::kWaiting; }
  bool keeps_unknown() const { return is_waiting() || state_.phase == RestorePhase::kKeeping; }
  uint64_t backup_position() const { return state_.backup_position; }

  // What is told to nodes for a position of the store's log.
  uint64_t PositionOf(uint64_t store_position) const { return store_position + state_.offset; }
  // A node has seen the log at `newest` of whatever master; the store is at `store_position`.
  void SawPosition(Transaction& txn, uint64_t newest, uint64_t store_position);

  // Those that are waited for.
  static std::vector<std::string> MissingNodes(const NodeTable& nodes);
  // kWaiting becomes kKeeping.
  void GoOn(Transaction& txn);
  // kKeeping, or kWaiting, becomes kSettled.
  void Settle(Transaction& txn);

  // A writer committed `pair`, it says, and the store does not have it. False where that was known.
  bool Claim(std::string_view owner, EpochPair pair);
  void Forget(std::string_view owner);
  size_t writers_ahead() const { return claims_.size(); }
  // Puts the claims of owners that begin with `owner_prefix` beside what the store knows of them.
  void AddClaims(std::string_view owner_prefix, std::vector<AppenderStatus>& appenders) const;

 private:
  struct Record {
    RestorePhase phase = RestorePhase::kNone;
    uint64_t backup_position = 0;
    int64_t restored_at_ms = 0;
    uint64_t offset = 0;  // of the positions told to nodes
  };
  static std::string Encode(const Record& record);
  static Status Decode(std::string_view bytes, Record& record);
  void Enter(Transaction& txn, RestorePhase phase);

  Record state_;
  std::map<std::string, EpochPair, std::less<>> claims_;
};

}  // namespace slipstream::dfs::master
