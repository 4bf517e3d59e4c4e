#pragma once

#include <cstdint>
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
};

// What the master holds for one appender.
struct AppenderReport {
  std::string owner;
  uint64_t incarnation = 0;
  EpochPair committed;
  std::vector<EpochPair> prepared;
  int64_t prepared_since_ms = 0;  // the oldest candidate, since 1970 UTC; 0: none
  uint32_t open_files = 0;
};

}  // namespace slipstream::dfs
