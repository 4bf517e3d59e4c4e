#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/status/status.h"

namespace prometheus {
class Collectable;
}

namespace slipstream::daemon {

// AdminServer: how a process is seen over HTTP.
//   /metrics  Prometheus text: the registry given, and the process's own figures
//   /livez    200 while this server answers
//   /readyz   200 or 503 with the reason
//   /status   what the process says of itself, as JSON
//
// Bounds      GET and HEAD only; 8 KiB of request, 10 s for all of it; 64 connections, more are
//             closed at once; one request a connection.
// Threads     one of its own, on which the callbacks run: they must be thread-safe and must not
//             block for long.
// Ownership   borrows the registry and what the callbacks refer to; they must outlive it.
class AdminServer final {
 public:
  struct Options {
    std::string listen;  // HOST:PORT, numeric host or localhost; port 0 takes a free one
    const prometheus::Collectable* registry = nullptr;
    std::function<Status()> ready;             // absent: always ready
    std::function<std::string()> status_json;  // absent: "{}"
  };

  // Errors: kInvalidArgument (address), kUnavailable (port taken).
  static Result<std::unique_ptr<AdminServer>> Start(Options options);
  ~AdminServer();  // stops at once
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // HOST:PORT with the port the kernel gave.
  const std::string& address() const;

 private:
  struct Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::daemon
