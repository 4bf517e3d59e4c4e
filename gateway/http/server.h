#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "common/status/status.h"
#include "gateway/http/connection.h"
#include "gateway/http/message.h"
#include "gateway/http/metrics.h"

namespace slipstream::gateway::http {

// Server: HTTP/1.1 over TCP or TLS, with streaming both ways and bounded memory.
//
// Threads     one for all sockets, which never blocks; `quick_threads` call the handler,
//             `slow_threads` move bodies. None is held by a client that is slow or idle.
// Bounds      Limits. A connection is a few KiB while idle; an upload or download takes what its
//             sink or source may hold out of one budget, and waits for it.
// Ownership   borrows handler and metrics, which must outlive it.
class Server final {
 public:
  struct Options {
    std::string listen;   // HOST:PORT, numeric host or localhost; port 0 takes a free one
    std::string tls_dir;  // of HTTPS (common/tls/tls_dir.h); empty: plain HTTP
    Limits limits;
    size_t quick_threads = 16;
    size_t slow_threads = 32;
  };

  // Errors: kInvalidArgument (address), kUnavailable (port taken), those of CheckTlsDir.
  static Result<std::unique_ptr<Server>> Start(Options options, Handler& handler, Metrics& metrics);
  ~Server();  // Stop(0)
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // HOST:PORT with the port the kernel gave.
  const std::string& address() const;

  // Takes no more connections, ends idle ones, lets requests in hand come to their end for so long,
  // then breaks the rest off. Idempotent. What handlers, sinks and sources still do is waited for:
  // whoever can cut that short does it before.
  void Stop(std::chrono::milliseconds drain_time);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::gateway::http
