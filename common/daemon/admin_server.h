#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"

namespace prometheus {
class Collectable;
}

namespace slipstream::daemon {

// One thing that a process needs to be of use.
struct ReadyCheck {
  std::string name;               // "master"
  std::function<Status()> check;  // the message says what is missing
};

// AdminServer: how a process is seen over HTTP.
//   /metrics   Prometheus text: the registry given, the process's own figures, and
//              slipstream_build_info
//   /livez     200 while this server answers
//   /readyz    200, or 503 with the reasons; with ?verbose every check by name
//   /status    what the process says of itself, as JSON
//   /loglevel  the loggers and their levels; a PUT of LEVEL sets all, of LOGGER=LEVEL that one and
//              those below it. Changed from the same machine only, and never by a web page.
//
// TLS         where it has a --tls-dir and listens beyond loopback: HTTPS, to those with a
//             certificate of its authority. On loopback, where tools of the machine ask, never.
// Bounds      but for that PUT only GET and HEAD; 8 KiB of request, 10 s for all of it; 64
//             connections, more are closed at once; one request a connection.
// Threads     one of its own, on which the callbacks run: they must be thread-safe and must not
//             block for long.
// Ownership   borrows the registry and what the callbacks refer to; they must outlive it.
class AdminServer final {
 public:
  struct Options {
    std::string listen;   // HOST:PORT, numeric host or localhost; port 0 takes a free one
    std::string tls_dir;  // common/tls/tls_dir.h; empty: no TLS
    std::string daemon;   // the process's name, for slipstream_build_info
    const prometheus::Collectable* registry = nullptr;
    std::vector<ReadyCheck> ready;             // none: always ready
    std::function<std::string()> status_json;  // absent: "{}"
  };

  // Errors: kInvalidArgument (address), kUnavailable (port taken), those of tls::CheckTlsDir.
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
