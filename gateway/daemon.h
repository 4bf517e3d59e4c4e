#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/status/status.h"

namespace slipstream::gateway {

struct DaemonOptions {
  std::string master = "127.0.0.1:7400";
  std::string brokers;  // Kafka's, HOST:PORT,…; empty: nothing is known of jobs
  std::vector<std::pair<std::string, std::string>>
      kafka_properties;  // librdkafka's, of TLS or SASL
  std::string listen = "127.0.0.1:9870";
  std::string dashboards = "/usr/share/slipstream/dashboards";  // the charts' folder
  std::string static_user;                 // in whose name those act who do not say who they are
  std::vector<std::string> allowed_hosts;  // more names that browsers may know us by
  size_t connections_max = 2'000;
  uint64_t memory_bytes = 1ULL << 30;            // of all uploads and downloads together
  std::chrono::milliseconds timeout{60'000};     // how long the file system is tried
  std::chrono::milliseconds drain_time{10'000};  // for requests in hand at the end

  std::string admin_listen = "127.0.0.1:0";
  std::string endpoint_file;
  bool insecure = false;
  std::string tls_dir;  // of what goes to the file system, and of HTTPS; empty: no TLS
  bool is_https = false;
  std::string token_file;  // common/access/token_file.h; empty: nobody is asked for one
};

// Daemon: one gateway process: joins the HTTP server, WebHDFS, the state of cluster and jobs,
// and the file system's clients, and ends them in the right order.
class Daemon final {
 public:
  // Listens, and says that it is ready. Does not wait for the master. Errors: kInvalidArgument
  // (flags), kUnavailable (port in use).
  static Result<std::unique_ptr<Daemon>> Start(const DaemonOptions& options);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until SIGTERM or SIGINT; then lets requests in hand end and stops everything. Call it from the
  // thread that called Start.
  void Run();

 private:
  struct Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::gateway
