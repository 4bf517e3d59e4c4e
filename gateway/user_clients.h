#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "common/sync/mutex.h"
#include "dfs-client/dfs_client.h"

namespace slipstream::gateway {

// UserClients: one client of the file system for each user, who then owns what he makes. The few
// used last are kept; those given up live on until the calls that use them have ended. They share
// their connections.
//
// Threads   thread-safe.
class UserClients final {
 public:
  using Connect = std::function<std::shared_ptr<dfs::DfsClient>(const std::string& user)>;
  static constexpr size_t kUsersMax = 32;

  explicit UserClients(Connect connect) : connect_(std::move(connect)) {}

  // Shared with whoever asks.
  std::shared_ptr<dfs::DfsClient> For(const std::string& user);

 private:
  const Connect connect_;
  Mutex mutex_;
  // The one used last first.
  std::list<std::pair<std::string, std::shared_ptr<dfs::DfsClient>>> clients_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::gateway
