#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/status/status.h"

namespace slipstream::bench {

struct RestartNodesOptions {
  std::string master;  // HOST:PORT
  uint64_t files = 0;  // of MakeRestartStore
  std::chrono::milliseconds timeout{120'000};
};

// Plays the datanodes of MakeRestartStore's files: each registers as soon as it is let, reports all
// its replicas as a datanode does, and sends heartbeats until the master says that it has located
// every block. Prints what happened when, in seconds since the call: "registered_s=…",
// "reported_s=…" of the last of them, "located_s=…".
Status ReportRestartNodes(const RestartNodesOptions& options);

// Calls a master that is only just starting, until it answers; prints "stat_s=…" (of a file) and
// "list_s=…" (of a page of a thousand names).
Status AwaitRestartedNames(const RestartNodesOptions& options);

}  // namespace slipstream::bench
