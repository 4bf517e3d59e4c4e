#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/clock/clock.h"
#include "dfs-datanode/data_dir.h"
#include "dfs-datanode/replica_copier.h"
#include "dfs-datanode/replica_store.h"
#include "dfs-datanode/scrubber.h"

namespace slipstream::datanode {

// MasterLink: what a datanode and its master tell each other. Registers, sends a full report, then
// heartbeats: one a period, and at once when replicas changed; carries out what the answers order.
//
// Deletes are obeyed only from a master whose log is not behind the newest that this node has ever
// seen (kept in the data directory): one that was restored from an old copy does not know what was
// committed since.
// Ownership  borrows all it is given; they must outlive it.
// Threads    one of its own after Start(). NotifyChange, has_master and log_position are
//            thread-safe.
class MasterLink final {
 public:
  struct Options {
    std::string master;   // HOST:PORT
    std::string address;  // of this node, as others reach it
    std::string admin_address;
    std::string failure_domain;  // empty: the host of the address
    std::string version;
    std::chrono::milliseconds heartbeat_period{1'000};
    // Changes that come closer together go in one heartbeat.
    std::chrono::milliseconds change_delay{20};
    // Without an answer for this long the node counts itself as lost to its master.
    std::chrono::milliseconds contact_timeout{15'000};
    std::function<uint32_t()> active_writes;
  };

  MasterLink(Options options,
             DataDir& data_dir,
             ReplicaStore& store,
             Scrubber& scrubber,
             ReplicaCopier& copier,
             const Clock& clock);
  ~MasterLink();
  MasterLink(const MasterLink&) = delete;
  MasterLink& operator=(const MasterLink&) = delete;

  // `address`: this node as others reach it, HOST:PORT.
  void Start(const std::string& address, const std::string& admin_address);
  // Ends the thread, after at most the call under way; idempotent.
  void Stop();

  // Replicas changed: the next heartbeat goes out soon.
  void NotifyChange();

  // Whether the master has answered within the contact timeout.
  bool has_master() const;
  // The newest that this node has seen of any master.
  uint64_t log_position() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::datanode
