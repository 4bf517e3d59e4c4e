#include "gateway/user_clients.h"

#include <algorithm>

namespace slipstream::gateway {

std::shared_ptr<dfs::DfsClient> UserClients::For(const std::string& user) {
  std::shared_ptr<dfs::DfsClient> given_up;  // ends outside the lock: it joins threads
  MutexLock lock(mutex_);
  const auto found = std::find_if(
      clients_.begin(), clients_.end(), [&](const auto& client) { return client.first == user; });
  if (found != clients_.end()) {
    clients_.splice(clients_.begin(), clients_, found);
  } else {
    clients_.emplace_front(user, connect_(user));
    if (clients_.size() > kUsersMax) {
      given_up = std::move(clients_.back().second);
      clients_.pop_back();
    }
  }
  return clients_.front().second;
}

}  // namespace slipstream::gateway
