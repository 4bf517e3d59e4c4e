#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-client/dfs_client.h"

namespace slipstream::processor {

// FileSystems: the distributed file systems that a batch or query names, each connected to once.
// Ownership  owns the clients; they live as long as it does.
// Threads    thread-safe.
class FileSystems final {
 public:
  // `default_master` is the one of dfs:///… paths; `options` are those of every client.
  FileSystems(std::string default_master, dfs::ClientOptions options)
      : default_master_(std::move(default_master)), options_(std::move(options)) {}

  // The file system of the master HOST:PORT; "" is the default one. Does no I/O.
  dfs::DfsClient& At(const std::string& authority);

 private:
  const std::string default_master_;
  const dfs::ClientOptions options_;
  Mutex mutex_;
  std::map<std::string, std::unique_ptr<dfs::DfsClient>> clients_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::processor
