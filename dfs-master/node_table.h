#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/block_map.h"
#include "dfs-master/id_allocator.h"
#include "dfs-master/records.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

enum class NodeState { kLive, kStale, kDead };

struct NodeRegistration {
  std::string node_id;
  std::string address;         // HOST:PORT
  std::string failure_domain;  // empty: the host
  std::string admin_address;
  std::string version;
  std::string rack;  // e.g. "/rack1"; empty: none known
  std::string host;  // empty: the host of the address
  // What the node has seen of whatever master: positions of the log, ids of blocks.
  uint64_t newest_log_position = 0;
  BlockId highest_block_id = 0;
};

// One disk of a node, as the node tells.
struct DiskReport {
  std::string path;
  uint64_t capacity_bytes = 0;
  uint64_t used_bytes = 0;
  uint64_t free_bytes = 0;
  std::string failure;  // why it is out of service; empty: it is not
};

struct NodeLoad {
  uint64_t capacity_bytes = 0;
  uint64_t used_bytes = 0;
  uint64_t free_bytes = 0;
  uint32_t active_writes = 0;
  std::vector<DiskReport> disks;
};

struct Node {
  NodeNumber number = 0;
  NodeRegistration registration;
  NodeService service = NodeService::kInService;
  int64_t maintenance_until_ms = 0;  // 0: until it is ended by hand
  SteadyTime service_since;          // as far as this master knows
  uint64_t session = 0;              // 0: not registered since this master started
  NodeState state = NodeState::kDead;
  SteadyTime seen_at;
  int64_t seen_at_ms = 0;
  int64_t reported_at_ms = 0;  // the last full report; 0: none since this master started
  NodeLoad load;
  uint64_t acknowledged_sequence = 0;
  bool has_reported = false;       // a full report in this session
  bool needs_full_report = false;  // asked for with every heartbeat until it is there
  uint64_t placed_bytes = 0;       // given to writers since the last heartbeat

  const std::string& host() const { return registration.host; }
  const std::string& rack() const { return registration.rack; }
  const std::string& failure_domain() const {
    return registration.failure_domain.empty() ? host() : registration.failure_domain;
  }
  bool is_registered() const { return session != 0; }
  // Its replicas can be read.
  bool is_there() const { return is_registered() && state != NodeState::kDead; }
  bool is_leaving() const { return presence().is_leaving(); }
  BlockMap::Presence presence() const { return {.is_there = is_there(), .service = service}; }
  // May be given replicas, and those it has are what keeps blocks.
  bool is_serving() const {
    return is_registered() && state == NodeState::kLive && service == NodeService::kInService;
  }
  // The part of its space that is used; 0 where it told of no space.
  double used_share() const {
    return load.capacity_bytes == 0
               ? 0.0
               : static_cast<double>(load.used_bytes) / static_cast<double>(load.capacity_bytes);
  }
};

// NodeTable: the datanodes, and whether they are there.
//
// A node's number is durable and given once, and so is what an operator wants of it; all else is
// soft and comes back with registrations and heartbeats. A node silent for `stale_after` gets no
// new blocks; after `dead_after` its replicas count no longer and it has to register anew. Threads:
// none; under the master's lock.
class NodeTable final {
 public:
  struct Options {
    std::chrono::milliseconds stale_after{10'000};
    std::chrono::milliseconds dead_after{30'000};
  };

  explicit NodeTable(const Options& options);

  Status Load(const KeyValueStore& store);

  // The number of a node, given now if it has none.
  Result<NodeNumber> NumberOf(Transaction& txn, std::string_view node_id);

  // Starts a session: `session` is a number never used before. The node's state becomes live.
  Result<Node*> Register(Transaction& txn,
                         const NodeRegistration& registration,
                         uint64_t session,
                         const Now& now);
  // The node, if the session is its newest and it is not dead; else kNotFound: it has to register.
  Result<Node*> Authenticate(std::string_view node_id, uint64_t session);
  static void Heartbeat(Node& node, const NodeLoad& load, const Now& now);

  // What an operator wants of a node from now on; `until_ms` is of maintenance.
  static void SetService(
      Transaction& txn, Node& node, NodeService service, int64_t until_ms, const Now& now);
  // Those whose maintenance is over.
  std::vector<NodeNumber> Rested(const Now& now) const;

  // Brings states up to date; returns the nodes that died.
  std::vector<NodeNumber> Sweep(const Now& now);

  // Null where no node has the number or the id.
  Node* Find(NodeNumber number);
  const Node* Find(NodeNumber number) const;
  const Node* FindById(std::string_view node_id) const;
  // By what an operator calls it: node id, HOST:PORT, or HOST where that is one node; those that
  // are there are meant rather than those that are dead. kNotFound, kInvalidArgument (several).
  Result<Node*> FindByName(std::string_view name);
  const std::map<NodeNumber, Node>& nodes() const { return nodes_; }
  size_t live_count() const;
  // Those that replicas may be given to.
  size_t serving_count() const;

 private:
  const Options options_;
  IdAllocator numbers_;
  std::map<NodeNumber, Node> nodes_;
  std::unordered_map<std::string, NodeNumber> number_by_id_;
};

}  // namespace slipstream::dfs::master
