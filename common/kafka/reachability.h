#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "common/kafka/types.h"
#include "common/status/status.h"

namespace slipstream::kafka {

struct ReachabilityOptions {
  Properties properties;  // at least bootstrap.servers
  std::chrono::milliseconds connect_timeout{60'000};
  std::stop_token stop;
  // Told once when the first attempt fails and then every few seconds, with why: what a person
  // wants to read while nothing happens. Absent: nobody is told.
  std::function<void(const std::string& reason)> on_waiting;
};

// Waits until the cluster answers and every broker it names accepts a connection at the address it
// advertises. Errors: kUnavailable when the timeout has passed: no broker answered (with the last
// trouble), or, the commonest Kafka trouble, the bootstrap address answers but a broker advertises
// an address that does not: the message names both. kCancelled; kInvalidArgument (properties).
Status WaitForBrokers(const ReachabilityOptions& options);

// Whether a TCP connection to `host`:`port` succeeds within `timeout`.
Status TryConnect(const std::string& host, int port, std::chrono::milliseconds timeout);

}  // namespace slipstream::kafka
