#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dfs-client/file_types.h"

namespace slipstream::dfs {

// The state of the cluster and of the appenders, for people and dashboards.

enum class NodeState {
  kLive,
  kStale,  // silent for a while: gets no new blocks
  kDead,   // silent for long: its blocks are replicated elsewhere
};

// What an operator wants of a node.
enum class NodeService {
  kInService,
  kDecommissioning,  // its blocks are copied elsewhere
  kDecommissioned,   // done: it may be switched off
  kMaintenance,      // gets no new blocks; silence does not make copies
};

struct DiskReport {
  std::string path;
  uint64_t capacity_bytes = 0;
  uint64_t used_bytes = 0;
  uint64_t free_bytes = 0;
  std::string failure;  // why it is out of service; empty: it is not
};

struct NodeReport {
  NodeAddress node;
  NodeState state = NodeState::kDead;
  uint64_t capacity_bytes = 0;
  uint64_t used_bytes = 0;
  uint64_t free_bytes = 0;
  uint64_t replica_count = 0;
  uint32_t active_writes = 0;
  int64_t last_heartbeat_ms = 0;  // since 1970 UTC
  std::string failure_domain;
  std::string admin_address;
  NodeService service = NodeService::kInService;
  int64_t maintenance_until_ms = 0;  // since 1970 UTC; 0: until it is ended by hand
  uint64_t blocks_to_move = 0;       // of a node being decommissioned
  std::vector<DiskReport> disks;
  std::string rack;            // e.g. "/rack1"; empty: none known
  int64_t last_report_ms = 0;  // the last full block report; 0: none yet
  std::string version;
  std::string host;
};

struct BalanceStatus {
  bool is_running = false;
  double threshold_percent = 0;
  uint64_t bytes_moved = 0;
  uint64_t bytes_left = 0;
  uint64_t blocks_moved = 0;
  double spread_percent = 0;  // the farthest that a node's used share is from the average
};

struct ClusterState {
  bool is_in_safe_mode = false;
  std::string safe_mode_reason;
  std::vector<NodeReport> nodes;
  uint64_t file_count = 0;
  uint64_t directory_count = 0;
  uint64_t block_count = 0;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;             // of one replica each
  uint64_t under_replicated_blocks = 0;  // fewer good replicas than wanted
  uint64_t missing_blocks = 0;           // with none
  uint64_t corrupt_replicas = 0;
  uint64_t pending_repairs = 0;
  uint32_t default_replication = 0;
  std::string version;
  bool is_safe_mode_by_hand = false;
  uint64_t located_blocks = 0;  // with at least one good replica
  uint64_t pending_deletions = 0;
  BalanceStatus balance;
};

// What the master holds for one appender.
struct AppenderReport {
  std::string owner;
  uint64_t incarnation = 0;
  EpochPair committed;
  std::vector<EpochPair> prepared;
  int64_t prepared_since_ms = 0;  // the oldest candidate, since 1970 UTC; 0: none
  uint32_t open_files = 0;
  std::chrono::milliseconds lease{0};  // 0: none
  // A commit the owner spoke of that this master, restored from a copy, does not have; {0, 0}:
  // none.
  EpochPair claimed;
};

// ---- What operators ask for ----

// What is absent stays as it is; 0 takes the limit away.
struct QuotaChange {
  std::optional<uint64_t> names_max;
  std::optional<uint64_t> space_max_bytes;
};

enum class BalanceAction { kStatus, kStart, kStop };

struct FileCheck {
  std::string path;
  std::string cursor;  // of the answer before; empty: from the beginning
  bool all = false;    // sound files and directories, too
  bool with_blocks = false;
  uint32_t names_max = 0;  // looked at by one call; 0: the master's default
  uint64_t block_id = 0;   // only the file that has this block, and of it only that; 0: all
};

// How a replica is.
enum class ReplicaState {
  kLive,
  kStaleNode,    // its node is silent for 10 s
  kUnconfirmed,  // its node has not reported it since it registered
  kCorrupt,
  kDecommissioning,
  kDecommissioned,
  kInMaintenance
};

struct CheckedReplica {
  NodeAddress node;
  std::string host;
  std::string rack;  // empty: none known
  ReplicaState state = ReplicaState::kLive;
};

struct CheckedBlock {
  LocatedBlock located;
  uint32_t wanted = 0;
  uint32_t good = 0;  // live, in service
  uint32_t corrupt = 0;
  uint32_t leaving = 0;                  // live, on nodes being decommissioned or in maintenance
  std::vector<CheckedReplica> replicas;  // on all nodes that are there or in maintenance
};

struct CheckedFile {
  std::string path;
  FileStatus status;
  uint32_t under_replicated_blocks = 0;
  uint32_t missing_blocks = 0;
  uint32_t corrupt_blocks = 0;  // with a bad replica
  uint64_t missing_bytes = 0;
  std::vector<CheckedBlock> blocks;  // those in trouble, or, if asked for, all
};

// The numbers are of the names looked at by this call.
struct FileCheckPage {
  std::vector<CheckedFile> files;
  std::string next_cursor;  // empty: that was all
  uint64_t file_count = 0;
  uint64_t directory_count = 0;
  uint64_t closed_directory_count = 0;  // of these: that the user may not list, not looked into
  uint64_t block_count = 0;
  uint64_t raw_bytes = 0;
  uint64_t under_replicated_blocks = 0;
  uint64_t over_replicated_blocks = 0;
  uint64_t missing_blocks = 0;
  uint64_t corrupt_blocks = 0;
  uint64_t good_replicas = 0;
  uint64_t wanted_replicas = 0;
};

// How far a master is whose store was restored from a copy.
enum class RestorePhase {
  kNone,     // it never was
  kWaiting,  // for datanodes; gives out no blocks and orders nothing deleted
  kKeeping,  // every replica it does not know
  kSettled
};

struct RestoreReport {
  RestorePhase phase = RestorePhase::kNone;
  uint64_t backup_position = 0;
  std::vector<std::string> missing_node_ids;  // that are waited for
  uint64_t unknown_replicas = 0;              // blocks that the store does not know
  uint64_t writers_ahead = 0;                 // that named a commit the store does not have
};

}  // namespace slipstream::dfs
