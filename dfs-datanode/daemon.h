#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"

namespace slipstream::datanode {

struct DaemonOptions {
  std::string master = "127.0.0.1:7400";
  std::string listen = "127.0.0.1:7410";
  std::string advertise;               // HOST:PORT others reach it at; empty: as it listens
  std::vector<std::string> data_dirs;  // one for each disk
  size_t disks_min = 1;                // with fewer that work the process ends
  std::string failure_domain;          // empty: the host of the address
  std::string rack;                    // e.g. "/rack1"; empty: none known
  std::string host;                    // empty: the host of the address
  // Of the disk, left free for others. 0: 1 GiB or 5 % of the disk, whichever is less.
  uint64_t reserve_bytes = 0;
  std::chrono::seconds park_time{600};
  uint64_t scrub_bytes_per_second = 8 << 20;
  std::chrono::seconds scrub_interval{86'400};
  int rpc_threads = 128;  // each open stream, read or written, holds one

  std::string admin_listen = "127.0.0.1:0";
  std::string endpoint_file;
  bool insecure = false;
  std::string tls_dir;  // empty: no TLS
};

// Daemon: one datanode process: joins the stores, the service, the link to the master and the
// background threads, and ends them in the right order.
class Daemon final {
 public:
  // Takes the data directory, scans it, listens, and says that it is ready. Does not wait for the
  // master. Errors: kInvalidArgument (flags), kFailedPrecondition (another process runs on the
  // directory), kUnavailable (port in use), those of the disk.
  static Result<std::unique_ptr<Daemon>> Start(const DaemonOptions& options);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until SIGTERM or SIGINT; then lets running calls end and stops everything. Call it from the
  // thread that called Start. An error: why it could not go on (too few disks work).
  Status Run();

 private:
  struct Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::datanode
