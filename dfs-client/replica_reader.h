#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/status/status.h"
#include "dfs-client/file_types.h"
#include "dfs-client/node_client.h"

namespace slipstream::dfs {

class MasterClient;
class Notices;
class SuspectNodes;

// ReplicaReader: reads a range of one block from whichever replica is good. Private to FileReader.
//
// Ownership  borrows everything.
// Threads    thread-safe.
class ReplicaReader final {
 public:
  struct Options {
    std::chrono::milliseconds timeout;          // over all replicas and rounds
    std::chrono::milliseconds attempt_timeout;  // of one replica
    uint64_t seed = 0;
    std::stop_token stop;
    const Clock* clock = &SystemClock::Get();
    Sleeper* sleeper = &SystemSleeper::Get();
  };
  // Where a block stands, so that its locations can be asked for again.
  struct Place {
    uint64_t inode_id = 0;
    uint64_t block_offset_bytes = 0;  // in the file
  };

  // Rounds over all replicas, with new locations between them, that must agree that each is bad
  // before the block is given up.
  static constexpr int kBadRoundsMax = 3;

  ReplicaReader(Options options,
                MasterClient& master,
                NodeClient& nodes,
                SuspectNodes& suspects,
                Notices& notices);

  // `located` is brought up to date when the master is asked again.
  Result<std::string> Read(const Place& place,
                           LocatedBlock& located,
                           const NodeClient::Range& range,
                           const std::stop_token& stop);

 private:
  // One round: every known replica once, those not suspected first. kDataLoss if all are bad.
  Result<std::string> ReadAnyReplica(const LocatedBlock& located,
                                     const NodeClient::Range& range,
                                     const std::stop_token& stop);
  // OK also when the master does not answer: the old locations stand.
  Status Refresh(const Place& place, LocatedBlock& located);

  const Options options_;
  MasterClient& master_;
  NodeClient& nodes_;
  SuspectNodes& suspects_;
  Notices& notices_;
};

}  // namespace slipstream::dfs
