#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "dfs-client/delayed_work.h"
#include "dfs-client/file_types.h"
#include "dfs-client/hedge_policy.h"
#include "dfs-client/node_client.h"
#include "dfs-client/suspect_nodes.h"

namespace slipstream::dfs {

// HedgedReader: reads from one replica, and where that takes unusually long from a second one as
// well; the first good answer wins, the other read is cancelled. A node that lost is remembered as
// slow for a while. Private to the library.
//
// Ownership  borrows nodes and clock, which must outlive it; owns the threads of second reads.
// Threads    thread-safe.
class HedgedReader final {
 public:
  struct Options {
    bool is_hedging = true;  // false: only ever the first replica, no threads
    std::chrono::milliseconds slow_forgiven_after{10'000};
  };
  struct Request {
    const NodeAddress& first;
    const NodeAddress* second = nullptr;  // null: there is no other
    NodeClient::Wanted wanted;
    std::chrono::milliseconds timeout;  // of each of both
  };

  HedgedReader(const Options& options, NodeClient& nodes, const Clock& clock);

  // Errors: as NodeClient::ReadBlock, of the first replica.
  Result<std::string> Read(const Request& request, const std::stop_token& stop);

  bool IsSlow(const std::string& node_id) const { return slow_.Contains(node_id, clock_.Now()); }

 private:
  struct Race;
  Result<std::string> ReadFirst(const Request& request, const std::stop_token& stop);
  void ReadSecond(Race& race);

  const Options options_;
  NodeClient& nodes_;
  const Clock& clock_;
  HedgePolicy policy_;
  SuspectNodes slow_;
  DelayedWork delayed_;  // last: its threads use all of the above
};

}  // namespace slipstream::dfs
