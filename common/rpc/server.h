#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/rpc/credentials.h"
#include "common/status/status.h"

namespace grpc {
class Service;
}

namespace slipstream::rpc {

// Server: the gRPC side of a daemon: synchronous services over a bounded number of threads, with
// gRPC's health service and reflection.
//
// Ownership   owns the listening port and the threads; borrows the services, which must outlive it.
// Threads     handlers run on up to threads_max threads of gRPC's; every open stream holds one.
//             Past the bound calls are refused with RESOURCE_EXHAUSTED. Methods here are
//             thread-safe.
class Server final {
 public:
  struct Options {
    std::string listen;  // HOST:PORT; port 0 takes a free one
    int threads_max = 64;
    std::string tls_dir;  // see credentials.h, for this and the next
    ServerAccess access;
  };

  // Listens and serves; health says NOT_SERVING until SetServing(true).
  // Errors: kInvalidArgument (address), kUnavailable (the port is taken, the host is not here).
  static Result<std::unique_ptr<Server>> Start(const Options& options,
                                               const std::vector<grpc::Service*>& services);
  ~Server();  // Shutdown with no grace

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // As listened on, with the port the kernel gave.
  const std::string& address() const { return address_; }
  uint16_t port() const { return port_; }

  // What the health service answers.
  void SetServing(bool is_serving);

  // Takes no new calls, gives those running `grace` to end, cancels the rest, and returns when
  // all handlers have. Idempotent.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
  std::string address_;
  uint16_t port_ = 0;
};

}  // namespace slipstream::rpc
