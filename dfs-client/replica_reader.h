#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/status/status.h"
#include "dfs-client/file_types.h"
#include "dfs-client/node_client.h"

namespace slipstream::dfs {

class HedgedReader;
class MasterClient;
class Notices;
class SuspectNodes;

// ReplicaReader: reads a range of one block from whichever replica is good. Private to the library.
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
  struct Parts {
    MasterClient& master;
    NodeClient& nodes;
    HedgedReader& hedged;
    SuspectNodes& suspects;
    Notices& notices;
  };
  // Where a block stands, so that its locations can be asked for again.
  struct Place {
    uint64_t inode_id = 0;
    uint64_t block_offset_bytes = 0;  // in the file
  };

  // Rounds over all replicas, with new locations between them, that must agree that each is bad
  // before the block is given up.
  static constexpr int kBadRoundsMax = 3;

  ReplicaReader(Options options, const Parts& parts)
      : options_(std::move(options)), parts_(parts) {}

  // `located` is brought up to date when the master is asked again.
  // Errors: kAborted: the file no longer has this block; locate what is there in its place.
  Result<std::string> Read(const Place& place,
                           LocatedBlock& located,
                           const NodeClient::Range& range,
                           const std::stop_token& stop);

  // The CRC32Cs of the raw bytes of `range`, cut into pieces.
  Result<std::vector<uint32_t>> Checksum(const Place& place,
                                         LocatedBlock& located,
                                         const NodeClient::Range& range,
                                         const NodeClient::Pieces& pieces,
                                         const std::stop_token& stop);

 private:
  // Asks `node`; `next` is the one that would be asked then, if there is one.
  using Attempt = std::function<Status(const NodeAddress& node, const NodeAddress* next)>;

  // Rounds until one attempt succeeds.
  Status TryRounds(const Place& place,
                   LocatedBlock& located,
                   const std::stop_token& stop,
                   const Attempt& attempt);
  // One round: every known replica once, those not suspected first. kDataLoss if all are bad.
  Status TryAll(const LocatedBlock& located, const Attempt& attempt);
  std::vector<NodeAddress> OrderOf(const LocatedBlock& located) const;
  // OK also when the master does not answer: the old locations stand.
  Status Refresh(const Place& place, LocatedBlock& located);

  const Options options_;
  const Parts parts_;
};

}  // namespace slipstream::dfs
