#pragma once

#include <string>

#include "common/status/status.h"

namespace slipstream::daemon {

// Where a process listens.
struct Endpoint {
  std::string rpc;    // HOST:PORT; empty where the process serves no gRPC
  std::string admin;  // HOST:PORT

  // "listening rpc=HOST:PORT admin=HOST:PORT"
  std::string ToString() const;
};

// Says that the process is ready: logs the line of ToString under `logger_name` and, where
// `endpoint_file` is not empty, writes the same line to it by way of a temporary file beside it
// and a rename, so that whoever waits for the file never reads half of it. Then tells the service
// manager, if one waits.
Status AnnounceReady(const std::string& logger_name,
                     const Endpoint& endpoint,
                     const std::string& endpoint_file);

}  // namespace slipstream::daemon
