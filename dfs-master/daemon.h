#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/daemon/flags.h"
#include "common/status/status.h"
#include "dfs-master/master.h"

namespace slipstream::dfs::master {

// Daemon: a master as a process: the store on disk, the master over it, its housekeeping thread,
// the gRPC server and the admin server. Started in this order, stopped in the reverse.
class Daemon final {
 public:
  struct Options {
    daemon::DaemonFlags flags;
    std::string listen = "127.0.0.1:7400";
    std::string tls_dir;     // empty: no TLS
    std::string token_file;  // empty: certificates alone
    std::filesystem::path data_dir;
    // Whether owners, groups and modes are checked; these users and members of the group may do
    // everything, as may the user whose process this is.
    bool checks_permissions = true;
    std::vector<std::string> superusers;
    std::string supergroup = "supergroup";
    Master::Options master;
    // What the store's rows, blocks and unwritten changes take in memory, together.
    uint64_t cache_bytes = uint64_t{256} << 20;
  };

  // Runs until SIGTERM or SIGINT, then drains; OK if that went well. Blocks the calling thread,
  // which must be the main thread.
  static Status Run(const Options& options);

 private:
  explicit Daemon(const Options& options);
  ~Daemon();
  Status Start();
  void Stop();

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::dfs::master
