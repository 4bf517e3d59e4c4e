#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "common/status/status.h"

namespace slipstream::runtime {

struct PatienceOptions {
  std::string waiting_for;  // "topic": for the log
  std::chrono::milliseconds timeout;
  std::stop_token stop;
  Code transient = Code::kUnavailable;  // also tried again, besides kUnavailable
};

// Calls `attempt` until it gives anything but a transient status, and says in the log every few
// seconds what is waited for. Its last status when the timeout has passed; kCancelled when stopped.
Status Persist(const PatienceOptions& options, const std::function<Status()>& attempt);

}  // namespace slipstream::runtime
