#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/rpc/transport.h"
#include "common/status/status.h"
#include "dfs-datanode/block_merger.h"
#include "dfs-datanode/block_token_checker.h"
#include "dfs-datanode/disk_set.h"
#include "dfs-datanode/master_session.h"
#include "dfs-datanode/metrics.h"
#include "dfs-datanode/peers.h"
#include "dfs-datanode/replica_copier.h"
#include "dfs-datanode/replica_server.h"
#include "dfs-datanode/replica_store.h"
#include "dfs-datanode/scrubber.h"
#include "dfs-datanode/space_reclaimer.h"

namespace slipstream::datanode {

// Node: all of a datanode but its threads, its sockets and the machine's clock: those belong to the
// daemon, or to a simulation that has several nodes in one process.
//
// What goes on in the background is cut into steps, which nobody calls by itself:
//   session().Step()     the talk with the master
//   scrubber().Step()    verifies a replica
//   copier().Step()      sends a replica to another node
//   merger().Step()      merges small blocks
//   reclaimer().Step()   removes what is parked, rewrites packs, looks after the disks
// Each returns how long to wait before it is called again, and may be called sooner: SetWakers says
// when that is worth while. Calls from outside go to server().
//
// Ownership  borrows transport, clock, metrics and the disks' file systems, which must outlive it.
// Threads    server() from any number of threads, each of the others from one (copier(): several).
class Node final {
 public:
  struct Options {
    std::vector<DiskLocation> disks;
    // With fewer that work the node is at its end: health() says so.
    size_t disks_min = 1;
    // Of each disk, left free for others. 0: 1 GiB or 5 % of the disk, whichever is less.
    uint64_t reserve_bytes = 0;
    // Blocks with fewer stored bytes go into packs; a pack of this size is sealed.
    uint64_t packed_stored_bytes_max = 1 << 20;
    uint64_t pack_bytes_max = 64 << 20;
    std::chrono::milliseconds park_time{600'000};
    // What is random in what a node does (its name, the names of its packs); 0: really random.
    uint64_t seed = 0;
    MasterSession::Options session;  // without active_writes
    Scrubber::Options scrubber;
    BlockMerger::Options merger;
    // Whether who reads or writes has to show a block token.
    bool wants_tokens = false;
  };

  // Called when there is something to do before the wait is over. From any thread; must not block.
  struct Wakers {
    std::function<void()> session;
    std::function<void()> scrubber;
    std::function<void()> copier;
    std::function<void()> merger;
  };

  // Takes the disks and scans them. Errors: DiskSet::Open's.
  static Result<std::unique_ptr<Node>> Open(const Options& options,
                                            rpc::Transport& transport,
                                            const Clock& clock,
                                            Metrics& metrics);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const std::string& node_id() const { return store_->disks().node_id(); }

  // Before any other thread uses the node.
  void SetWakers(Wakers wakers);

  ReplicaServer& server() { return *server_; }
  ReplicaStore& store() { return *store_; }
  MasterSession& session() { return *session_; }
  Scrubber& scrubber() { return *scrubber_; }
  ReplicaCopier& copier() { return *copier_; }
  BlockMerger& merger() { return *merger_; }
  SpaceReclaimer& reclaimer() { return *reclaimer_; }
  BlockTokenChecker& tokens() { return *tokens_; }

  // Whether enough disks work. When not, whoever runs the node should end it; a restart looks at
  // the disks anew.
  Status health() const { return reclaimer_->health(); }

  // Writes down what a restart goes on from. For a stop in good order; when nobody steps any
  // more.
  void SaveState();

 private:
  Node() = default;

  // In the order in which they may be used, so that destruction is the reverse.
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<BlockTokenChecker> tokens_;
  std::unique_ptr<ReplicaStore> store_;
  std::unique_ptr<Scrubber> scrubber_;
  std::unique_ptr<ReplicaCopier> copier_;
  std::unique_ptr<SpaceReclaimer> reclaimer_;
  std::unique_ptr<ReplicaServer> server_;
  std::unique_ptr<BlockMerger> merger_;
  std::unique_ptr<MasterSession> session_;
};

}  // namespace slipstream::datanode
